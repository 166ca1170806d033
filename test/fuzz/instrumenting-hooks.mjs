// Owns what the fuzzing loop sees of the product: every branch of apps and libs counts how often it is taken, and the names and
// literals beside the branches become words to try. Files go through the compiler as they are loaded, so nothing on disk
// changes; a planted bug is put into its file on the way. To be given to Node with --import.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { compilerOptions } from '../compiler-options.mjs';
import { withPlantedBug } from './planted-bugs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BRANCHES_MAX = 1 << 17;
const NAME = '$branches';

/** What is set aside at once is not more than this, whoever asks: it is a finding long before, and would only take time. */
const BYTES_AT_ONCE_MAX = 2 ** 28;

/** As test/fuzz/branch-coverage.ts and execution.ts take it. */
const branches = {
  counters: new Uint8Array(BRANCHES_MAX),
  files: [],
  askedBytes: 0,
  asked(length) {
    if (typeof length !== 'number') return length;
    branches.askedBytes += length;
    if (length > BYTES_AT_ONCE_MAX) throw new RangeError(`${length} bytes are to be set aside at once`);
    return length;
  },
};
globalThis.cohortBranches = branches;

registerHooks({
  load(url, context, nextLoad) {
    const file = url.startsWith('file:') ? relative(ROOT, fileURLToPath(url)) : '';
    if (!/^(?:apps|libs)\/.*\.ts$/.test(file)) return nextLoad(url, context);
    const text = withPlantedBug(file, readFileSync(fileURLToPath(url), 'utf8'));
    const { outputText } = ts.transpileModule(text, {
      compilerOptions,
      fileName: file,
      transformers: { before: [(transformation) => (source) => counting(source, transformation)] },
    });
    return { format: 'module', source: outputText, shortCircuit: true };
  },
});

/** The next free number of a branch. */
let free = 0;

function counting(source, transformation) {
  const { factory } = transformation;
  const file = { path: source.fileName, begin: free, end: free, words: new Set() };
  const counter = new Counter(factory);
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node;
    gather(node, file.words);
    return counter.counted(ts.visitEachChild(node, visit, transformation));
  };
  const counted = ts.visitNode(source, visit);
  file.end = free;
  if (free > BRANCHES_MAX) throw new Error(`the product has more than ${BRANCHES_MAX} branches`);
  branches.files.push(file);
  return factory.updateSourceFile(counted, [countersOf(factory), ...counted.statements]);
}

/** `const $branches = globalThis.cohortBranches.counters;` */
function countersOf(factory) {
  const held = factory.createPropertyAccessExpression(factory.createIdentifier('globalThis'), 'cohortBranches');
  const value = factory.createPropertyAccessExpression(held, 'counters');
  const declaration = factory.createVariableDeclaration(NAME, undefined, undefined, value);
  return factory.createVariableStatement(
    undefined,
    factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const),
  );
}

/** Words that a decoder compares with: texts, numbers, names of fields. */
function gather(node, words) {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isNumericLiteral(node)) {
    words.add(node.text);
  } else if ((ts.isPropertyAssignment(node) || ts.isPropertyDeclaration(node)) && ts.isIdentifier(node.name)) {
    words.add(node.name.text);
  }
}

/** Puts a counter at the beginning of each way that a statement or an expression can take. */
class Counter {
  #factory;

  constructor(factory) {
    this.#factory = factory;
  }

  counted(node) {
    const factory = this.#factory;
    if (ts.isBlock(node)) return factory.updateBlock(node, [this.#statement(), ...node.statements]);
    if (ts.isIfStatement(node)) {
      const otherwise =
        node.elseStatement === undefined ? factory.createBlock([this.#statement()]) : node.elseStatement;
      return factory.updateIfStatement(node, node.expression, this.#way(node.thenStatement), this.#way(otherwise));
    }
    if (ts.isCaseClause(node)) {
      return factory.updateCaseClause(node, node.expression, [this.#statement(), ...node.statements]);
    }
    if (ts.isDefaultClause(node)) return factory.updateDefaultClause(node, [this.#statement(), ...node.statements]);
    return this.#countedExpression(node);
  }

  #countedExpression(node) {
    const factory = this.#factory;
    if (ts.isConditionalExpression(node)) {
      const [whenTrue, whenFalse] = [this.#expression(node.whenTrue), this.#expression(node.whenFalse)];
      const { condition, questionToken, colonToken } = node;
      return factory.updateConditionalExpression(node, condition, questionToken, whenTrue, colonToken, whenFalse);
    }
    if (ts.isBinaryExpression(node) && isChoice(node.operatorToken.kind)) {
      return factory.updateBinaryExpression(node, node.left, node.operatorToken, this.#expression(node.right));
    }
    if (ts.isNewExpression(node) && isBuffer(node.expression) && node.arguments?.length === 1) {
      return factory.updateNewExpression(node, node.expression, undefined, [this.#asked(node.arguments[0])]);
    }
    if (ts.isCallExpression(node) && /^Buffer\.alloc(?:Unsafe)?$/.test(dotted(node.expression))) {
      const [length, ...others] = node.arguments;
      return factory.updateCallExpression(node, node.expression, undefined, [this.#asked(length), ...others]);
    }
    if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = node;
      const body = this.#expression(node.body);
      return factory.updateArrowFunction(
        ...[node, modifiers, typeParameters, parameters, type, equalsGreaterThanToken, body],
      );
    }
    return node;
  }

  /** A block counts itself. */
  #way(statement) {
    return ts.isBlock(statement) ? statement : this.#factory.createBlock([this.#statement(), statement]);
  }

  #statement() {
    return this.#factory.createExpressionStatement(this.#count());
  }

  #expression(expression) {
    const factory = this.#factory;
    return factory.createParenthesizedExpression(factory.createComma(this.#count(), expression));
  }

  #asked(length) {
    const held = this.#factory.createPropertyAccessExpression(
      this.#factory.createIdentifier('globalThis'),
      'cohortBranches',
    );
    const asked = this.#factory.createPropertyAccessExpression(held, 'asked');
    return this.#factory.createCallExpression(asked, undefined, [length]);
  }

  #count() {
    const place = this.#factory.createElementAccessExpression(this.#factory.createIdentifier(NAME), free++);
    return this.#factory.createPostfixIncrement(place);
  }
}

function isBuffer(expression) {
  return ['Uint8Array', 'BigInt64Array', 'ArrayBuffer', 'SharedArrayBuffer', 'Array'].includes(dotted(expression));
}

/** `a.b` of an expression that is so, otherwise empty. */
function dotted(expression) {
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? `${dotted(expression.expression)}.${expression.name.text}` : '';
}

function isChoice(operator) {
  return [
    ts.SyntaxKind.AmpersandAmpersandToken,
    ts.SyntaxKind.BarBarToken,
    ts.SyntaxKind.QuestionQuestionToken,
  ].includes(operator);
}
