// Owns `cohort doctor`: everything that is looked at, in the order in which one thing rests on the other, and the answer as lines
// and as exit code. It changes nothing, and needs no running peer.
import { resolve } from 'node:path';
import type { TransferView } from '#wire/control-api';
import type { SessionItem } from '#wire/control-sessions';
import type { StatusView } from '#wire/control-status';
import { type HostPort, parseHostPort } from '#wire/host-port';
import { ControlClient, findPeer, peerPlace } from '../control-client.ts';
import type { Invocation } from '../invocation.ts';
import type { Finding, FindingState } from './finding.ts';
import { checkDataDirectory, checkFolder, checkNode, checkPort, checkSecrets } from './machine-checks.ts';
import {
  checkAbsence,
  checkPeer,
  checkRemains,
  type Destinations,
  destinationsOf,
  type PeerAnswers,
  readRemains,
  storedDestinations,
} from './peer-checks.ts';
import { checkTrackers } from './tracker-checks.ts';
import { listTrackers } from './tracker-list.ts';

export interface DoctorFlags {
  readonly control?: string;
}

/** What the doctor was told, in any order: the address of a peer, and a tracker_info.txt. */
interface Told {
  readonly address: HostPort | null;
  readonly trackerInfo: string | null;
}

/** The answer was shown already: something is wrong. */
export class ProblemsFound extends Error {}

const ANSWER_TIMEOUT_MS = 5_000;
const CONTROL_DEFAULT = '127.0.0.1:7070';
const SIGNS: Readonly<Record<FindingState, string>> = {
  ok: 'ok',
  warning: 'warning',
  problem: 'PROBLEM',
  unknown: '-',
};

/** doctor. Throws ProblemsFound when something is wrong. */
export async function doctor(invocation: Invocation, words: readonly string[], flags: DoctorFlags): Promise<void> {
  const findings = await lookAtAll(invocation, toldBy(words, invocation.terminal.workingDirectory), flags);
  const problemCount = countOf(findings, 'problem');
  const warningCount = countOf(findings, 'warning');
  const verdict = problemCount > 0 ? 'problem' : warningCount > 0 ? 'warning' : 'ok';
  invocation.show({ verdict, findings }, () => inWords(findings, problemCount, warningCount));
  if (problemCount > 0) throw new ProblemsFound(verdict);
}

async function lookAtAll(invocation: Invocation, told: Told, flags: DoctorFlags): Promise<readonly Finding[]> {
  const { terminal, interrupt } = invocation;
  const { dataDirectory, tokenFile } = peerPlace(invocation.flags, terminal.environment);
  const machine = [
    checkNode(process.versions.node),
    await checkDataDirectory(dataDirectory),
    ...(await checkSecrets(dataDirectory, tokenFile)),
  ];
  const asked = await askPeer({ dataDirectory, tokenFile, interrupt });
  const remains = await readRemains(dataDirectory);
  const peer =
    asked.answers === null
      ? [
          await checkAbsence({ dataDirectory, tokenFile }, asked.why),
          ...(await checkPorts(told, flags, terminal.environment)),
          checkRemains(remains, Date.now()),
        ]
      : checkPeer(asked.answers, asked.url);
  const trackers = await lookAtTrackers({
    dataDirectory,
    trackerInfo: told.trackerInfo ?? asked.trackerInfo,
    status: asked.answers?.status ?? null,
    logId: asked.answers?.status.logId ?? remains.logId,
  });
  const destinations = asked.answers === null ? await storedDestinations(dataDirectory) : destinationsOf(asked.answers);
  return [...machine, ...peer, ...trackers, ...(await checkDestinations(destinations))];
}

type AskedPeer =
  | { readonly answers: PeerAnswers; readonly url: string; readonly trackerInfo: string | null }
  | { readonly answers: null; readonly why: Error; readonly trackerInfo: null };

async function askPeer(place: {
  dataDirectory: string;
  tokenFile: string;
  interrupt: AbortSignal;
}): Promise<AskedPeer> {
  try {
    const address = await findPeer(place);
    const client = new ControlClient(
      address,
      AbortSignal.any([place.interrupt, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    );
    const status = await client.view<StatusView>('/status');
    const { items: transfers } = await client.list<TransferView>('/transfers');
    // They are the trackers', who may be away.
    const sessions = await client.list<SessionItem>('/sessions').catch(() => null);
    const answers = { status, transfers, sessions: sessions?.items ?? null };
    return { answers, url: address.url, trackerInfo: address.trackerInfo };
  } catch (error) {
    return { answers: null, why: error as Error, trackerInfo: null };
  }
}

/** A port that a running peer has is in use by that. */
async function checkPorts(
  { address }: Told,
  { control }: DoctorFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  const parsed = parseHostPort(control ?? (environment['COHORT_CONTROL'] || CONTROL_DEFAULT));
  return Promise.all([
    ...(parsed.ok ? [checkPort('control port', parsed.address, '--control <host:port>')] : []),
    ...(address === null ? [] : [checkPort("peers' port", address, 'the first word of cohort peer')]),
  ]);
}

async function lookAtTrackers(known: {
  readonly dataDirectory: string;
  readonly trackerInfo: string | null;
  readonly status: StatusView | null;
  readonly logId: string | null;
}): Promise<readonly Finding[]> {
  const { dataDirectory, trackerInfo, status, logId } = known;
  const { finding, trackers } = await listTrackers({ dataDirectory, trackerInfo, trackers: status?.trackers ?? null });
  if (trackers.length === 0) return [finding];
  // Loaded only here: no other command speaks to trackers.
  const { probeTrackers } = await import('../../tracker-link/tracker-probe.ts');
  const probed = await probeTrackers(trackers.map(({ address }) => address));
  const states = new Map(status?.trackers.map(({ address, state }) => [address, state]));
  return [finding, ...checkTrackers(trackers, probed, { logId, states })];
}

function checkDestinations(destinations: Destinations): Promise<readonly Finding[]> {
  return Promise.all([...destinations].map(([folder, missingBytes]) => checkFolder(folder, missingBytes)));
}

/** A word with a port is the peer's address, as `cohort peer` takes it; any other is the file. */
function toldBy(words: readonly string[], workingDirectory: string): Told {
  let told: Told = { address: null, trackerInfo: null };
  for (const word of words) {
    const parsed = parseHostPort(word);
    told = parsed.ok ? { ...told, address: parsed.address } : { ...told, trackerInfo: resolve(workingDirectory, word) };
  }
  return told;
}

function inWords(findings: readonly Finding[], problemCount: number, warningCount: number): string {
  const signWidth = Math.max(...Object.values(SIGNS).map((sign) => sign.length));
  const checkWidth = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(signWidth + checkWidth + 4);
  const lines = findings.map(({ state, check, detail, action }) => {
    const about = detail.replaceAll('\n', `\n${indent}`);
    const advice = action === null ? '' : `\n${indent}${action}`;
    return `${SIGNS[state].padEnd(signWidth)}  ${check.padEnd(checkWidth)}  ${about}${advice}\n`;
  });
  return `${lines.join('')}\n${verdictInWords(problemCount, warningCount)}\n`;
}

function verdictInWords(problemCount: number, warningCount: number): string {
  const counted = (count: number, what: string): string[] =>
    count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`];
  const found = [...counted(problemCount, 'problem'), ...counted(warningCount, 'warning')];
  return found.length === 0 ? 'Everything is as it should be.' : `${found.join(' and ')} found.`;
}

function countOf(findings: readonly Finding[], state: FindingState): number {
  return findings.filter((finding) => finding.state === state).length;
}
