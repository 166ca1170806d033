// Facts about the style of the sources, with one sample for each way to break it.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { styleProblems } from './source-style.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function messages(file: string, text: string): string[] {
  return styleProblems(file, text).map(({ message }) => message);
}

it('every source file keeps to it', () => {
  const files = globSync('{apps,libs,infra,test}/**/*.{ts,tsx,mts,mjs}', {
    cwd: root,
    exclude: ['**/node_modules/**', 'infra/kafka/target/**'],
  });
  expect(files).toContain('test/architecture/source-style.test.ts');
  expect(files.flatMap((file) => styleProblems(file, readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

const lines = (count: number): string => 'a;\n'.repeat(count);
const domain = 'libs/domain/src/a.ts';

it.each<[string, string, string, RegExp]>([
  ['a long file', 'apps/a.ts', `// Owns.\n${lines(500)}`, /501 lines/],
  ['a long component', 'apps/peer/web/src/a.tsx', `// Owns.\nfunction A() {\n${lines(49)}}\n`, /function of 51 lines/],
  ['a file without a header', 'apps/a.ts', `import 'a';\n`, /what it owns/],
  ['a script without a header', 'infra/a.mjs', `#!/usr/bin/env node\nimport 'a';\n`, /what it owns/],
  ['a file in camel case', 'apps/aB.ts', `// Owns.\n`, /kebab-case/],
  ['a file for this and that', 'apps/peer/src/path-utils.ts', `// Owns.\n`, /says nothing/],
  ['a folder for this and that', 'apps/peer/src/helpers/a.ts', `// Owns.\n`, /says nothing/],
  ['a manager', 'apps/a.ts', `// Owns.\nclass TransferManager {}\n`, /TransferManager says nothing/],
  ['an interface with I', 'apps/a.ts', `// Owns.\ninterface ILog {}\n`, /ILog begins with I/],
  ['a long function', 'apps/a.ts', `// Owns.\nfunction f() {\n${lines(49)}}\n`, /function of 51 lines/],
  ['a long method', 'apps/a.ts', `// Owns.\nclass A { m() {\n${lines(49)}} }\n`, /function of 51 lines/],
  [
    'a long case',
    'apps/a.ts',
    `// Owns.\nfunction f() { switch (a) { case 1:\n${lines(50)}} }\n`,
    /function of 51 lines/,
  ],
  ['many parameters', 'apps/a.ts', `// Owns.\nfunction f(a, b, c, d) {}\n`, /has 4 parameters/],
  ['a constructor with many', 'apps/a.ts', `// Owns.\nclass A { constructor(a, b, c, d) {} }\n`, /has 4 parameters/],
  ['a type of function with many', 'apps/a.ts', `// Owns.\nlet f: (a, b, c, d) => void;\n`, /has 4 parameters/],
  ['a clock in the domain', domain, `// Owns.\nconst t = Date.now();\n`, /uses Date/],
  ['randomness in the domain', domain, `// Owns.\nconst r = Math.random();\n`, /uses Math.random/],
  ['a promise in the domain', domain, `// Owns.\nlet p: Promise<void>;\n`, /uses Promise/],
  ['an async function in the domain', domain, `// Owns.\nasync function f() {}\n`, /is async/],
  ['a Unicode table in the domain', domain, `// Owns.\nconst r = /\\p{L}/u;\n`, /Unicode table/],
  ['case folding in the domain', domain, `// Owns.\nconst s = 'A'.toLowerCase();\n`, /Unicode table/],
  ['output in the domain', domain, `// Owns.\nconsole.log(1);\n`, /uses console/],
  [
    'an export of a library that nothing is said of',
    'libs/wire/src/a.ts',
    `// Owns.\n\nexport class A {}\n`,
    /is exported/,
  ],
  ['a Buffer on the wire', 'libs/wire/src/a.ts', `// Owns.\nBuffer.alloc(1);\n`, /uses Buffer/],
])('%s is found', (_, file, text, message) => {
  expect(messages(file, text)).toEqual([expect.stringMatching(message)]);
});

it.each<[string, string, string]>([
  ['a function of 50 lines', 'apps/a.ts', `// Owns.\nfunction f() {\n${lines(48)}}\n`],
  ['exports of which something is said', 'libs/wire/src/a.ts', `// Owns.\n\n/** An A. */\nexport class A {}\n`],
  ['a pair of limits', 'libs/wire/src/a.ts', `// Owns.\n\n/** Both. */\nexport const A = 1;\nexport const B = 2;\n`],
  ['three parameters', 'apps/a.ts', `// Owns.\nfunction f(a, b, c) {}\n`],
  ['a table of facts', 'test/a.test.ts', `// Facts.\nit.each(rows)('a', (a, b, c, d) => {});\n`],
  ['a table of cases', 'apps/a.ts', `// Owns.\nfunction f() { switch (a) {\n${'case 1: b;\n'.repeat(90)}} }\n`],
  ['a long test', 'test/a.test.ts', `// Facts.\nit('a', () => {\n${lines(90)}});\n`],
  ['a field named after a global', domain, `// Owns.\nconst a = { process: 1 }.process;\n`],
  ['words that only contain a forbidden one', 'apps/commonplace.ts', `// Owns.\nclass Commonplace {}\n`],
  ['a script with a header', 'infra/a.mjs', `#!/usr/bin/env node\n// Owns.\nimport 'a';\n`],
])('%s is left alone', (_, file, text) => {
  expect(messages(file, text)).toEqual([]);
});
