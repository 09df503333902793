// Reads the exports of the packages from their sources: names, signatures, members and comments.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { compilerOptions } from './check-types.ts';
import { root } from './pages.ts';

/** What stands for Node in builds for browsers: no application imports it, and its names are Node's. */
const BUILDS_ONLY = './browser';

export interface Doc {
  /** Markdown, with `{@link Name}` as in the source. Empty without a comment. */
  readonly text: string;
  readonly byDefault: string | undefined;
  readonly throws: readonly string[];
  readonly params: readonly { readonly name: string; readonly text: string }[];
}

export interface Member {
  readonly name: string;
  readonly kind: 'method' | 'property' | 'constructor';
  /** The signatures of a method, one for each overload. */
  readonly signatures: readonly string[];
  readonly type: string;
  readonly isOptional: boolean;
  /** Whether it implements a method of a Node base class, as Node's documentation describes it. */
  readonly isOverride: boolean;
  readonly doc: Doc;
}

export interface Export {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'error' | 'interface' | 'type' | 'constant';
  readonly doc: Doc;
  readonly signatures: readonly string[];
  readonly members: readonly Member[];
  /** Whether a constant of the same name exists. */
  readonly base: string | undefined;
}

export interface EntryPoint {
  /** The import specifier. */
  readonly specifier: string;
  readonly exports: readonly Export[];
}

/** The name and the entry points of each package, by its folder. */
export function readPackages(folders: readonly string[]): ReadonlyMap<string, readonly EntryPoint[]> {
  const entries = new Map(folders.map((folder) => [folder, entryFiles(folder)]));
  const files = [...entries.values()].flat().map(({ file }) => file);
  const reader = new Reader(ts.createProgram(files, compilerOptions()));
  return new Map(
    Array.from(entries, ([folder, points]) => [
      folder,
      points.map(({ specifier, file }) => ({ specifier, exports: reader.exportsOf(file) })),
    ]),
  );
}

function entryFiles(folder: string): { specifier: string; file: string }[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, Record<string, unknown> | string>;
  };
  return Object.entries(manifest.exports).flatMap(([path, target]) => {
    if (path === BUILDS_ONLY) return [];
    const source = typeof target === 'string' ? undefined : target['@zishuo/source'];
    return source === undefined
      ? []
      : [{ specifier: join(manifest.name, path).replaceAll('\\', '/'), file: join(root, folder, String(source)) }];
  });
}

class Reader {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  #exported: ReadonlySet<ts.Symbol> = new Set();

  constructor(program: ts.Program) {
    this.#program = program;
    this.#checker = program.getTypeChecker();
  }

