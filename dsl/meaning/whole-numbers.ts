/** Numbers known when compiling that become i32: they are whole and of 32 bits, or there is a diagnostic. */
import { beyondI32, rangeOfI32 } from '../types/range-of-i32.ts';
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import { asNumber, formatSize, type Size } from '../types/size.ts';

/**
 * What keeps a static number from being an i32, or null if nothing does. A formula of sizes that only a run knows is not
 * judged here: the run that binds the sizes refuses it if it does not fit.
 */
export function problemAsI32(value: Size, span: Span): Diagnostic | null {
  const number = asNumber(value);
  if (number === null) return null;
  const whole = value.kind === 'exact' ? value.denominator === 1n : Number.isInteger(number);
  if (!whole) {
    const message = `an integer is wanted here, this is ${formatSize(value)}`;
    return diagnostic('MOE0313', { message, span, help: 'say floor(…) or ceil(…)' });
  }
  if (number >= Number(rangeOfI32.least) && number <= Number(rangeOfI32.greatest)) return null;
  return diagnostic('MOE0755', { ...beyondI32(formatSize(value)), span });
}
