// Owns how TypeScript with decorators is compiled as it is loaded, outside of the test runner.
import ts from 'typescript';

/** For `ts.transpileModule`. */
export const compilerOptions = {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.ESNext,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  verbatimModuleSyntax: true,
};
