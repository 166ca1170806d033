// Owns what the doctor sees without any peer: Node, the data directory with what is secret in it, ports, and folders that are
// written to.
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { listenTrouble } from '#identity/port-use';
import { formatHostPort, type HostPort } from '#wire/host-port';
import { formatBytes } from '../quantities.ts';
import { quotedWord } from '../words.ts';
import { type Finding, Findings } from './finding.ts';
import { portHolder, processInWords } from './process-search.ts';

const NODE_MAJOR_MIN = 26;
const MIB = 1024 * 1024;
const FREE_BYTES_MIN = 64 * MIB;
const FREE_BYTES_WANTED = 1024 * MIB;
/** Permissions of anybody but the owner. */
const OTHERS_MODE = 0o077;

/** Which Node runs this. */
export function checkNode(version: string): Finding {
  const findings = new Findings('Node');
  if (Number.parseInt(version, 10) >= NODE_MAJOR_MIN) return findings.ok(`This is Node ${version}.`);
  return findings.problem(
    `This is Node ${version}, and Node ${NODE_MAJOR_MIN} or newer is needed.`,
    `Run npm ci, which brings it, or install Node ${NODE_MAJOR_MIN}.`,
  );
}

/** Whether a peer can live in its data directory. */
export async function checkDataDirectory(folder: string): Promise<Finding> {
  const findings = new Findings('data directory');
  const mode = await modeOf(folder);
  if (mode === null) {
    return findings.problem(
      `There is no folder ${folder}: no peer has run on it.`,
      'Name the data directory of your peer with --data-dir, or start a peer, which makes it.',
    );
  }
  const trouble = await writeTrouble(folder);
  if (trouble !== null) {
    return findings.problem(`${folder} cannot be written to (${trouble}).`, 'Run the peer as the user it belongs to.');
  }
  const freeBytes = await freeBytesOf(folder);
  const free = `${formatBytes(freeBytes)} are free`;
  if (freeBytes < FREE_BYTES_MIN) return findings.problem(`${folder}: ${free}.`, 'Make room on this disk.');
  if (isOpen(mode)) {
    return findings.warning(
      `Others on this machine may look into ${folder} (mode ${octal(mode)}).`,
      `Type: chmod 700 ${quotedWord(folder)}`,
    );
  }
  if (freeBytes < FREE_BYTES_WANTED) return findings.warning(`${folder}: ${free}.`, 'Make room on this disk soon.');
  return findings.ok(`${folder} can be written to, and ${free}.`);
}

/** Whether the secrets of a data directory are its owner's alone. Empty where no peer has run. */
export async function checkSecrets(folder: string, tokenFile: string): Promise<readonly Finding[]> {
  if ((await modeOf(folder)) === null) return [];
  return Promise.all([
    checkSecret(new Findings('control token'), tokenFile),
    checkSecret(new Findings("peer's key"), join(folder, 'identity.key')),
  ]);
}

async function checkSecret(findings: Findings, file: string): Promise<Finding> {
  const mode = await modeOf(file);
  if (mode === null) return findings.unknown(`${file} is not there yet: a peer makes it when it starts.`);
  if (isOpen(mode)) {
    return findings.problem(
      `Others on this machine can use ${file} (mode ${octal(mode)}).`,
      `Type: chmod 600 ${quotedWord(file)}`,
    );
  }
  const isReadable = await access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
  if (isReadable) return findings.ok(`Only its owner may read ${file}.`);
  return findings.problem(`${file} belongs to another user.`, 'Run cohort as the user who runs the peer.');
}

/** Whether a server of a peer that does not run could listen where it is meant to. */
export async function checkPort(check: string, address: HostPort, flag: string): Promise<Finding> {
  const findings = new Findings(check);
  const place = formatHostPort(address);
  const trouble = await listenTrouble(address);
  if (trouble === null) return findings.ok(`${place} is free.`);
  if (trouble !== 'EADDRINUSE') {
    return findings.problem(`Nobody can listen at ${place} (${trouble}).`, `Give an address of this machine: ${flag}.`);
  }
  const pid = await portHolder(address);
  const who = pid === null ? 'another process' : await processInWords(pid);
  return findings.problem(`${place} is in use by ${who}.`, `End that, or take another port: ${flag}.`);
}

/** Whether what is fetched can be put into a folder, and fits there. */
export async function checkFolder(folder: string, missingBytes: number): Promise<Finding> {
  const findings = new Findings('destination');
  const trouble = await writeTrouble(folder);
  if (trouble !== null) {
    return findings.problem(
      `${folder} cannot be written to (${trouble}), and downloads go there.`,
      'Make the folder writable, or begin the downloads again with another destination.',
    );
  }
  const freeBytes = await freeBytesOf(folder);
  const room = `${formatBytes(freeBytes)} are free, and ${formatBytes(missingBytes)} are still to come`;
  if (freeBytes < missingBytes) return findings.problem(`${folder}: ${room}.`, 'Make room on that disk.');
  return findings.ok(`${folder} can be written to: ${room}.`);
}

/** Why a folder cannot be written to, in the system's word, or null. */
async function writeTrouble(folder: string): Promise<string | null> {
  try {
    if (!(await stat(folder)).isDirectory()) return 'it is no folder';
    await access(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** Free for this user; of a folder that cannot be asked about, all there is. */
async function freeBytesOf(folder: string): Promise<number> {
  const at = await statfs(folder).catch(() => statfs(dirname(folder)).catch(() => null));
  return at === null ? Number.POSITIVE_INFINITY : at.bavail * at.bsize;
}

async function modeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mode }) => mode & 0o777,
    () => null,
  );
}

/** Windows has no permissions of this kind. */
function isOpen(mode: number): boolean {
  return process.platform !== 'win32' && (mode & OTHERS_MODE) !== 0;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
