// Owns the table of who may import whom, as rules of dependency-cruiser. Two passes: over every import as it is written,
// types included, and over what is left of them at run time, where reaching something matters.
import { join } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType, type IViolation } from 'dependency-cruiser';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

/** Files of a feature folder that other features may import. */
const PORT_FILES = [
  'apps/tracker/src/audit/(audit-output|export-format|export-source|export-writing|last-checkpoint|log-source|replay|verification)',
  'apps/peer/src/dropping/dropped-files',
  'apps/peer/src/swarm/(transfer-engine|download-view)',
  'apps/peer/src/tracker-link/(tracker-link|tracker-probe)',
  'apps/peer/src/transfers/transfers',
  'apps/tracker/src/command-log/(command-log|open-command-log|last-log|record-feed)',
  'apps/tracker/src/credentials/(credentials|password-hasher)',
  'apps/tracker/src/grants/grants',
  'apps/tracker/src/operator/tracker-greeting',
  'apps/tracker/src/presence/(presence|reachability)',
  'apps/tracker/src/replica/(replica|tracker-registration|derived-state|derived-codec|effect-digest|checkpoint-signature|sha256|merkle-frontier)',
  // The data plane is the workers' code, storage is their files: one side of one wall.
  'apps/peer/src/(data-plane|storage)/[^/]+',
].map((path) => `^${path}[.]ts$`);

const SOURCES = '^(apps|libs)/';
// What both sides of the wall use (the pool, the messages through it, layouts, globs) stands beside the workers' code, and counts
// as the main thread's: it may not do what only workers do.
const BOTH_SIDES = 'worker-pool|lane-messages|lane-counters|shared-memory|content-layout|path-(glob|pattern|wildcards)';
const WORKER_SIDE = `^apps/peer/src/(data-plane|storage)/(?!(${BOTH_SIDES})[.]ts)`;
const WORKER_FILES = `${WORKER_SIDE}|-worker[.]ts$`;

function npm(...names: string[]): string {
  return `node_modules/(${names.join('|')})/`;
}

