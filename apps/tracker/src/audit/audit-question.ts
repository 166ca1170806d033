// Owns what can be asked of a tracker over HTTP: each view by its name, with the parameters that the verb of `cohort audit` takes
// as flags, and nothing else. The verbs do the work; what is left out here is said with the reason in docs/operating.md.
import { BadInput } from '#identity/start-input';
import { accessQuestionOf } from './access-question.ts';
import type { VerbOutput } from './audit-output.ts';
import { BY_ITEMS, byLists, PagedOutput, type PageWish, pageWishOf, type Spread } from './audit-page.ts';
import {
  type AuditRun,
  showAccess,
  showDifference,
  showHistory,
  showLog,
  showProving,
  showState,
  showVerification,
  writeReport,
} from './audit-verbs.ts';
import { entityIn, entityOf } from './entity.ts';
import { type WriteBytes, writeExport } from './export-writing.ts';
import { logFilterOf } from './log-filter.ts';
import { END, type Moment, momentOf } from './moment.ts';
import type { AuditSource } from './replay.ts';

/** Parameters by name, each given once. */
export type AuditParameters = Readonly<Record<string, string>>;

/** A question as it came in. */
export interface AuditQuestion {
  readonly view: AuditView;
  readonly parameters: AuditParameters;
}

/** Where an answer goes. */
export interface AnswerPort {
  readonly write: WriteBytes;
  /** Ends a page, and says what `after` of the next one is; resolves with how many items that may have, once it is asked for. */
  readonly pause: (next: string) => Promise<number>;
}

/** A question that is well-formed. */
export interface PreparedQuestion {
  readonly wish: PageWish;
  readonly contentType: string;
  /** Answers it from a source that has `size` records. */
  readonly answer: (source: AuditSource, size: number, port: AnswerPort) => Promise<void>;
}

type Prepare = (parameters: AuditParameters) => PreparedQuestion;

interface ViewRule {
  readonly parameters: readonly string[];
  readonly prepare: Prepare;
}

const PAGING = ['after', 'limit'];
const JSON_TYPE = 'application/json; charset=utf-8';

const VIEWS = {
  log: {
    parameters: ['actor', 'group', 'user', 'share', 'type', 'outcome', 'from', 'to', 'correlation', ...PAGING],
    prepare: ({ after, limit, ...flags }) => {
      const filter = logFilterOf(flags);
      return inPages(pageWishOf({ after, limit }), { spread: BY_ITEMS, ask: (run) => showLog(run, filter, null) });
    },
  },
  state: {
    parameters: ['at', 'user', 'group', 'share', ...PAGING],
    prepare: (parameters) => {
      const at = momentIn(parameters, 'at', END);
      const entity = entityIn(parameters);
      return inPages(pageWishOf(parameters), { spread: byLists('facts'), ask: (run) => showState(run, at, entity) });
    },
  },
  access: {
    parameters: ['share', 'at', 'between', ...PAGING],
    prepare: (parameters) => {
      const share = needed(parameters, 'share', '<group>/<file>');
      const { at, between } = parameters;
      const question = accessQuestionOf({ at, between: between?.split(',') });
      const spread = byLists('shares', 'readers', 'fetches');
      return inPages(pageWishOf(parameters), { spread, ask: (run) => showAccess(run, share, question) });
    },
  },
  diff: {
    parameters: ['from', 'to', ...PAGING],
    prepare: (parameters) => {
      const from = momentOf('--from', needed(parameters, 'from', A_MOMENT));
      const to = momentOf('--to', needed(parameters, 'to', A_MOMENT));
      const spread = byLists('changes');
      return inPages(pageWishOf(parameters), { spread, ask: (run) => showDifference(run, from, to) });
    },
  },
  why: {
    parameters: ['kind', 'name', ...PAGING],
    prepare: (parameters) => {
      const kind = needed(parameters, 'kind', 'user, group, member or file');
      const entity = entityOf(kind, needed(parameters, 'name', 'a name of that kind'));
      return inPages(pageWishOf(parameters), { spread: byLists('history'), ask: (run) => showHistory(run, entity) });
    },
  },
  verify: {
    parameters: [],
    prepare: () => inPages(WHOLE, { spread: byLists(), ask: (run) => showVerification(run, {}) }),
  },
  prove: {
    parameters: ['offset'],
    prepare: (parameters) => {
      const moment = momentOf('--offset', needed(parameters, 'offset', 'that of a record'));
      if (moment.kind !== 'offset') throw new BadInput('--offset: a proof is about one record; write its offset');
      return inPages(WHOLE, { spread: byLists(), ask: (run) => showProving(run, moment.offset, null) });
    },
  },
  report: {
    parameters: ['from', 'to'],
    prepare: (parameters) => {
      const from = momentIn(parameters, 'from', { kind: 'offset', offset: 0 });
      const to = momentIn(parameters, 'to', END);
      return asBytes('text/html; charset=utf-8', (run) => writeReport(run, { from, to, out: undefined }));
    },
  },
  export: {
    parameters: ['tail'],
    prepare: ({ tail = 'false' }) => {
      if (tail !== 'true' && tail !== 'false') throw new BadInput(`--tail: "${tail}" is neither true nor false`);
      return asBytes('application/x-ndjson', async ({ source, out }) => {
        const write: WriteBytes = (bytes) => out.bytes(bytes);
        const { dispute } = await writeExport(source, { write, tail: tail === 'true', key: null });
        // What was sent is cut off: nobody takes it for an export.
        if (dispute !== null) throw new Error(`the log is not sound: ${dispute}`);
      });
    },
  },
} satisfies Record<string, ViewRule>;