  exportsOf(file: string): Export[] {
    const source = this.#program.getSourceFile(file);
    const module = source && this.#checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`No module: ${file}`);
    const symbols = this.#checker.getExportsOfModule(module);
    this.#exported = new Set(symbols.map((symbol) => this.#target(symbol)));
    return symbols.map((symbol) => this.#export(symbol));
  }

  #target(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  #export(symbol: ts.Symbol): Export {
    const declarations = this.#target(symbol).declarations ?? [];
    const doc = docOf(declarations);
    const common = { name: symbol.name, doc, signatures: [], members: [], base: undefined };
    const value = declarations.find(ts.isVariableDeclaration);
    const alias = declarations.find(ts.isTypeAliasDeclaration);
    const shape = declarations.find(ts.isInterfaceDeclaration);
    const of = declarations.find(ts.isClassDeclaration);
    if (of !== undefined) return { ...common, ...this.#class(of) };
    if (shape !== undefined) {
      return { ...common, kind: 'interface', members: this.#members(shape), base: heritageOf(shape) };
    }
    if (value !== undefined) return { ...common, ...this.#constant(value) };
    if (alias !== undefined) return { ...common, kind: 'type', signatures: [declarationText(alias)] };
    const functions = declarations.filter(ts.isFunctionDeclaration);
    if (functions.length > 0) return { ...common, kind: 'function', signatures: this.#signatures(functions) };
    throw new Error(`An export of a kind that is not known: ${symbol.name}`);
  }

  #constant(declaration: ts.VariableDeclaration): Pick<Export, 'kind' | 'signatures' | 'members'> {
    const { initializer } = declaration;
    const literal = initializer && ts.isAsExpression(initializer) ? initializer.expression : initializer;
    if (literal === undefined || !ts.isObjectLiteralExpression(literal)) {
      const type =
        declaration.type?.getText() ?? this.#checker.typeToString(this.#checker.getTypeAtLocation(declaration));
      return { kind: 'constant', signatures: [`const ${declaration.name.getText()}: ${type}`], members: [] };
    }
    const members = literal.properties.filter(ts.isPropertyAssignment).map((property) => ({
      ...member(property.name.getText(), 'property', docOf([property])),
      type: property.initializer.getText(),
    }));
    return { kind: 'constant', signatures: [], members };
  }

  #class(declaration: ts.ClassDeclaration): Omit<Export, 'name' | 'doc'> {
    const type = this.#checker.getTypeAtLocation(declaration) as ts.InterfaceType;
    const bases = this.#checker.getBaseTypes(type);
    const isError = this.#isError(type);
    // A base class of the package that is not exported is part of the class.
    const hidden = bases
      .filter(({ symbol }) => !this.#exported.has(symbol))
      .flatMap(({ symbol }) => symbol.declarations ?? [])
      .filter(ts.isClassDeclaration)
      .filter((one) => !one.getSourceFile().isDeclarationFile);
    const members = [declaration, ...hidden].flatMap((one) => this.#members(one));
    return { kind: isError ? 'error' : 'class', signatures: [], members, base: heritageOf(hidden[0] ?? declaration) };
  }

  #isError(type: ts.Type): boolean {
    return type.symbol.name === 'Error' || (type.getBaseTypes() ?? []).some((base) => this.#isError(base));
  }

  #members(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration): Member[] {
    const groups = new Map<string, ts.Declaration[]>();
    for (const one of declaration.members as ts.NodeArray<ts.ClassElement | ts.TypeElement>) {
      if (!isPublic(one)) continue;
      const name = ts.isConstructorDeclaration(one) ? 'constructor' : nameOf(one);
      groups.set(name, [...(groups.get(name) ?? []), one]);
    }
    return Array.from(groups, ([name, ones]) => this.#member(name, ones));
  }

  #member(name: string, declarations: readonly ts.Declaration[]): Member {
    const [first] = declarations as [ts.Declaration];
    const doc = docOf(declarations);
    const isOverride = ts.getCombinedModifierFlags(first) & ts.ModifierFlags.Override ? true : name.startsWith('_');
    if (ts.isConstructorDeclaration(first)) {
      const of = (first.parent as ts.ClassDeclaration).name?.text ?? '';
      return { ...member(name, 'constructor', doc), signatures: [`new ${of}(${this.#parameters(first)})`] };
    }
    if (ts.isMethodDeclaration(first) || ts.isMethodSignature(first)) {
      const signatures = this.#signatures(declarations as ts.SignatureDeclaration[]);
      return { ...member(name, 'method', doc), signatures, isOverride, isOptional: first.questionToken !== undefined };
    }
    const { type, questionToken } = first as ts.PropertyDeclaration;
    const shown = type?.getText() ?? this.#checker.typeToString(this.#checker.getTypeAtLocation(first));
    const isOptional = questionToken !== undefined;
    const text = oneLine(shown);
    return {
      ...member(name, 'property', doc),
      type: isOptional ? withoutUndefined(text) : text,
      isOptional,
      isOverride,
    };
  }

  #signatures(declarations: readonly ts.SignatureDeclaration[]): string[] {
    const overloads =
      declarations.length > 1 ? declarations.filter((one) => !('body' in one && one.body)) : declarations;
    return overloads.map((one) => {
      const name = ts.isFunctionDeclaration(one) ? `function ${one.name?.text}` : (one.name?.getText() ?? '');
      const optional = ts.isMethodSignature(one) && one.questionToken ? '?' : '';
      const generics = one.typeParameters ? `<${one.typeParameters.map((type) => type.getText()).join(', ')}>` : '';
      return `${name}${optional}${generics}(${this.#parameters(one)}): ${plainType(one.type?.getText() ?? 'void')}`;
    });
  }

  #parameters(signature: ts.SignatureDeclaration): string {
    const texts = signature.parameters.map((parameter) => {
      const { name, type, initializer, questionToken, dotDotDotToken } = parameter;
      const shown = type?.getText() ?? this.#checker.typeToString(this.#checker.getTypeAtLocation(parameter));
      const called = ts.isIdentifier(name) ? name.text.replace(/^_/, '') : 'options';
      const optional = initializer !== undefined || questionToken !== undefined ? '?' : '';
      return `${dotDotDotToken ? '...' : ''}${called}${optional}: ${plainType(shown)}`;
    });
    return texts.join(', ');
  }
}

function member(name: string, kind: Member['kind'], doc: Doc): Member {
  return { name, kind, signatures: [], type: '', isOptional: false, isOverride: false, doc };
}

function isPublic(element: ts.ClassElement | ts.TypeElement): boolean {
  const flags = ts.getCombinedModifierFlags(element as ts.Declaration);
  if (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Static)) return false;
  if (element.name !== undefined && ts.isPrivateIdentifier(element.name)) return false;
  if (ts.isClassStaticBlockDeclaration(element) || ts.isSemicolonClassElement(element)) return false;
  return !ts.getJSDocTags(element).some(({ tagName }) => tagName.text === 'internal');
}

