// `npm run soak:openapi`: the control endpoint of a real peer, asked for what its own description says, and for what it does not
// say, by schemathesis (test/fuzz/openapi-requirements.txt). A bug of ours (5xx), an answer that the description does not know,
// or a request that it forbids and that is taken, is a failure. What requests name on disk is put below a folder of its own.
//   npm run soak:openapi -- --schemathesis <program> --examples 100 --seed 1
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type LocalPeer, LocalSystem } from '../../infra/quick-start/local-system.ts';
import { say } from '../bench/table.ts';
import { byLength } from '../soak/soak-length.ts';

const { values: flags } = parseArgs({
  options: {
    schemathesis: { type: 'string', default: process.env['COHORT_SCHEMATHESIS'] ?? 'schemathesis' },
    examples: { type: 'string', default: byLength({ full: '1000', short: '10' }) },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const CREDENTIALS = { user: 'alice', password: 'correct horse battery' };
/**
 * Not among them: that what the description allows is taken, because a group or a file may still not be there; and that an
 * address answers 405 to a method that it does not know: the closed set of refusals has 404 for that.
 */
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance'],
  ...['response_schema_conformance', 'negative_data_rejection', 'use_after_free', 'ignored_auth'],
];
/** A stream has no end. */
const LEFT_OUT = ['events'];

say(`seed ${flags.seed}`);
const folder = mkdtempSync(join(tmpdir(), 'cohort-openapi-'));
const system = await LocalSystem.prepare({ folder, trackerCount: 1 });
try {
  await system.startTrackers();
  const peer = await system.startPeer('alice');
  await furnish(peer);
  process.exitCode = await fuzz(peer);
} finally {
  await system.stop();
  rmSync(folder, { recursive: true });
}

/** Somebody who is logged in, and has a group and a file in it. */
async function furnish({ control }: LocalPeer): Promise<void> {
  const path = join(folder, 'film');
  writeFileSync(path, 'some bytes');
  const commands: readonly [string, object][] = [
    ['create_user', CREDENTIALS],
    ['login', CREDENTIALS],
    ['create_group', { group: 'films' }],
    ['upload_file', { group: 'films', path, wait: true }],
  ];
  for (const [name, body] of commands) {
    const { status } = await control.command(name, body);
    if (status !== 200) throw new Error(`${name} is answered with ${status}`);
  }
}

/** Resolves with the exit code: 0 when nothing is wrong. */
async function fuzz({ control: { url, token } }: LocalPeer): Promise<number> {
  const below = join(folder, 'below');
  mkdirSync(below);
  const words = [
    ...['--config-file', join(import.meta.dirname, 'openapi.toml'), 'run', `${url}/api/docs-json`],
    ...['--checks', CHECKS.join(), '--max-examples', flags.examples, '--seed', flags.seed],
    ...LEFT_OUT.flatMap((id) => ['--exclude-operation-id', id]),
    ...['--continue-on-failure', '--request-timeout', '30', '--warnings', 'off', '--no-color'],
  ];
  const env = {
    ...process.env,
    ...{ SCHEMATHESIS_HOOKS: 'openapi_hooks', PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: '1' },
    ...{ COHORT_FUZZ_FOLDER: below, COHORT_FUZZ_URL: url, COHORT_FUZZ_TOKEN: token },
    ...{ COHORT_FUZZ_USER: CREDENTIALS.user, COHORT_FUZZ_PASSWORD: CREDENTIALS.password },
  };
  const program = spawn(flags.schemathesis, words, { env, stdio: ['ignore', 'inherit', 'inherit'], cwd: folder });
  const [code] = (await once(program, 'exit')) as [number | null];
  return code ?? 1;
}
