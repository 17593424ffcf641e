/**
 * The checker: syntax trees in, a typed program or diagnostics out.
 *
 *   files     every file that is imported, each with a scope of its own under the names of the language
 *   sort      declarations of all files, each after what it refers to; circles are reported
 *   read      templates and constants, then each model: its declarations, then its entries
 *
 * All mistakes of all models are collected in one run. The result is the model asked for.
 */
import type * as ast from '../syntax/ast.ts';
import type { DeclarationId } from '../types/ids.ts';
import { hasErrors, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import { checkDeclarations, readItems, sortReporting } from './declarations.ts';
import { Context, nameHelp, type Rules } from './context.ts';
import type { CallableDeclaration, Declaration, Program } from '../types/program.ts';
import { declareItems, itemsOf, namesIn, type Item } from './resolve-names.ts';
import { NameScope, type Owner } from './name-scope.ts';
import { listWords } from './types.ts';
import { checkBody } from './bodies.ts';
import { checkExpr } from './infer-types.ts';

export interface CheckFiles {
  readonly main: ast.File;
  /**
   * The files an import names: one for a path (`"./layers.moe"`, as written in the importing file `from`); for `"std"` those of the
   * library that declare what is `wanted`, and all of them if none declares a part of it, for who is told what there is. Null if there
   * is none, a refusal where there is something that is not to be read.
   */
  resolve(name: string, from: string, wanted: readonly string[]): readonly ast.File[] | ImportRefusal | null;
}

/** Why what an import names is not read. The text of the file is no part of it. */
export interface ImportRefusal {
  readonly code: 'MOE0209' | 'MOE0765' | 'MOE0766';
  readonly message: string;
  readonly help?: string;
}

function isRefusal(found: readonly ast.File[] | ImportRefusal): found is ImportRefusal {
  return 'code' in found;
}

export interface CheckOptions {
  /** The model wanted, if the file has several. */
  readonly model?: string;
  /** The file is a library: it needs no model. */
  readonly library?: boolean;
  /**
   * Places of the syntax errors of the main file. What could not be read may declare the names that seem to be missing, and a
   * declaration that has such an error is not judged any further: one mistake, one diagnostic.
   */
  readonly unread?: readonly Span[];
}

export interface Checked {
  /** Null if there was an error. */
  readonly program: Program | null;
  /** By place, the main file first. */
  readonly diagnostics: readonly Diagnostic[];
}

interface FileUnit {
  readonly file: ast.File;
  readonly scope: NameScope;
  readonly items: readonly Item[];
  readonly byName: ReadonlyMap<string, Item>;
  /** Imported names: the unit and item each is. */
  readonly imported: Map<string, { readonly unit: FileUnit; readonly item: Item }>;
}

const rules: Rules = { expr: checkExpr, body: checkBody };

export function checkProgram(files: CheckFiles, options: CheckOptions = {}): Checked {
  const cx = new Context((name) => {
    const library = files.resolve('std', files.main.span.source, [name]) ?? [];
    return (
      !isRefusal(library) &&
      library.some((file) => file.decls.some((d) => d.kind === 'Callable' && d.name.text === name))
    );
  }, rules);
  const language = new NameScope(null, ownerOf('the language', 'fn'));
  const main = loadFiles(cx, files, language);
  const units = [main, ...reachable(main)];

  const train = {
    kind: 'const',
    id: cx.fresh<DeclarationId>(),
    name: 'train',
    span: files.main.span,
    type: 'bool',
  } as const;
  const trainDeclaration = cx.const({
    ...train,
    value: { kind: 'bool', type: 'bool', value: false, span: files.main.span },
  });
  language.set('train', { kind: 'const', decl: train.id, type: 'bool' }, null);

  const globals = readGlobals(cx, main, units);
  const programs = files.main.models.map((model) => ({
    model,
    program: checkModel(cx, main.scope, model, globals, trainDeclaration),
  }));
  const chosen = chooseModel(cx, files.main, options, programs);
  const unread = options.unread ?? [];
  cx.flushUnknown(!unread.every((span) => isInBody(files.main, span)));

  const rank = new Map([...new Set(units.map((u) => u.file.span.source))].map((source, i) => [source, i]));
  const fileRank = (d: Diagnostic): number => (d.span === undefined ? -1 : (rank.get(d.span.source) ?? rank.size));
  const reported = unread.length === 0 ? cx.diagnostics : outsideOf(cx.diagnostics, brokenItems(files.main, unread));
  const diagnostics = reported.toSorted(
    (a, b) => fileRank(a) - fileRank(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0),
  );
  return { program: unread.length > 0 || hasErrors(diagnostics) ? null : chosen, diagnostics };
}

/** Whether a place lies in an entry or a function that could be read otherwise: what it declares is its own, and nobody else misses it. */
function isInBody(file: ast.File, span: Span): boolean {
  const items = [...file.decls, ...file.models.flatMap((model) => model.items)];
  return items.some(
    (item) =>
      (item.kind === 'Entry' || item.kind === 'Callable') &&
      item.span.start <= span.start &&
      span.start < item.span.end,
  );
}

/** The declarations of a file, in its models or outside, that have one of the places inside. */
function brokenItems(file: ast.File, spans: readonly Span[]): readonly Span[] {
  const items = [...file.imports, ...file.decls, ...file.models.flatMap((model) => model.items)];
  return items
    .map((item) => item.span)
    .filter((span) => spans.some((p) => p.start >= span.start && p.start < span.end));
}

function outsideOf(diagnostics: readonly Diagnostic[], broken: readonly Span[]): readonly Diagnostic[] {
  return diagnostics.filter(
    ({ span }) =>
      span === undefined ||
      !broken.some((b) => b.source === span.source && span.start >= b.start && span.start < b.end),
  );
}

function ownerOf(name: string, role: Owner['role']): Owner {
  return { family: [], named: null, name, role, resultNames: [], found: { updates: null } };
}

// ------------------------------------------------------------------------------------------------------------- files

/** Loads a file and, one after the other, everything that is imported; a file imported twice is one unit. */
function loadFiles(cx: Context, files: CheckFiles, language: NameScope): FileUnit {
  const units = new Map<ast.File, FileUnit>();
  const queue: FileUnit[] = [];
  const unitOf = (file: ast.File): FileUnit => {
    const known = units.get(file);
    if (known !== undefined) return known;
    const scope = new NameScope(language, ownerOf(file.span.source, 'fn'));
    const items = declareItems(cx, scope, itemsOf(file.decls));
    const unit: FileUnit = {
      file,
      scope,
      items,
      byName: new Map(items.map((item) => [item.name.text, item])),
      imported: new Map(),
    };
    units.set(file, unit);
    queue.push(unit);
    return unit;
  };
  const main = unitOf(files.main);
  for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
    for (const statement of unit.file.imports) importNames(cx, files, unit, statement, unitOf);
  }
  return main;
}

