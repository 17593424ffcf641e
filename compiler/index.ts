/**
 * moec as a library: text in, data out. No function does I/O, so all of them work in a browser too.
 *
 *     import { check, compile, format, interpret, render } from 'moec';
 *
 * Mistakes of a program, or of what a run is given, are returned as diagnostics. What is thrown is a `MoecError` with a code, for
 * arguments that their types refuse, or a bug of moec.
 */

/** Text to a checked program, or to every mistake in it. */
export { check } from './api/check.ts';
export type { Checked } from './api/check.ts';
export type { CheckedProgram } from './api/checked-program.ts';
export type { Imports, SourceOptions, Told } from './api/source-options.ts';

/** Text to the files of a module that runs the model on WebGPU, with `moec/runtime`. */
export { compile } from './api/compile-text.ts';
export type { Compiled, CompileOptions } from './api/compile-text.ts';
export type { EmittedFile } from './emit/emit-module.ts';

/** A checked program and inputs to results, by definition, in float64. */
export { interpret } from './api/interpret.ts';
export type { Interpretation, InterpretOptions } from './api/interpret.ts';
export type { InterpretedValue, NamedAxis } from '../dsl/interpret/interpret-entry.ts';
export type { ShapedTensor, TensorData } from '../runtime/contract/tensors.ts';
export type { Named } from '../runtime/contract/named.ts';
export type { HostCall, ExternFunction, ExternOperand, ExternResult } from '../runtime/contract/ask-host.ts';

/** Text to the same program in its canonical layout. */
export { format } from './api/format.ts';
export type { Formatted } from './api/format.ts';

/** What is told: as data, and drawn in frames of the text. */
export { render } from './api/format.ts';
export type { Code, Diagnostic, Edit, Label, Severity, SourceFile, Span } from '../dsl/diagnostics/diagnostic.ts';

/** What is thrown: the class of `moec/runtime`. */
export { MoecError } from '../runtime/contract/errors.ts';

/** The version of the package. */
export { moecVersion as version } from './version.ts';
