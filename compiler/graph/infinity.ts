/**
 * The infinities of the language, and where f32 ends. Infinities are those of IEEE everywhere: in the graph, in memory and in registers
 * (kernel/legalise/name-infinities.ts makes them at run time). What no selection takes and no softmax counts is -inf and nothing else,
 * so a finite score is a score, however low.
 */
export const NEG_INF = -Infinity;
export const POS_INF = Infinity;
/** The largest finite f32. */
export const LARGEST = 3.4028234663852886e38;
