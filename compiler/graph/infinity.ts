/**
 * The infinities of the language on this side: the finite numbers furthest from zero. No infinity ever exists on a GPU
 * (shading languages may assume there is none). A number at or below `NEG_INF` is "not a candidate" for a selection and
 * counts nothing in a softmax.
 */
export const NEG_INF = -3.4028234663852886e38;
export const POS_INF = 3.4028234663852886e38;

/** A number of the program as the graph has it: infinities become the furthest finite numbers. */
export function finite(value: number): number {
  if (value === Infinity) return POS_INF;
  if (value === -Infinity) return NEG_INF;
  return value;
}