function importNames(
  cx: Context,
  files: CheckFiles,
  unit: FileUnit,
  statement: ast.Import,
  unitOf: (file: ast.File) => FileUnit,
): void {
  const from = statement.from.value;
  const wanted = statement.names.map(({ text }) => text);
  const found = files.resolve(from, unit.file.span.source, wanted);
  const fail = () => {
    for (const name of statement.names)
      if (unit.scope.own(name.text) === null) unit.scope.set(name.text, { kind: 'error' }, name.span);
  };
  if (found === null) {
    cx.report('MOE0209', statement.from.span, {
      message: `there is no file ${JSON.stringify(from)}`,
      help: from.startsWith('.') || from === 'std' ? undefined : 'a path begins with ./ or ../, the library is "std"',
    });
    return fail();
  }
  if (isRefusal(found)) {
    const { code, message, help } = found;
    cx.report(code, statement.from.span, { message, help });
    return fail();
  }
  const others = found.map(unitOf);
  for (const name of statement.names) {
    const before = unit.scope.own(name.text);
    if (before !== null) {
      cx.report('MOE0202', name.span, {
        message: `${name.text} is declared twice`,
        labels: before.span === null ? [] : [{ span: before.span, text: 'the other one' }],
      });
      continue;
    }
    const other = others.find((o) => o.byName.has(name.text));
    const item = other?.byName.get(name.text);
    if (other === undefined || item === undefined) {
      cx.report('MOE0208', name.span, {
        message: `${JSON.stringify(from)} declares no ${name.text}`,
        ...nameHelp(
          name.text,
          name.span,
          others.flatMap((o) => [...o.byName.keys()]),
        ),
      });
      unit.scope.set(name.text, { kind: 'error' }, name.span);
      continue;
    }
    unit.imported.set(name.text, { unit: other, item });
    unit.scope.set(name.text, { kind: 'pending' }, name.span);
  }
}

/** The units a unit imports from, and theirs. */
function reachable(main: FileUnit): readonly FileUnit[] {
  const found = new Set<FileUnit>([main]);
  for (const unit of found) for (const { unit: other } of unit.imported.values()) found.add(other);
  return [...found].slice(1);
}

