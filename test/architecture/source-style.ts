// Owns the style that can be counted or named: lengths, names, header comments, and what the pure domain may not mention.
// Import rules cannot see globals, so purity beyond imports is checked here, on the syntax tree.
import ts from 'typescript';

/** Where a file breaks the style. */
export interface StyleProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 50;
const PARAMETERS_MAX = 3;
const HEADER = /^(?:#![^\n]*\n)?\/\/ \S/;
const EMPTY_PATH = /(?:^|[-_./])(?:utils?|helpers?|common|managers?)(?:$|[-_./])/;
const EMPTY_NAME = /(?:^|[a-z])(?:Utils?|Helpers?|Common|Managers?)(?=$|[A-Z])/;
const KEBAB_CASE = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)*(?:d\.)?(?:ts|tsx|mts|mjs)$/;

/** Globals that the domain may not touch: clocks, randomness, promises, timers, output, and tables that change with Node. */
const IMPURE = new Set([
  'Date',
  'Intl',
  'Promise',
  'console',
  'crypto',
  'fetch',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
]);
const IMPURE_MEMBERS = new Set(['Math.random', 'Atomics.wait']);
const LOCALE_METHODS = /^(?:toLocale\w*|localeCompare|normalize|toLowerCase|toUpperCase|isWellFormed|toWellFormed)$/;
/** What only Node has: bytes to and from the domain have to work wherever the domain does. */
const NODE_GLOBALS = new Set(['Buffer', 'process', 'require', 'setImmediate', '__dirname', '__filename']);

/** Everything that breaks the style in one source file; `file` is its path from the root. */
export function styleProblems(file: string, text: string): StyleProblem[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const problems: StyleProblem[] = [...fileProblems(file, text)];
  const report = (node: ts.Node, message: string): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    problems.push({ file, line: line + 1, message });
  };
  const checks = checksFor(file);
  const visit = (node: ts.Node): void => {
    for (const check of checks) {
      const message = check(node, source);
      if (message !== null) report(node, message);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return problems;
}

/** What is wrong with a node, or null. */
type Check = (node: ts.Node, source: ts.SourceFile) => string | null;

function checksFor(file: string): Check[] {
  const checks: Check[] = [emptyDeclaredName];
  if (!file.startsWith('test/')) checks.push(longFunction, manyParameters);
  if (file.startsWith('libs/domain/')) checks.push(impurity);
  if (file.startsWith('libs/wire/')) checks.push(nodeGlobal);
  if (file.startsWith('libs/')) checks.push(untoldExport);
  return checks;
}

function fileProblems(file: string, text: string): StyleProblem[] {
  const lines = text.split('\n').length - 1;
  const name = file.slice(file.lastIndexOf('/') + 1);
  const messages = [
    lines > FILE_LINES_MAX ? `has ${lines} lines, more than ${FILE_LINES_MAX}` : null,
    // A test's titles say what it is about.
    HEADER.test(text) || file.endsWith('.test.ts') ? null : 'does not open with a comment that says what it owns',
    KEBAB_CASE.test(name) ? null : 'is not named in kebab-case',
    EMPTY_PATH.test(file) ? 'has a name that says nothing' : null,
  ];
  return messages.filter((message) => message !== null).map((message) => ({ file, line: 1, message }));
}

/** A function that tells cases apart is a table: what its switch holds counts case by case, not as one length. */
function longFunction(node: ts.Node, source: ts.SourceFile): string | null {
  const isBody = ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
  if (!isBody && !ts.isCaseClause(node)) return null;
  const body = isBody && ts.isBlock(node.body as ts.Node) ? (node.body as ts.Block).statements : [];
  const tables = body.filter((statement) => ts.isSwitchStatement(statement));
  const lines = lineCount(node, source) - tables.reduce((sum, table) => sum + lineCount(table, source), 0);
  return lines > FUNCTION_LINES_MAX ? `is a function of ${lines} lines, more than ${FUNCTION_LINES_MAX}` : null;
}

/** Four things in a row are mixed up: beyond three they want names. */
function manyParameters(node: ts.Node): string | null {
  if (!ts.isFunctionLike(node) || node.parameters.length <= PARAMETERS_MAX) return null;
  return `has ${node.parameters.length} parameters, more than ${PARAMETERS_MAX}`;
}

function lineCount(node: ts.Node, source: ts.SourceFile): number {
  const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
  return source.getLineAndCharacterOfPosition(node.getEnd()).line - first + 1;
}

function emptyDeclaredName(node: ts.Node): string | null {
  const isNamed = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
  const name = isNamed ? (node.name?.text ?? '') : '';
  if (EMPTY_NAME.test(name)) return `${name} says nothing`;
  return ts.isInterfaceDeclaration(node) && /^I[A-Z][a-z]/.test(name) ? `${name} begins with I` : null;
}

/** What both programs build on says what it is; the second and third of a pair are told of with the first. */
function untoldExport(node: ts.Node, source: ts.SourceFile): string | null {
  const isDeclaration =
    ts.isVariableStatement(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node);
  if (!isDeclaration || !node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return null;
  const [before] = node.getFullText().split(node.getText(source), 1);
  const isTold = before!.includes('/**');
  const isOfPair = ts.isVariableStatement(node) && !/\n\s*\n/.test(before!) && !isFirst(node, source);
  return isTold || isOfPair ? null : 'is exported, and no comment (/** */) says what it is';
}

function isFirst(node: ts.Statement, source: ts.SourceFile): boolean {
  return source.statements[0] === node;
}

function impurity(node: ts.Node): string | null {
  if (ts.isAwaitExpression(node)) return 'awaits';
  if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword)) {
    return 'is async';
  }
  if (ts.isRegularExpressionLiteral(node) && /\\[pP]\{/.test(node.text)) return 'asks a Unicode table';
  if (ts.isPropertyAccessExpression(node)) {
    const { name } = node;
    if (IMPURE_MEMBERS.has(`${node.expression.getText()}.${name.text}`)) return `uses ${node.getText()}`;
    if (LOCALE_METHODS.test(name.text)) return `asks a Unicode table with ${name.text}`;
  }
  return isGlobal(node, IMPURE) ? `uses ${node.getText()}` : null;
}

function nodeGlobal(node: ts.Node): string | null {
  return isGlobal(node, NODE_GLOBALS) ? `uses ${node.getText()}` : null;
}

/** Whether a node is a use of one of these names as a value or a type, not a property or a field of that name. */
function isGlobal(node: ts.Node, names: ReadonlySet<string>): boolean {
  if (!ts.isIdentifier(node) || !names.has(node.text)) return false;
  const { parent } = node;
  const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
  const isField = (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
  return !isMember && !isField;
}