function nameOf(element: ts.ClassElement | ts.TypeElement): string {
  if (ts.isIndexSignatureDeclaration(element)) return `[${element.parameters[0]?.getText()}]`;
  const { name } = element;
  if (name === undefined) return '()';
  return ts.isStringLiteral(name) ? name.text : name.getText();
}

function heritageOf(declaration: ts.ClassDeclaration | ts.InterfaceDeclaration): string | undefined {
  const clauses = declaration.heritageClauses?.filter(({ token }) => token === ts.SyntaxKind.ExtendsKeyword) ?? [];
  return clauses.flatMap(({ types }) => types.map((type) => type.getText())).join(', ') || undefined;
}

const oneLine = (text: string): string => text.replace(/\/\*\*.*?\*\/\s*/gs, '').replace(/\s+/g, ' ');

/** Removes `| undefined` and the parentheses that it needed. */
function withoutUndefined(type: string): string {
  const rest = type.replace(/\s*\| undefined$/, '').replace(/^\| /, '');
  return /^\([^()]*\(.*\) => [^()]*\)$/s.test(rest) ? rest.slice(1, -1) : rest;
}
const plainType = (text: string): string => oneLine(text).replace(/\byamux\./g, '');

function declarationText(alias: ts.TypeAliasDeclaration): string {
  const generics = alias.typeParameters ? `<${alias.typeParameters.map((type) => type.getText()).join(', ')}>` : '';
  const text = plainType(alias.type.getText()).replace(/^\| /, '');
  const isUnion = ts.isUnionTypeNode(alias.type) && text.length > 80;
  return `type ${alias.name.text}${generics} = ${isUnion ? text.replace(/(^| )\| |^/g, '\n  | ') : text}`;
}

/** The comment of the first declaration that has one. */
function docOf(declarations: readonly ts.Node[]): Doc {
  for (const declaration of declarations) {
    const holder = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    const [comment] = ts.getJSDocCommentsAndTags(holder).filter(ts.isJSDoc).slice(-1);
    if (comment === undefined) continue;
    const tags = comment.tags ?? ([] as readonly ts.JSDocTag[]);
    const named = (...names: string[]): ts.JSDocTag[] => tags.filter(({ tagName }) => names.includes(tagName.text));
    const [byDefault] = named('defaultValue').map(tagText);
    return {
      text: commentText(comment.comment),
      byDefault,
      throws: named('throws').map(throwsText),
      params: tags.filter(ts.isJSDocParameterTag).map((tag) => ({ name: tag.name.getText(), text: tagText(tag) })),
    };
  }
  return { text: '', byDefault: undefined, throws: [], params: [] };
}

/** Joins lines, and keeps paragraphs. */
function commentText(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  const text = ts.getTextOfJSDocComment(comment) ?? '';
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s*\n\s*/g, ' ').trim())
    .join('\n\n');
}

const tagText = (tag: ts.JSDocTag): string => commentText(tag.comment);

function throwsText(tag: ts.JSDocTag): string {
  const type = ts.isJSDocThrowsTag(tag) ? tag.typeExpression?.type.getText() : undefined;
  return [type === undefined ? '' : `\`${type}\``, tagText(tag)].filter(Boolean).join(' ');
}
