/**
 * The infinities of the language on this side: the finite numbers furthest from zero. No infinity ever exists on a GPU
 * (shading languages may assume there is none). A number at or below `NO_SCORE` is "not a candidate" for a selection and
 * counts nothing in a softmax: -inf divided by a temperature, or scaled, is above `NEG_INF` and has to be nothing still.
 */
export const NEG_INF = -3.4028234663852886e38;
export const POS_INF = 3.4028234663852886e38;
/** -inf times 3e-9; no score of a model is as far from zero. */
export const NO_SCORE = -1e30;

/** A number of the program as the graph has it: infinities become the furthest finite numbers. */
export function finite(value: number): number {
  if (value === Infinity) return POS_INF;
  if (value === -Infinity) return NEG_INF;
  return value;
}
