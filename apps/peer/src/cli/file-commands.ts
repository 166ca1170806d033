// Owns the commands that move or adopt files. Paths become absolute here, because the peer's working directory is not the
// person's; long work is watched until it is done unless told otherwise.
import type { CommandStateView, CommandView } from '#wire/control-answers';
import type { TransferView } from '#wire/control-api';
import { CommandRefused } from './control-client.ts';
import { absolutePath, uploadArguments } from './file-arguments.ts';
import type { Invocation } from './invocation.ts';
import { consent, type ConsentFlags } from './last-copies.ts';
import { formatBytes, formatSeconds } from './quantities.ts';
import { followTransfer, TransferFailed } from './transfer-follower.ts';

export interface UploadFlags {
  readonly name?: string;
  readonly hash?: string;
  readonly exclude?: readonly string[];
  readonly update?: boolean;
  readonly detach?: boolean;
}

export interface DownloadFlags {
  readonly strategy?: string;
  readonly overwrite?: boolean;
  readonly version?: number;
  readonly only?: readonly string[];
  readonly detach?: boolean;
}

/** Which version of a file is meant. */
export interface VersionFlag {
  readonly version?: number;
}

/** upload_file, in either order of its words. */
export async function uploadFile(
  invocation: Invocation,
  words: readonly [string, string],
  { name, hash, exclude, update, detach }: UploadFlags,
): Promise<void> {
  const { group, path } = uploadArguments(words[0], words[1], invocation.terminal.workingDirectory);
  const { view } = await invocation.command('upload_file', {
    group,
    path,
    ...(name !== undefined && { name }),
    ...(hash !== undefined && { hash }),
    ...(exclude !== undefined && { exclude }),
    ...(update !== undefined && { update }),
  });
  await watch(invocation, view, {
    detach,
    done: ({ file, version }) =>
      `${file} is shared in ${group}${version === null || version === 1 ? '' : `, as its version ${version}`}.`,
  });
}

/** download_file. */
export async function downloadFile(
  invocation: Invocation,
  [group, file, destination]: readonly [string, string, string],
  { strategy, overwrite, only, version, detach }: DownloadFlags,
): Promise<void> {
  const { view } = await invocation.command('download_file', {
    group,
    file,
    destination: absolutePath(destination, invocation.terminal.workingDirectory),
    ...(strategy !== undefined && { strategy }),
    ...(overwrite !== undefined && { overwrite }),
    ...(version !== undefined && { version }),
    ...(only !== undefined && { only }),
  });
  await watch(invocation, view, { detach, done: downloaded });
}

/** seed_file. */
export async function seedFile(
  invocation: Invocation,
  [group, file, path]: readonly [string, string, string],
  { version }: VersionFlag,
): Promise<void> {
  const absolute = absolutePath(path, invocation.terminal.workingDirectory);
  const { view } = await invocation.command('seed_file', {
    ...{ group, file, path: absolute },
    ...(version !== undefined && { version }),
  });
  const done = (): string => `${absolute} is ${file} of ${group}, and is served from here now.`;
  await watch(invocation, view, { detach: false, done });
}

/** stop_share. */
export async function stopShare(
  invocation: Invocation,
  [group, file]: readonly [string, string],
  { everywhere = false, version, yes }: VersionFlag & ConsentFlags & { readonly everywhere?: boolean },
): Promise<void> {
  // Who takes a file out of its group wants no copy of it to be had.
  if (!everywhere) await consent(invocation, { group, file, ...(version !== undefined && { version }) }, { yes });
  const { view } = await invocation.command('stop_share', {
    ...{ group, file, everywhere },
    ...(version !== undefined && { version }),
  });
  const what = version === undefined ? file : `version ${version} of ${file}`;
  const done = everywhere ? `${what} was taken out of ${group}.` : `This peer no longer serves ${what} of ${group}.`;
  invocation.show(view, () => `${done}\n`);
}

async function watch(
  invocation: Invocation,
  view: CommandView,
  { detach, done }: { detach: boolean | undefined; done: (transfer: TransferView) => string },
): Promise<void> {
  const { transferId } = view.result;
  if (transferId === undefined || detach === true) {
    const hint =
      transferId === undefined ? 'Done.' : `Under way. See it with: ${invocation.typed(`transfers ${transferId}`)}`;
    return invocation.show(view, () => `${hint}\n`);
  }
  const client = await invocation.client();
  try {
    const transfer = await followTransfer(transferId, { client, invocation });
    invocation.show({ ...view, transfer }, () => `${done(transfer)}\n`);
  } catch (error) {
    // A share is published after it was hashed: what the log says to that stands with the command, not with the transfer.
    if (error instanceof TransferFailed) await throwRefusalOf(invocation);
    throw error;
  }
}

async function throwRefusalOf(invocation: Invocation): Promise<void> {
  const client = await invocation.client();
  const { problem } = await client.view<CommandStateView>(`/commands/${invocation.commandId}`);
  if (problem !== null) throw new CommandRefused(problem as CommandRefused['problem']);
}

function downloaded({ path, wantedBytes, reusedBytes, sha1, peers, startedAt, completedAt }: TransferView): string {
  const seconds = (Date.parse(completedAt ?? startedAt) - Date.parse(startedAt)) / 1000;
  const size = `${formatBytes(wantedBytes)} in ${formatSeconds(seconds)}`;
  const sources = peers
    .filter((peer) => peer.deliveredBytes > 0)
    .map((peer) => `${formatBytes(peer.deliveredBytes)} from ${peer.user}`);
  if (reusedBytes > 0) sources.push(`${formatBytes(reusedBytes)} from what was here`);
  const digest = sha1 === null ? '' : `\nsha1 ${sha1}`;
  return `${path}\n${[size, ...sources].join(', ')}${digest}`;
}
