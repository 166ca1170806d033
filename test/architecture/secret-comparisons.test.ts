// Facts about how secrets are compared: a comparison that ends at the first difference tells by its time how much was right, so
// tokens, passwords and their hashes are compared by `timingSafeEqual` alone.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const SECRET = /(?:token|secret|password|passphrase|apikey|keyhash|tokenhash|phc)$/i;
const COMPARING = new Set(['equals', 'compare', 'localeCompare', 'startsWith', 'includes', 'indexOf']);
const EQUALITIES = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** Files that compare secrets, and what is compared there. */
const COMPARERS: Readonly<Record<string, string>> = {
  'apps/peer/src/control/api-keys.ts': 'timingSafeEqual(hash, this.#controlTokenHash)',
  'apps/peer/src/control/content-links.ts': 'timingSafeEqual(given, expected)',
  'apps/peer/src/control/page-sessions.ts': 'timingSafeEqual(given, expected)',
  'apps/tracker/src/audit/audit-keys.ts': "timingSafeEqual(hashOf(token), Buffer.from(stored.keyHash, 'hex'))",
  'apps/tracker/src/credentials/password-hasher.ts': 'timingSafeEqual(actual, expected)',
};

/** Comparisons of secrets that end at the first difference. */
function leaks(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (comparesSecret(node)) found.push(`${file}: ${node.getText()}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function comparesSecret(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node) && EQUALITIES.has(node.operatorToken.kind)) {
    const sides = [node.left, node.right];
    return sides.some(isSecret) && !sides.some(isKnownToAll);
  }
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { expression: owner, name } = node.expression;
  const sides = [owner, ...node.arguments];
  return COMPARING.has(name.text) && sides.some(isSecret) && !sides.some(isKnownToAll);
}

/** Whether a value is a secret, or made of one, by its name. */
function isSecret(node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return SECRET.test(node.text);
  if (ts.isPropertyAccessExpression(node)) return SECRET.test(node.name.text);
  return ts.isCallExpression(node) && node.arguments.some(isSecret);
}

/** What stands in the source is no secret: it is only asked whether there is one, or of which kind. Commitments stand in the log. */
function isKnownToAll(node: ts.Expression): boolean {
  if (ts.isIdentifier(node) && node.text === 'commitment') return true;
  return ts.isLiteralExpression(node) || node.kind === ts.SyntaxKind.NullKeyword || node.getText() === 'undefined';
}

it('secrets are compared in constant time', () => {
  const files = globSync('{apps,libs,infra}/**/*.{ts,tsx,mts,mjs}', { cwd: root, exclude: ['**/node_modules/**'] });
  expect(files.flatMap((file) => leaks(file, read(file)))).toEqual([]);
  expect(files.filter((file) => read(file).includes('timingSafeEqual(')).toSorted()).toEqual(Object.keys(COMPARERS));
  for (const [file, comparison] of Object.entries(COMPARERS)) expect(read(file)).toContain(comparison);
});

it.each([
  'if (token === this.#controlToken) return;',
  'const isRight = this.#controlToken != given;',
  'return hash.equals(this.#controlTokenHash);',
  'return hashOf(token) === hash;',
  'return Buffer.compare(given, secret) === 0;',
  'return tokens.includes(token);',
  'return stored.password !== body.password;',
])('%s is found', (text) => {
  expect(leaks('apps/peer/src/a.ts', text)).toHaveLength(1);
});

it.each(['if (token === undefined) return;', "if (name === 'password') return;", 'return password.length > 8;'])(
  '%s is no comparison of secrets',
  (text) => expect(leaks('apps/peer/src/a.ts', text)).toEqual([]),
);
