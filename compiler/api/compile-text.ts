/** `compile`: a text to the files of a module. */
import { diagnostic, hasErrors, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { InputError } from '../../runtime/contract/errors.ts';
import { compileProgram } from '../compile.ts';
import { emitModule, type EmittedFile } from '../emit/emit-module.ts';
import { targets } from '../target.ts';
import {
  checkKnown,
  readProgram,
  settingsOf,
  sourceOf,
  sourceOptions,
  type SourceOptions,
  type Told,
} from './source-options.ts';

/** How a text is compiled. */
export interface CompileOptions extends SourceOptions {
  /** What the kernels are for: what every WebGPU offers unasked (the default), or buffers of up to 4 GiB, which a device is asked for. */
  readonly target?: 'webgpu-core' | 'webgpu-large';
  /** Only these entries; all by default. */
  readonly entries?: readonly string[];
  /** What the module imports its runtime from: `moec/runtime` by default, which a bundler or an import map resolves. */
  readonly runtime?: string;
}

/** A compiled text. */
export interface Compiled extends Told {
  /**
   * Named as the text is: an ES module with the kernels (`.js`), which loads those for devices of a class from beside it
   * (`.simd8.js`), the types of its inputs and results (`.d.ts`), and its manifest
   * (`.manifest.json`). Empty if there are errors. Text is a function of the program and the options alone, byte for byte.
   */
  readonly files: readonly EmittedFile[];
}

/**
 * Compiles a text to a module, as `moec compile --runtime moec/runtime` does, and writes nothing: the files are returned.
 *
 * Mistakes of the program, and entries or settings that it has not, are returned, never thrown. Throws `MoecError` MOE0767 for
 * arguments that their types refuse.
 *
 * @example
 * const { files, diagnostics } = compile(text, { name: 'model.moe', set: { D: 1024 } });
 * for (const { path, text } of files) await writeFile(path, text);
 */
export function compile(text: string, options: CompileOptions = {}): Compiled {
  checkKnown('compile', options, [...sourceOptions, 'target', 'entries', 'runtime']);
  const { target: targetName = 'webgpu-core', entries, runtime = 'moec/runtime' } = options;
  const target = targets.get(targetName);
  if (target === undefined)
    throw new InputError('MOE0767', `there is no target ${targetName}: there are ${[...targets.keys()].join(' and ')}`);
  if (entries !== undefined && !Array.isArray(entries))
    throw new InputError('MOE0767', 'entries is no list, a list of names is wanted');
  if (typeof runtime !== 'string')
    throw new InputError('MOE0767', 'runtime is no text, what the module imports is wanted');
  const settings = settingsOf(options.set);
  const source = sourceOf('compile', text, options);
  const { program, sources, diagnostics: mistakes } = readProgram(source, options);
  if (program === null) return { files: [], diagnostics: mistakes, sources };
  const names = program.entries.map((entry) => entry.name);
  const unknown = entries?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    return { files: [], diagnostics: [...mistakes, noEntry(program.name, unknown, names)], sources };
  const {
    manifest,
    shaders,
    diagnostics: found,
  } = compileProgram(program, {
    overrides: settings,
    target,
    sources,
    ...(entries === undefined ? {} : { entries }),
  });
  const diagnostics = [...mistakes, ...found];
  const files =
    manifest === null || hasErrors(diagnostics) ? [] : emitModule(manifest, shaders, runtime, stemOf(source.name));
  return { files, diagnostics, sources };
}

/** An entry was asked for that the model does not have. */
export function noEntry(model: string, entry: string, names: readonly string[]): Diagnostic {
  return diagnostic('MOE0767', {
    message: `${model} has no entry ${entry}`,
    help: `its entries are ${names.join(', ')}`,
  });
}

/** The name without folders and ending. */
function stemOf(name: string): string {
  return (name.split(/[\\/]/).at(-1) ?? name).replace(/\.moe$/, '');
}