/** What can be asked for. */
export type AuditView = keyof typeof VIEWS;

/** All views by name. */
export const AUDIT_VIEWS = Object.keys(VIEWS);

/** Whether there is a view of that name. */
export function isAuditView(name: string): name is AuditView {
  return Object.hasOwn(VIEWS, name);
}

/** Reads a question. Throws BadInput that names the parameter. */
export function prepared({ view, parameters }: AuditQuestion): PreparedQuestion {
  const rule: ViewRule = VIEWS[view];
  for (const name of Object.keys(parameters)) {
    if (rule.parameters.includes(name)) continue;
    const known = rule.parameters.length === 0 ? 'takes none' : `takes ${rule.parameters.join(', ')}`;
    throw new BadInput(`--${name}: is no parameter of it; ${view} ${known}`);
  }
  return rule.prepare(parameters);
}

/** What a question is about, whichever page of the answer it asks for. */
export function subjectOf({ view, parameters }: AuditQuestion): string {
  const { after: _after, limit: _limit, ...about } = parameters;
  const names = Object.keys(about).sort();
  return JSON.stringify([view, ...names.map((name) => [name, about[name]])]);
}

const A_MOMENT = 'an offset or a time';
const WHOLE: PageWish = { size: null, skipped: 0, limit: 1 };

function needed(parameters: AuditParameters, name: string, what: string): string {
  const given = parameters[name];
  if (given === undefined) throw new BadInput(`--${name}: is missing; write ${what}`);
  return given;
}

function momentIn(parameters: AuditParameters, name: string, otherwise: Moment): Moment {
  const given = parameters[name];
  return given === undefined ? otherwise : momentOf(`--${name}`, given);
}

type Ask = (run: AuditRun) => Promise<unknown>;

function inPages(wish: PageWish, { spread, ask }: { spread: Spread; ask: Ask }): PreparedQuestion {
  return {
    wish,
    contentType: JSON_TYPE,
    answer: async (source, size, { write, pause }) => {
      const take = async (page: object, next: string | null): Promise<number> => {
        await write(Buffer.from(`${JSON.stringify(page)}\n`));
        return next === null ? 0 : pause(next);
      };
      const out = new PagedOutput(wish, { spread, size, take });
      await ask({ source, out, json: true, onProgress: undefined });
      await out.finish();
    },
  };
}

function asBytes(contentType: string, ask: Ask): PreparedQuestion {
  return {
    wish: WHOLE,
    contentType,
    answer: async (source, _size, { write }) => {
      const nothing = (): void => {
        throw new Error('a verb that answers with bytes says nothing else');
      };
      const out: VerbOutput = { json: nothing, line: nothing, flush: () => Promise.resolve(), bytes: write };
      await ask({ source, out, json: false, onProgress: undefined });
    },
  };
}
