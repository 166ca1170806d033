// One command, followed by its correlation id through the answer, the lines of both programs and the record in the log.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { HttpAnswer, ProblemBody } from '../../infra/quick-start/control-api.ts';
import { Cluster, type TestPeer, until } from './cluster.ts';
import { cohort } from './typed-commands.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Line {
  readonly level: string;
  readonly program: string;
  readonly msg: string;
  readonly correlationId?: string;
  readonly commandId?: string;
  readonly code?: string;
}

let cluster: Cluster;
let alice: TestPeer;

beforeAll(async () => {
  cluster = await Cluster.start({ trackerCount: 1, environment: { COHORT_LOG_LEVEL: 'debug' } });
  alice = await cluster.user('alice');
}, 60_000);
afterAll(() => cluster.stop());

/** What a process has logged so far: all it prints but the line that says that it is ready. */
function linesOf({ output, readyLine }: TestPeer['process']): Line[] {
  const lines = output.split('\n').filter((line) => line !== readyLine);
  return lines.map((line) => JSON.parse(line) as Line);
}

function linesAbout(correlationId: string): Line[] {
  const processes = [alice.process, cluster.system.trackers[0]!.process];
  return processes.flatMap(linesOf).filter((line) => line.correlationId === correlationId);
}

const sent = <Body>(name: string, body: object, headers: Record<string, string>): Promise<HttpAnswer<Body>> =>
  alice.control.request<Body>('POST', `/commands/${name}`, { body, headers });

it('a command is found by the id that its client gave it: in the answer, in both logs and in its record', async () => {
  const answer = await sent<{ commandId: string }>(
    'create_group',
    { group: 'films' },
    { 'x-correlation-id': 'order-66' },
  );
  expect({ status: answer.status, id: answer.headers.get('x-correlation-id') }).toEqual({
    status: 200,
    id: 'order-66',
  });
  await until('all is told', () => linesAbout('order-66').length === 3);
  const { commandId } = answer.body;
  expect(linesAbout('order-66')).toMatchObject([
    { level: 'debug', program: 'peer', msg: 'a tracker answered', commandId },
    { level: 'debug', program: 'peer', msg: 'answered' },
    { level: 'debug', program: 'tracker', msg: 'accepted', command: 'create_group', commandId, offset: 4 },
  ]);
  const flags = ['--log', cluster.logUrl, '--correlation', 'order-66', '--json'];
  const { out } = await cohort(['audit', 'log', ...flags]);
  expect(JSON.parse(out)).toMatchObject({ type: 'create_group', commandId, correlationId: 'order-66' });
});

it('a refusal says the same id, and is told by both programs', async () => {
  const headers = { 'x-correlation-id': 'order-67' };
  const { body } = await sent<ProblemBody>('create_group', { group: 'films' }, headers);
  expect(body).toMatchObject({ code: 'group_exists', correlationId: 'order-67' });
  await until('both have told it', () => linesAbout('order-67').filter(({ level }) => level === 'info').length === 2);
  expect(linesAbout('order-67').filter(({ level }) => level === 'info')).toMatchObject([
    { program: 'peer', msg: 'refused', code: 'group_exists' },
    { program: 'tracker', msg: 'refused', code: 'group_exists' },
  ]);
});

it('what a file is shared with goes by the id of the request that began it', async () => {
  const path = await cluster.file('film.mkv', 1_000);
  const answer = await sent('upload_file', { group: 'films', path, wait: true }, { 'x-correlation-id': 'order-68' });
  expect(answer.status).toBe(200);
  await until('the tracker has told it', () => linesAbout('order-68').some(({ program }) => program === 'tracker'));
  expect(linesAbout('order-68')).toContainEqual(expect.objectContaining({ command: 'upload_file', msg: 'accepted' }));
});