/** Reads the declarations outside of models: all of the main file's, of others what is needed. */
function readGlobals(cx: Context, main: FileUnit, units: readonly FileUnit[]): readonly Declaration[] {
  const home = new Map<Item, FileUnit>();
  for (const unit of units) for (const item of unit.items) home.set(item, unit);
  const unitOf = (item: Item): FileUnit => home.get(item) ?? main;
  const references = function* (item: Item): Iterable<Item> {
    const unit = unitOf(item);
    for (const name of namesIn(item)) {
      const other = unit.byName.get(name) ?? unit.imported.get(name)?.item;
      if (other !== undefined) yield other;
    }
  };
  const roots = [...main.items, ...[...main.imported.values()].map((i) => i.item)];
  const sorted = sortReporting(cx, roots, references, (item) => unitOf(item).scope);
  const importers = new Map<Item, { readonly scope: NameScope; readonly name: string }[]>();
  for (const unit of units) {
    for (const [name, { item }] of unit.imported)
      importers.set(item, [...(importers.get(item) ?? []), { scope: unit.scope, name }]);
  }
  const out: Declaration[] = [];
  for (const item of sorted) {
    const { scope } = unitOf(item);
    out.push(...readItems(cx, [item], () => scope));
    publish(item, scope, importers);
  }
  for (const item of home.keys()) publish(item, unitOf(item).scope, importers);
  return out;
}

/** An item that has been read is seen under its name in the files that import it. */
function publish(
  item: Item,
  scope: NameScope,
  importers: ReadonlyMap<Item, readonly { readonly scope: NameScope; readonly name: string }[]>,
): void {
  const binding = scope.own(item.name.text);
  if (binding === null || binding.entity.kind === 'pending') return;
  for (const importer of importers.get(item) ?? []) {
    if (importer.scope.own(importer.name)?.entity.kind === 'pending')
      importer.scope.set(importer.name, binding.entity, binding.span);
  }
}

// ------------------------------------------------------------------------------------------------------------ models

function checkModel(
  cx: Context,
  file: NameScope,
  model: ast.AstModel,
  globals: readonly Declaration[],
  train: Declaration,
): Program {
  const scope = new NameScope(file, ownerOf(model.name.text, 'model'));
  const all = checkDeclarations(cx, scope, model.items);
  const entries = all.filter((d): d is CallableDeclaration => d.kind === 'callable' && d.role === 'entry');
  const order = model.items.flatMap((item) => (item.kind === 'Entry' ? [item.name.text] : []));
  return {
    name: model.name.text,
    documentation: model.docs ?? '',
    span: model.name.span,
    globals,
    declarations: [train, ...all.filter((d) => d.kind !== 'callable' || d.role !== 'entry')],
    entries: entries.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
    axisNames: new Map([...cx.axes].map(([id, axis]) => [id, axis.name])),
  };
}

function chooseModel(
  cx: Context,
  main: ast.File,
  options: CheckOptions,
  programs: readonly { readonly model: ast.AstModel; readonly program: Program }[],
): Program | null {
  const names = programs.map((p) => p.model.name.text);
  for (const [i, { model }] of programs.entries()) {
    const before = programs[names.indexOf(model.name.text)];
    if (before === undefined || names.indexOf(model.name.text) === i) continue;
    cx.report('MOE0202', model.name.span, {
      message: `two models are called ${model.name.text}`,
      labels: [{ span: before.model.name.span, text: 'the first one' }],
    });
  }
  const wanted = options.model;
  const [only] = programs;
  const top = { source: main.span.source, start: 0, end: 0 };
  if (only === undefined) {
    if (options.library !== true && (options.unread ?? []).length === 0)
      cx.report('MOE0210', top, {
        message: `${main.span.source} has no model`,
        help: 'model M { … } is what is compiled',
      });
    return null;
  }
  if (wanted !== undefined) {
    const found = programs.find((p) => p.model.name.text === wanted);
    if (found !== undefined) return found.program;
    cx.report('MOE0212', top, {
      message: `no model is called ${wanted}, the file has ${listWords(names)}`,
      help: nameHelp(wanted, top, names).help,
    });
    return null;
  }
  if (programs.length === 1) return only.program;
  // Models of one name have been told, and no choice of a name tells them apart.
  if (new Set(names).size === 1) return null;
  const second = programs[1];
  cx.report('MOE0211', second?.model.name.span ?? top, {
    message: `the file has several models: ${listWords(names)}`,
    help: 'say which one: --model NAME',
  });
  return null;
}
