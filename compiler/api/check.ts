/** `check`: a text to a program, or to its mistakes. */
import { hasErrors } from '../../dsl/diagnostics/diagnostic.ts';
import { checkSizes } from '../check-sizes.ts';
import { CheckedProgram } from './checked-program.ts';
import {
  checkKnown,
  readProgram,
  settingsOf,
  sourceOf,
  sourceOptions,
  type SourceOptions,
  type Told,
} from './source-options.ts';

/** What is known of a text once it is checked. */
export interface Checked extends Told {
  /** For `interpret`; null if there are errors. */
  readonly program: CheckedProgram | null;
}

/**
 * Reads, parses and checks a text of the language, as `moec check` does: every mistake in one call, also those that only sizes show
 * (with the sizes that the program has or `set` gives), and notices of what is right and costs more than it seems.
 *
 * Mistakes are returned, never thrown. Throws `MoecError` MOE0767 for arguments that their types refuse.
 *
 * @example
 * const { program, diagnostics } = check(text, { set: { E: 16 }, imports: { 'experts.moe': other } });
 * for (const { severity, code, message, span } of diagnostics) console.log(severity, code, message, span?.start);
 */
export function check(text: string, options: SourceOptions = {}): Checked {
  checkKnown('check', options, sourceOptions);
  const settings = settingsOf(options.set);
  const { program, sources, diagnostics: mistakes } = readProgram(sourceOf('check', text, options), options);
  const ofSizes = program === null ? [] : checkSizes(program, settings, sources);
  const diagnostics = [...mistakes, ...ofSizes];
  const good = program !== null && !hasErrors(diagnostics);
  return { program: good ? new CheckedProgram({ program, settings, sources }) : null, diagnostics, sources };
}
