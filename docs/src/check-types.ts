// Type-checks code that is not in files: one program for all of it, against the sources of the packages.

import { join } from 'node:path';
import ts from 'typescript';
import { root } from './pages.ts';

/** `name` is a file name; the code is checked as if it were in docs/. */
export interface Code {
  readonly name: string;
  readonly text: string;
}

/** The options of the packages, without declarations and without the check for unused names. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
  const off = { declaration: false, isolatedDeclarations: false, noUnusedLocals: false, noUnusedParameters: false };
  return { ...options, ...off };
}

/** The errors by name: `3: Cannot find name 'x'.` */
export function checkTypes(codes: readonly Code[]): ReadonlyMap<string, readonly string[]> {
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const texts = new Map(codes.map(({ name, text }) => [join(root, 'docs', name), text]));
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = texts.get(path);
    return text === undefined ? getSourceFile(path, target, ...rest) : ts.createSourceFile(path, text, target, true);
  };
  host.getCurrentDirectory = () => join(root, 'docs');
  const program = ts.createProgram([...texts.keys()], options, host);
  return new Map(
    codes.map(({ name }) => {
      const file = program.getSourceFile(join(root, 'docs', name));
      return [name, ts.getPreEmitDiagnostics(program, file).map(textOf)];
    }),
  );
}

function textOf({ file, start = 0, messageText }: ts.Diagnostic): string {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
  return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}