/** Rules over every import, types included. */
const WRITTEN_RULES: IForbiddenRuleType[] = [
  {
    name: 'domain-is-pure',
    from: { path: '^libs/domain/' },
    to: { pathNot: '^libs/domain/' },
  },
  {
    name: 'wire-knows-the-domain-and-validation',
    from: { path: '^libs/wire/' },
    to: { pathNot: ['^libs/(wire|domain)/', npm('class-validator', 'class-transformer')] },
  },
  {
    name: 'identity-knows-keys-and-certificates',
    from: { path: '^libs/identity/' },
    to: {
      pathNot: ['^libs/(identity|wire|domain)/', npm('@peculiar/x509', 'reflect-metadata')],
      dependencyTypesNot: ['core'],
    },
  },
  {
    name: 'program-knows-logs-and-flags',
    from: { path: '^libs/program/' },
    to: {
      pathNot: ['^libs/(program|identity|wire|domain)/', npm('pino', 'commander', '@opentelemetry/[^/]+')],
      dependencyTypesNot: ['core'],
    },
  },
  {
    name: 'metrics-know-prometheus',
    from: { path: '^libs/metrics/' },
    to: { pathNot: ['^libs/metrics/', npm('@prometheus-io/client')] },
  },
  {
    name: 'prometheus-has-one-adapter',
    from: { path: SOURCES, pathNot: '^libs/metrics/' },
    to: { path: npm('@prometheus-io/client') },
  },
  {
    name: 'libraries-know-no-app',
    from: { path: '^libs/' },
    to: { path: '^apps/' },
  },
  {
    name: 'apps-never-meet',
    from: { path: '^apps/([^/]+)/' },
    to: { path: '^apps/', pathNot: '^apps/$1/' },
  },
  {
    name: 'product-never-needs-tests-or-infrastructure',
    from: { path: SOURCES },
    to: { path: '^(test|infra)/' },
  },
  {
    name: 'features-meet-at-ports',
    from: { path: '^apps/([^/]+)/src/([^/]+)/', pathNot: '[.]module[.]ts$' },
    to: { path: '^apps/$1/src/[^/]+/', pathNot: ['^apps/$1/src/$2/', ...PORT_FILES] },
  },
  {
    name: 'features-know-no-wiring',
    from: { path: '^apps/([^/]+)/src/([^/]+)/', pathNot: '[.]module[.]ts$' },
    to: { path: '[.]module[.]ts$|/main[.]ts$', pathNot: '^apps/$1/src/$2/' },
  },
  {
    name: 'workers-know-no-framework',
    from: { path: WORKER_FILES },
    to: { path: 'node_modules/' },
  },
  {
    name: 'main-thread-never-touches-content',
    from: { path: '^apps/peer/', pathNot: WORKER_SIDE },
    to: { path: WORKER_SIDE, dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'sockets-are-the-workers-and-the-tracker-links',
    from: { path: '^apps/peer/', pathNot: [WORKER_SIDE, '^apps/peer/src/tracker-link/'] },
    to: { path: '^(node:)?(net|tls)$', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'kafkajs-has-one-adapter',
    from: { path: SOURCES, pathNot: '^apps/tracker/src/command-log/kafka-command-log[.]ts$' },
    to: { path: npm('kafkajs') },
  },
  {
    name: 'piscina-has-one-adapter',
    from: { path: SOURCES, pathNot: '^apps/peer/src/data-plane/worker-pool[.]ts$' },
    to: { path: npm('piscina') },
  },
  {
    name: 'traces-have-one-adapter',
    from: { path: SOURCES, pathNot: '^libs/program/src/open-telemetry[.]ts$' },
    to: { path: npm('@opentelemetry/[^/]+') },
  },
  {
    name: 'pino-has-one-adapter',
    from: { path: SOURCES, pathNot: '^libs/program/src/open-process-log[.]ts$' },
    to: { path: npm('pino') },
  },
  {
    name: 'sqlite-has-one-adapter-and-the-lock',
    from: {
      path: SOURCES,
      pathNot: ['^apps/tracker/src/command-log/sqlite-log-worker[.]ts$', '^libs/identity/src/data-dir-lock[.]ts$'],
    },
    to: { path: '^(node:)?sqlite$' },
  },
  {
    name: 'product-needs-declared-packages',
    // The page is built before it runs: what it is made with is taken along.
    from: { path: SOURCES, pathNot: '^apps/peer/web/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'page-is-made-of-little',
    from: { path: '^apps/peer/web/src/' },
    to: { pathNot: ['^apps/peer/web/', '^libs/(domain|wire)/', npm('preact', '@preact/signals')] },
  },
  {
    name: 'page-takes-only-types-from-the-wire',
    from: { path: '^apps/peer/web/' },
    to: { path: '^libs/wire/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'nobody-needs-the-page',
    from: { path: SOURCES, pathNot: '^apps/peer/web/' },
    to: { path: '^apps/peer/web/' },
  },
  {
    name: 'imports-resolve',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'libraries-are-imported-by-name',
    from: { path: '^(?:apps|libs)/([^/]+)/' },
    to: { path: '^libs/', pathNot: '^libs/$1/', dependencyTypesNot: ['aliased'] },
  },
];

/** Rules over what is left at run time. */
const RUNTIME_RULES: IForbiddenRuleType[] = [
  { name: 'no-circles', from: {}, to: { circular: true } },
  {
    name: 'workers-reach-no-framework',
    from: { path: WORKER_FILES },
    to: { path: npm('@nestjs/[^/]+', 'class-validator', 'class-transformer', 'rxjs', 'kafkajs'), reachable: true },
  },
];

/** What one cruise over a tree found; module paths are relative to the tree's root. */
export interface ImportReport {
  /** Source files that were looked at. */
  readonly modules: readonly string[];
  readonly violations: readonly { readonly rule: string; readonly from: string; readonly to: string }[];
  /** Imports by each module as they are written. */
  readonly importsOf: ReadonlyMap<string, readonly string[]>;
  /** Files that the workers load at run time, from their own files on. */
  readonly workerModules: readonly string[];
}

/** Names of all rules. */
export const RULE_NAMES = [...WRITTEN_RULES, ...RUNTIME_RULES].map((rule) => rule.name ?? '');

/** Looks at `apps` and `libs` below a root. */
export async function cruiseImports(root: string): Promise<ImportReport> {
  const written = await cruiseOnce(root, { rules: WRITTEN_RULES, withTypes: true });
  const runtime = await cruiseOnce(root, { rules: RUNTIME_RULES, withTypes: false });
  const modules = written.modules.filter(({ source }) => /^(apps|libs)\/.*[.]tsx?$/.test(source));
  return {
    modules: modules.map(({ source }) => source).toSorted(),
    violations: [...written.summary.violations, ...runtime.summary.violations].map(asViolation),
    importsOf: importsOf(modules),
    workerModules: workerModules(importsOf(runtime.modules)),
  };
}

function importsOf(modules: ICruiseResult['modules']): Map<string, readonly string[]> {
  return new Map(modules.map(({ source, dependencies }) => [source, dependencies.map(({ resolved }) => resolved)]));
}

function workerModules(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const waiting = [...imports.keys()].filter((source) => new RegExp(WORKER_FILES).test(source));
  for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
    if (found.has(source) || !new RegExp(SOURCES).test(source)) continue;
    found.add(source);
    waiting.push(...(imports.get(source) ?? []));
  }
  return [...found].toSorted();
}

async function cruiseOnce(
  root: string,
  { rules, withTypes }: { rules: IForbiddenRuleType[]; withTypes: boolean },
): Promise<ICruiseResult> {
  const { output } = await cruise(
    ['apps', 'libs'],
    {
      baseDir: root,
      ruleSet: { forbidden: rules },
      validate: true,
      tsPreCompilationDeps: withTypes,
      doNotFollow: { path: 'node_modules' },
      enhancedResolveOptions: { conditionNames: ['source', 'import', 'node', 'default'], exportsFields: ['exports'] },
    },
    {},
    { tsConfig: extractTsConfig(join(root, 'tsconfig.json')) },
  );
  return output as ICruiseResult;
}

function asViolation({ rule, from, to }: IViolation): ImportReport['violations'][number] {
  return { rule: rule.name, from, to };
}
