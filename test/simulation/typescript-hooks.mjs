// Owns that TypeScript with decorators runs from source outside of the test runner: Node erases types and nothing more, so the
// files that use decorators go through the compiler. To be given to Node with --import.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { compilerOptions as usual } from '../compiler-options.mjs';

const compilerOptions = { ...usual, inlineSourceMap: true };

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
    const fileName = fileURLToPath(url);
    const text = readFileSync(fileName, 'utf8');
    if (!/^\s*@[A-Z]/m.test(text)) return nextLoad(url, context);
    const { outputText } = ts.transpileModule(text, { compilerOptions, fileName });
    return { format: 'module', source: outputText, shortCircuit: true };
  },
});
