/**
 * From what a caller of the library passes to what the front end takes: a text with its name, the texts that it imports, and values
 * for sizes and constants.
 *
 * Invariants:
 * - Nothing here or below it does I/O. What an import names is asked of the caller, by its path.
 * - What the types of TypeScript refuse is thrown (MOE0767); all that depends on what a program says is a diagnostic.
 */
import type { ImportRefusal } from '../../dsl/check/check-program.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { StaticValue } from '../../dsl/meaning/instances.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import { InputError } from '../../runtime/contract/errors.ts';
import { toMap, type Named } from '../../runtime/contract/named.ts';
import { checkNamed, checkOptions } from '../../runtime/running/call-options.ts';
import { analyse, type FrontEnd } from '../front-end.ts';
import { parseOverride } from '../overrides.ts';

/** What a function of the library has to say about a program, and the texts that it speaks of: what `render` draws. */
export interface Told {
  /** In the order of the text, errors, warnings and notices alike; a place is an offset in UTF-16 code units. */
  readonly diagnostics: readonly Diagnostic[];
  /** The text itself, first, those that it imports, and the library's where something asked for it. */
  readonly sources: readonly SourceFile[];
}

/** The texts of other files: by path, or by a function that is asked for a path and answers null where there is none. */
export type Imports = Named<string> | ((path: string) => string | null);

/** How a text is read. */
export interface SourceOptions {
  /** What diagnostics call the text, and where the paths of its imports count from; `model.moe` unless given. */
  readonly name?: string;
  /**
   * What `import { … } from "./experts.moe"` names, by a path without `.` and `..` from where `name` begins: `experts.moe`, with the
   * folders of the text that imports it in front, if it has any. `"std"` is always there.
   */
  readonly imports?: Imports;
  /** Which model of the text, where there are several. */
  readonly model?: string;
  /** Sizes of axes and values of constants, in place of those that the model has. A number is taken as it prints: 0.1 is 1/10. */
  readonly set?: Named<number | boolean | string>;
}

/** The names of `SourceOptions`: an option of another name is a slip. */
export const sourceOptions = ['name', 'imports', 'model', 'set'] as const;

/** Throws MOE0767 unless `options` is an object with none but these options. */
export function checkKnown(call: string, options: object, known: readonly string[]): void {
  checkOptions(options, `the options of ${call}`);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InputError('MOE0767', `${call} has no option ${unknown}: it has ${known.join(', ')}`);
}

/** A text with its name. Throws MOE0767 for what is no text. */
export function sourceOf(call: string, text: string, options: Pick<SourceOptions, 'name'>): SourceFile {
  checkText(`the text of ${call}`, text);
  const { name = 'model.moe' } = options;
  checkText('name', name);
  return { name, text };
}

/** Reads and checks a text and what it imports. */
export function readProgram(source: SourceFile, options: SourceOptions): FrontEnd {
  const { imports, model } = options;
  if (model !== undefined) checkText('model', model);
  if (imports !== undefined && typeof imports !== 'function') checkNamed(imports, 'imports');
  return analyse(source, {
    resolve: (name, from) => (imports === undefined ? null : importOf(name, from, source, imports)),
    ...(model === undefined ? {} : { model }),
  });
}

/** Values of sizes and constants. Throws MOE0767 for a value that is neither a finite number nor a truth value nor a text. */
export function settingsOf(set: SourceOptions['set']): ReadonlyMap<string, StaticValue> {
  if (set === undefined) return new Map();
  checkNamed(set, 'set');
  return new Map([...toMap(set)].map(([name, value]) => [name, staticValue(name, value)]));
}

function staticValue(name: string, value: number | boolean | string): StaticValue {
  if (typeof value === 'boolean') return { kind: 'bool', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new InputError(
      'MOE0767',
      `set gives ${name} ${String(value)}: a finite number, a truth value or a text is wanted`,
    );
  return parseOverride(String(value));
}

function checkText(what: string, value: unknown): void {
  if (typeof value !== 'string')
    throw new InputError('MOE0767', `${what} is of type ${typeof value}, a text is wanted`);
}

/** What an import names, as the command line would find it in a folder that holds all of the caller's texts. */
function importOf(name: string, from: string, main: SourceFile, imports: Imports): SourceFile | ImportRefusal | null {
  if (!name.startsWith('.')) return null;
  const path = pathOf(name, from);
  const quoted = JSON.stringify(name);
  if (path === null) return { code: 'MOE0765', message: `${quoted} leads out of the folder of the program` };
  if (path === joined(main.name.split('/'))) return main;
  const text = (typeof imports === 'function' ? imports(path) : toMap(imports).get(path)) ?? null;
  if (text === null) return null;
  checkText(`what imports has for ${path}`, text);
  return path.endsWith('.moe')
    ? { name: path, text }
    : { code: 'MOE0766', message: `${quoted} is not a .moe file`, help: 'import a .moe file' };
}

/** Where `name` leads from the file `from`; null where that is above every folder that `from` names. */
function pathOf(name: string, from: string): string | null {
  const parts = from.split('/').slice(0, -1).filter(isStep);
  for (const part of name.split('/')) {
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return joined(parts);
}

/** `.` and doubled slashes lead nowhere. */
const isStep = (part: string, i: number): boolean => part !== '.' && (part !== '' || i === 0);

function joined(parts: readonly string[]): string {
  return parts.filter(isStep).join('/');
}
