/**
 * The infinities of the language, and where f32 ends. Infinities are those of IEEE everywhere: in the graph, in memory and in registers
 * (kernel/legalise/name-infinities.ts makes them at run time). What no selection takes and no softmax counts is -inf and nothing else,
 * so a finite score is a score, however low.
 */
import type { ElementType } from '../../dsl/types/program.ts';

export const NEG_INF = -Infinity;
export const POS_INF = Infinity;

/** The lowest and the highest of an element type: the greatest and the least of no numbers. */
export function endsOf(element: ElementType): { readonly lowest: number; readonly highest: number } {
  return element === 'i32' ? { lowest: -(2 ** 31), highest: 2 ** 31 - 1 } : { lowest: NEG_INF, highest: POS_INF };
}

/** The largest finite f32. */
export const LARGEST = 3.4028234663852886e38;
