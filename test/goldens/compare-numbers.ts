/**
 * The comparison: compares what a model gave with what the original implementation gave. Pure; knows no files and no models.
 *
 * The error of a number is measured against its bound, |actual - expected| / (atol + rtol * |expected|): 1 is the edge, and
 * errors of tensors of any scale can be compared. Picks are compared as sets, token by token, since many originals
 * select without sorting: the indices have to be the same, and then each index's weight.
 */

/** Numbers of a tensor with their shape, row-major. Booleans are 0 and 1. */
export interface NamedTensor {
  readonly element: 'f32' | 'f16' | 'i32' | 'bool';
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export interface Bound {
  readonly atol: number;
  readonly rtol: number;
}

/** What a case says of its numbers. Indices are always exact. */
export interface Tolerance {
  readonly output: Bound;
  readonly weights: Bound;
}

export interface Verdict {
  readonly passed: boolean;
  /** The largest error in units of its bound; infinite for a missing, a wrong or a non-finite number. */
  readonly worst: number;
  /** The largest |actual - expected|. */
  readonly error: number;
  /** What is wrong, or null. */
  readonly problem: string | null;
}

const failed = (problem: string): Verdict => ({ passed: false, worst: Infinity, error: Infinity, problem });

/** Picks of any number of tokens: `indices` and `weights` of shape [tokens…, places]; an index below 0 is an empty place. */
export interface Picks {
  readonly indices: NamedTensor;
  readonly weights: NamedTensor | null;
}

/** Compares number by number. The shapes may differ in how they are cut (B, T or B * T), not in how much they hold. */
export function compareNumbers(actual: NamedTensor, expected: NamedTensor, bound: Bound): Verdict {
  if (actual.data.length !== expected.data.length)
    return failed(`holds ${describeShape(actual)}, ${describeShape(expected)} is expected`);
  let worst = 0;
  let error = 0;
  let place = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const deviation = deviationOf(actual.data[i] ?? NaN, expected.data[i] ?? NaN, bound);
    if (deviation.worst > worst) place = i;
    worst = Math.max(worst, deviation.worst);
    error = Math.max(error, deviation.error);
  }
  const problem =
    worst <= 1
      ? null
      : `is ${actual.data[place]} at ${indexText(place, expected.shape)}, ${expected.data[place]} is expected`;
  return { passed: problem === null, worst, error, problem };
}

/** Compares picks as sets with their weights. */
export function comparePicks(actual: Picks, expected: Picks, bound: Bound): Verdict {
  const places = expected.indices.shape.at(-1) ?? 0;
  const given = actual.indices.shape.at(-1) ?? 0;
  const tokens = rows(expected.indices);
  if (rows(actual.indices) !== tokens)
    return failed(`holds ${describeShape(actual.indices)}, ${describeShape(expected.indices)} is expected`);
  let worst = 0;
  let error = 0;
  let problem: string | null = null;
  for (let t = 0; t < tokens; t++) {
    const want = picksOf(expected, t, places);
    const have = picksOf(actual, t, given);
    const same = want.size === have.size && [...want.keys()].every((index) => have.has(index));
    if (!same) return failed(`picks ${listText(have)} for token ${t}, ${listText(want)} is expected`);
    if (expected.weights === null || actual.weights === null) continue;
    for (const [index, weight] of want) {
      const deviation = deviationOf(have.get(index) ?? NaN, weight, bound);
      if (deviation.worst > 1 && problem === null) {
        problem = `weighs ${index} with ${have.get(index)} for token ${t}, ${weight} is expected`;
      }
      worst = Math.max(worst, deviation.worst);
      error = Math.max(error, deviation.error);
    }
  }
  return { passed: problem === null, worst, error, problem };
}

function deviationOf(
  actual: number,
  expected: number,
  bound: Bound,
): { readonly worst: number; readonly error: number } {
  const error = Math.abs(actual - expected);
  // Not a number anywhere, or an infinity that is not the expected one: as wrong as can be.
  if (!Number.isFinite(error))
    return Object.is(actual, expected) ? { worst: 0, error: 0 } : { worst: Infinity, error: Infinity };
  if (error === 0) return { worst: 0, error };
  return { worst: error / (bound.atol + bound.rtol * Math.abs(expected)), error };
}

function rows(tensor: NamedTensor): number {
  return tensor.shape.slice(0, -1).reduce((product, size) => product * size, 1);
}

/** Index to weight; an index that is picked twice adds its weights. */
function picksOf(picks: Picks, token: number, places: number): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (let k = 0; k < places; k++) {
    const index = picks.indices.data[token * places + k] ?? -1;
    if (index < 0) continue;
    found.set(index, (found.get(index) ?? 0) + (picks.weights?.data[token * places + k] ?? 0));
  }
  return found;
}

function listText(picks: ReadonlyMap<number, number>): string {
  return `{${[...picks.keys()].sort((a, b) => a - b).join(', ')}}`;
}

function describeShape(tensor: NamedTensor): string {
  return `[${tensor.shape.join(', ')}]`;
}

function indexText(place: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = place;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${index.join(', ')}]`;
}
