// Facts about the imports of the product, and about the rules themselves: that they look at every file, and that each bites.
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cruiseImports, type ImportReport, RULE_NAMES } from './import-rules.ts';
import { HEALTHY_FILES, VIOLATIONS } from './planted-violations.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const planted = mkdtempSync(join(tmpdir(), 'cohort-imports-'));
afterAll(() => rmSync(planted, { recursive: true }));

describe('the product', () => {
  let report: ImportReport;
  beforeAll(async () => {
    report = await cruiseImports(root);
  }, 300_000);

  it('breaks no rule', () => {
    expect(report.violations).toEqual([]);
  });

  it('was looked at file by file, through its aliases', () => {
    expect(report.modules).toEqual(globSync('{apps,libs}/**/*.{ts,tsx}', { cwd: root }).toSorted());
    const aliased = [...report.importsOf].filter(
      ([module, imports]) => module.startsWith('apps/') && imports.some((path) => path.startsWith('libs/')),
    );
    expect(aliased.length).toBeGreaterThan(report.modules.length / 4);
  });

  it.each(['kafkajs', 'piscina'])('imports %s in exactly one file', (name) => {
    const importers = [...report.importsOf].filter(([, imports]) =>
      imports.some((path) => path.includes(`node_modules/${name}/`)),
    );
    expect(importers.map(([module]) => module)).toHaveLength(1);
  });

  it('runs its workers from TypeScript whose types can be erased', () => {
    const modules = report.workerModules;
    expect(modules).toEqual(expect.arrayContaining(globSync('apps/peer/src/storage/*.ts', { cwd: root })));
    for (const module of modules) {
      expect(() => stripTypeScriptTypes(readFileSync(join(root, module), 'utf8')), module).not.toThrow();
    }
  });
});

describe('the rules', () => {
  let report: ImportReport;
  beforeAll(async () => {
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(planted, file));
    symlinkSync(join(root, 'node_modules'), join(planted, 'node_modules'));
    const fixture = { 'test/fixture.ts': 'export const fixture = 1;' };
    const violating = Object.fromEntries(VIOLATIONS.map(([, file, text]) => [file, text]));
    for (const [file, text] of Object.entries({ ...HEALTHY_FILES, ...fixture, ...violating })) {
      mkdirSync(dirname(join(planted, file)), { recursive: true });
      writeFileSync(join(planted, file), `${text}\n`);
    }
    report = await cruiseImports(planted);
  });

  it('have a planted violation each', () => {
    expect(RULE_NAMES.filter((name) => !VIOLATIONS.some(([rule]) => rule === name))).toEqual([]);
  });

  it.each(VIOLATIONS)('%s bites in %s', (rule, file) => {
    expect(report.violations).toContainEqual(expect.objectContaining({ rule, from: file }));
  });

  it('leave healthy files alone', () => {
    const wronged = report.violations.filter(({ from }) => Object.hasOwn(HEALTHY_FILES, from));
    expect(wronged).toEqual([]);
  });
});
