// Owns fuzzing what auditors ask a tracker over HTTP, one question a line: `{"view", "parameters"}`. Each is answered, or refused with
// a sentence; a page is as long as was asked for at the most, and where the next one begins can be asked for.
import assert from 'node:assert/strict';
import { BadInput } from '#identity/start-input';
import { LIST_LIMIT_MAX } from '#wire/limits';
import {
  type AuditParameters,
  type AuditQuestion,
  isAuditView,
  prepared,
  type PreparedQuestion,
} from '../../../apps/tracker/src/audit/audit-question.ts';
import { pageWishOf } from '../../../apps/tracker/src/audit/audit-page.ts';
import { UnknownThing } from '../../../apps/tracker/src/audit/unknown-thing.ts';
import { sourceOf } from '../../unit/tracker/audit/sources.ts';
import { derivedOf, randomRecords } from '../../unit/tracker/random-log.ts';
import type { FuzzTarget } from '../fuzz-target.ts';

const records = randomRecords(7, 40, { isTruthful: true });
const group = [...derivedOf(records).state.groups.keys()][0] ?? 'g';
/** Of the second page. */
const NEXT_LIMIT = 2;
const SAMPLES = [
  ...['log', 'log?limit=3', 'log?after=40.3&limit=2', 'log?outcome=rejected&type=join_group&to=30', 'state?at=20'],
  ...[
    'state?at=2026-11-27T09:30:00Z',
    `access?share=${group}/a&between=1,30`,
    'diff?from=3&to=2030-01-01T00:00:00%2B01:00',
  ],
  ...[`why?kind=group&name=${group}`, 'why?kind=member&name=g/u', 'verify', 'prove?offset=7', 'report?from=1&to=20'],
  ...['export?tail=true', `state?group=${group}&user=u&limit=1`, 'log?actor=%00&correlation=%F0%9F%98%80'],
];

export const auditQuestions: FuzzTarget = {
  name: 'audit-questions',
  sources: [
    ...['question', 'page'].map((name) => `apps/tracker/src/audit/audit-${name}.ts`),
    ...['moment', 'entity', 'log-filter', 'access-question'].map((name) => `apps/tracker/src/audit/${name}.ts`),
  ],
  shape: 'json',
  // A short question may have all of a small log for its answer.
  bytesPerByte: 2 ** 20,
  seeds: () => SAMPLES.map((text) => Buffer.from(JSON.stringify(questionOf(text)))),
  run: async (input) => {
    for (const line of Buffer.from(input).toString().split('\n').slice(0, 2)) await check(line);
  },
};

function questionOf(text: string): object {
  const [view, query] = text.split('?', 2);
  return { view, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/** What the controller takes of it: a view that there is, and each parameter as one text. */
function questionIn(line: string): AuditQuestion | null {
  try {
    const { view, parameters } = JSON.parse(line) as { view?: unknown; parameters?: unknown };
    if (typeof view !== 'string' || !isAuditView(view) || typeof parameters !== 'object') return null;
    const areTexts = Object.values(parameters ?? {}).every((value) => typeof value === 'string');
    return areTexts ? { view, parameters: { ...parameters } as AuditParameters } : null;
  } catch {
    return null;
  }
}

async function check(line: string): Promise<void> {
  const asked = questionIn(line);
  if (asked === null) return;
  try {
    const question = prepared(asked);
    if ((question.wish.size ?? 0) <= records.length) await checkAnswer(question);
  } catch (error) {
    if (error instanceof Enough) return;
    if (!(error instanceof BadInput || error instanceof UnknownThing)) throw error;
    assert.ok(error.message.length > 0, 'a refusal says why');
  }
}

/** Two pages are looked at, and no more. */
class Enough extends Error {}

async function checkAnswer({ wish, contentType, answer }: PreparedQuestion): Promise<void> {
  const size = wish.size ?? records.length;
  let limit = wish.limit;
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (contentType.startsWith('application/json')) checkPage(Buffer.from(bytes).toString(), { size, limit });
  };
  const pause = async (next: string): Promise<number> => {
    assert.doesNotThrow(() => pageWishOf({ after: next }), 'the next page can be asked for');
    assert.equal(pageWishOf({ after: next }).size, size, 'pages are of one log');
    if (limit === NEXT_LIMIT) throw new Enough();
    limit = NEXT_LIMIT;
    return limit;
  };
  await answer(sourceOf(records.slice(0, size)), size, { write, pause });
}

function checkPage(text: string, { size, limit }: { readonly size: number; readonly limit: number }): void {
  const page = JSON.parse(text) as { readonly items?: unknown[]; readonly asOfOffset: number };
  assert.equal(page.asOfOffset, size - 1, 'what it is about is said');
  assert.ok(limit <= LIST_LIMIT_MAX && (page.items ?? []).length <= limit, 'a page has an end');
}
