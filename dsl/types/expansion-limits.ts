/**
 * How much a program may be written out to. Chains, families that name their index, and tensors in braces become one piece for each
 * point; beyond these numbers a size is a typing mistake, and writing it out would only exhaust the memory.
 *
 * `TooMuch` ends an instantiation at once (there is nothing sensible to go on with); whoever started it catches and reports it.
 */
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';

/** Steps of chains, those of chains within them included, and members that are specialised one by one. */
export const MAX_STEPS = 16_384;
/** Members of a family that a param has; each is kept account of. */
export const MAX_MEMBERS = 1_048_576;
/** Tensors of a checkpoint that one param is read from. */
export const MAX_PIECES = 65_536;
/** Points of one value in the reference interpreter, which holds every value whole, in float64: 1 GiB. */
export const MAX_POINTS = 2 ** 27;

/**
 * Expressions in one another, through the bodies of what is called, as far as they are no rows (dsl/meaning/instantiate.ts).
 * Instantiation recurses so deep.
 * Measured with functions that call one another, the widest frames there are: node's default stack holds 617 of them.
 */
export const MAX_NESTED = 512;

/** Axes of one value. An index in a kernel is an expression as deep as there are axes, and who prints or compiles it recurses. */
export const MAX_AXES = 128;

/** Carries a user's mistake out of the depth of a recursion; who began the recursion catches it and hands the diagnostic on. */
export class TooMuch extends Error {
  readonly diagnostic: Diagnostic;

  constructor(problem: Diagnostic) {
    super(problem.message);
    this.diagnostic = problem;
  }
}

/** Throws TooMuch with MOE0504 where expressions stand deeper in one another than instantiation goes. */
export function withinNesting(depth: number, through: string, span: Span): void {
  if (depth <= MAX_NESTED) return;
  throw new TooMuch(
    diagnostic('MOE0504', {
      span,
      message: `expressions stand more than ${MAX_NESTED} deep in one another here, through the ${through}`,
      help: 'give parts names, and make fewer of them of one another',
    }),
  );
}

/** The number itself. Throws TooMuch with MOE0504 if it is above `most`. */
export function withinLimit(number: number, limit: number, what: string, span: Span): number {
  if (number <= limit) return number;
  throw new TooMuch(
    diagnostic('MOE0504', {
      span,
      message: `${what} ${number} times, and ${limit} is the most`,
      help: 'choose a smaller axis',
    }),
  );
}
