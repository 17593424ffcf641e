/**
 * Which stored tensor fills which part of which variable: decided, with every mismatch found, before a byte is read.
 *
 * Invariants:
 * - All faults of a checkpoint are in one report, each missing name with the nearest names there are.
 * - A variable is filled by the source entirely or not at all. If the source has nothing of a state, or there is no source,
 *   its initial value stands; a parameter that a given source lacks is a fault unless the caller says otherwise.
 */
import { unreachable } from '../contract/bug.ts';
import { classOf, type CheckpointType, storedTypes } from '../contract/elements.ts';
import { WeightsError, type WeightsProblem } from '../contract/errors.ts';
import { quoteName } from './json.ts';
import { type Lacking, fusedHints, orderHint, storedAxes } from './layout-hints.ts';
import type { WeightSliceSpec, Manifest, VariableSpec } from '../contract/manifest.ts';
import { lackingAxisHint, memberHints } from './member-hints.ts';
import { elementCount, evaluateCount, evaluateShape } from '../contract/sizes.ts';
import type { SourceTensor, WeightSource } from './weight-source.ts';

/** A param or state of constant size, and where its value comes from. */
export interface WeightBinding {
  /** Index into the manifest's variables. */
  readonly index: number;
  readonly variable: VariableSpec;
  readonly shape: readonly number[];
  readonly elements: number;
  /** The size of the axis that integers are points of: they lie in -1 .. withinSize-1; null: anything. */
  readonly withinSize: number | null;
  /** Filled from the source by these slices, or null: by the initial value. */
  readonly slices: readonly WeightSliceSpec[] | null;
}

export type MissingParams = 'error' | 'initialise';

const NO_SIZES: ReadonlyMap<string, number> = new Map();

/** Values of MXFP4 that share a scale, and the bytes they take. */
export const MXFP4_BLOCK = { values: 32, bytes: 16 } as const;

/** Binds all params and states. `source` null stands for no checkpoint. Throws WeightsError. */
export function bindVariables(
  manifest: Manifest,
  source: WeightSource | null,
  missing: MissingParams,
): readonly WeightBinding[] {
  const problems: WeightsProblem[] = [];
  const bindings: WeightBinding[] = [];
  const needed = neededVariables(manifest, source, missing);
  const nearest = source === null ? () => '' : nearestNames([...(source.names ?? source.tensors.keys())]);
  const lacking: Lacking[] = [];
  const members = source === null ? () => '' : memberHints(source.tensors, tensorsOf(manifest));
  manifest.stores.forEach((variable, index) => {
    if (variable.kind === 'control' || !needed.has(index)) return;
    const shape = evaluateShape(variable.axes, NO_SIZES);
    const elements = elementCount(shape);
    const withinSize =
      variable.within === null ? null : evaluateCount(variable.within.size, NO_SIZES, variable.within.name);
    const slices = variable.cells ?? [wholeSlice(variable.path, shape, elements)];
    const absent = absentNames(variable, source);
    const base = { index, variable, shape, elements, withinSize };
    if (startsFresh(variable, source, missing)) {
      bindings.push({ ...base, slices: null });
      return;
    }
    if (source === null) {
      const message = `${variable.path} has no initial value and no weights were given`;
      problems.push({ code: 'MOE0635', message, help: helpWithoutWeights });
      return;
    }
    const help = absent.length === 0 ? '' : waysOut(variable, absent.length < namesOf(variable).length);
    const held = absent.length === 0 ? '' : members(variable, shape, absent);
    for (const [i, name] of absent.entries()) {
      const hint = i === 0 && held !== '' ? held : nearest(name);
      const message = `there is no tensor ${quoteName(name)}, which ${variable.path} is bound to${hint}`;
      problems.push({ code: 'MOE0630', message, tensor: name, help });
      const slice = slices.find(({ tensor }) => tensor === name);
      if (slice !== undefined) lacking.push({ name, shape: slice.shape, axes: storedAxes(variable, slice, shape) });
    }
    for (const problem of slices.flatMap((slice) => checkSlice(variable, slice, source, shape))) {
      // A tensor that several members share is wrong once.
      const told = (other: WeightsProblem): boolean =>
        other.tensor === problem.tensor && other.message === problem.message;
      if (!problems.some(told)) problems.push(problem);
    }
    bindings.push({ ...base, slices });
  });
  if (problems.length === 0) return bindings;
  const hints = source === null ? new Map<string, string>() : fusedHints(lacking, source.tensors, tensorsOf(manifest));
  throw new WeightsError(
    problems.map((problem) => {
      const hint = problem.code === 'MOE0630' ? hints.get(problem.tensor ?? '') : undefined;
      return hint === undefined ? problem : { ...problem, message: problem.message + hint };
    }),
  );
}

const helpWithoutWeights =
  'give weights, or declare the param with a first value, as in `param w: [E, D] = 0.02 * normal[E, D]`';

/** The ways out for a variable that a checkpoint lacks: where it lies, or its first value. */
function waysOut(variable: VariableSpec, partly: boolean): string {
  const bindIt = 'say where it lies, with `from "…"` at the declaration';
  if (partly) return `${bindIt}; a part of a param is not initialised, it is read whole or not at all`;
  const ask = "run with `--missing initialise` (from JavaScript `missing: 'initialise'`)";
  return variable.initial === null
    ? `${bindIt}, or declare it with a first value, as in \`param w: [E, D] = 0.02 * normal[E, D]\`, and ${ask}`
    : `${bindIt}, or, to begin with its first value, ${ask}`;
}

/** Names of all tensors that the params and states of a manifest may be read from. */
export function tensorsOf(manifest: Manifest): ReadonlySet<string> {
  return new Set(manifest.stores.flatMap((variable) => (variable.kind === 'control' ? [] : namesOf(variable))));
}

/** The tensors that a variable is made of. */
function namesOf(variable: VariableSpec): readonly string[] {
  const names = variable.cells?.flatMap(({ tensor, scales }) => (scales === null ? [tensor] : [tensor, scales]));
  return [...new Set(names ?? [variable.path])];
}

function absentNames(variable: VariableSpec, source: WeightSource | null): readonly string[] {
  const names = namesOf(variable);
  return source === null ? names : names.filter((name) => !source.tensors.has(name));
}

/** Whether a variable has its initial value, and nothing of the source. */
function startsFresh(variable: VariableSpec, source: WeightSource | null, missing: MissingParams): boolean {
  if (variable.initial === null) return false;
  if (source !== null && variable.kind !== 'state' && missing !== 'initialise') return false;
  const absent = absentNames(variable, source).length;
  return absent > 0 && absent === namesOf(variable).length;
}

/** Indices of the variables that a model needs. A variable that only initial values read is needed if one of those will be computed. */
function neededVariables(manifest: Manifest, source: WeightSource | null, missing: MissingParams): ReadonlySet<number> {
  const needed = new Set(manifest.stores.flatMap((s, i) => (s.onlyForInitials === true ? [] : [i])));
  // Whatever an initial value reads stands before its variable (`Manifest.stores`), so one pass from the end finds all.
  for (let i = manifest.stores.length - 1; i >= 0; i--) {
    const variable = manifest.stores[i];
    if (variable?.initial?.kind !== 'plan' || !needed.has(i)) continue;
    // A state may be given its initial value again, later.
    if (variable.kind !== 'state' && !startsFresh(variable, source, missing)) continue;
    for (const buffer of variable.initial.plan.buffers) if (buffer.kind === 'store') needed.add(buffer.store);
  }
  return needed;
}

function wholeSlice(path: string, shape: readonly number[], elements: number): WeightSliceSpec {
  const dims = [{ size: elements, stride: 1, to: 1 }];
  return { tensor: path, shape, decoder: null, scales: null, from: 0, offset: 0, dims };
}

function checkSlice(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  source: WeightSource,
  shape: readonly number[],
): readonly WeightsProblem[] {
  const tensor = source.tensors.get(slice.tensor);
  if (tensor === undefined) return [];
  const scales = slice.scales === null ? null : source.tensors.get(slice.scales);
  if (scales === undefined) return [];
  const problem = (code: 'MOE0631' | 'MOE0632', name: string, told: string, hint = ''): WeightsProblem => ({
    code,
    message: `${quoteName(name)} ${told}, as ${variable.path} is declared${hint}`,
    tensor: name,
  });
  switch (slice.decoder) {
    case null:
      return plainProblems(variable, slice, tensor, shape, problem);
    case 'mxfp4':
      return mxfp4Problems(slice, tensor, scales, problem);
    default:
      return unreachable(slice.decoder);
  }
}

/** What is wrong with a tensor, as a problem of the variable that is read from it. */
type TellProblem = (code: 'MOE0631' | 'MOE0632', name: string, told: string, hint?: string) => WeightsProblem;

function plainProblems(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  tensor: SourceTensor,
  shape: readonly number[],
  problem: TellProblem,
): readonly WeightsProblem[] {
  const problems: WeightsProblem[] = [];
  if (!accepts(variable, tensor.dtype)) {
    problems.push(problem('MOE0632', slice.tensor, `holds ${tensor.dtype}, ${wantedTypes(variable)} is wanted`));
  }
  if (!sameShape(tensor.shape, slice.shape)) {
    const told = `has the shape ${show(tensor.shape)}, ${show(slice.shape)} is wanted`;
    const axes = storedAxes(variable, slice, shape);
    const hint =
      orderHint(axes, slice.shape, tensor.shape) || lackingAxisHint(variable, slice, shape, axes, tensor.shape);
    problems.push(problem('MOE0631', slice.tensor, told, hint));
  }
  return problems;
}

function mxfp4Problems(
  slice: WeightSliceSpec,
  tensor: SourceTensor,
  scales: SourceTensor | null,
  problem: TellProblem,
): readonly WeightsProblem[] {
  const problems: WeightsProblem[] = [];
  const last = slice.shape.at(-1) ?? 0;
  const outer = slice.shape.slice(0, -1);
  const blocks = last / MXFP4_BLOCK.values;
  // Files have the 16 bytes of a block as a dimension of their own, or joined into the last one.
  const blockShapes = [
    [...outer, blocks, MXFP4_BLOCK.bytes],
    [...outer, last / 2],
  ];
  if (tensor.dtype !== 'U8' || (scales !== null && scales.dtype !== 'U8' && scales.dtype !== 'F8_E8M0')) {
    problems.push(problem('MOE0632', slice.tensor, `and its scales are not bytes, MXFP4 blocks are wanted`));
  }
  if (!blockShapes.some((shape) => sameShape(tensor.shape, shape))) {
    problems.push(
      problem(
        'MOE0631',
        slice.tensor,
        `has the shape ${show(tensor.shape)}, blocks of ${show(slice.shape)} are wanted`,
      ),
    );
  }
  if (scales !== null && slice.scales !== null && !sameShape(scales.shape, [...outer, blocks])) {
    problems.push(
      problem('MOE0631', slice.scales, `has the shape ${show(scales.shape)}, ${show([...outer, blocks])} is wanted`),
    );
  }
  return problems;
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** A single number is one whether it is stored as [] or as [1]. */
const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  (a.length === b.length && a.every((size, i) => size === b[i])) || [...a, ...b].every((size) => size === 1);

/**
 * Floats of up to 32 bits widen exactly, and round where f16 is declared; F64 would round unasked. Raw words of up to 32 bits are the
 * numbers they are, where the declared type has them.
 */
function accepts(variable: VariableSpec, dtype: CheckpointType): boolean {
  switch (variable.element) {
    case 'f32':
    case 'f16':
      return classOf(dtype) === 'float' ? dtype !== 'F64' : classOf(dtype) === 'integer' && storedTypes[dtype] <= 32;
    case 'i32':
      return classOf(dtype) === 'integer';
    case 'bool':
      return dtype === 'BOOL' || dtype === 'U8';
    default:
      return unreachable(variable.element);
  }
}

function wantedTypes(variable: VariableSpec): string {
  switch (variable.element) {
    case 'f32':
    case 'f16':
      return `a float of at most 32 bits or raw words of at most 32 (${variable.element})`;
    case 'i32':
      return 'an integer type (i32)';
    case 'bool':
      return 'BOOL or U8 (bool)';
    default:
      return unreachable(variable.element);
  }
}

/** Searches this many times at most, over this many names: a wrong prefix makes every name of a checkpoint missing. */
const MAX_SEARCHES = 10;
const MAX_NAMES = 20_000;

/** A function that tells of the names most like one that is missing, as the tail of a sentence. */
export function nearestNames(names: readonly string[]): (wanted: string) => string {
  let searches = 0;
  const pool = names.slice(0, MAX_NAMES);
  return (wanted) => {
    searches += 1;
    if (searches > MAX_SEARCHES) return '';
    const limit = Math.min(8, Math.max(2, Math.floor(wanted.length / 4)));
    const near = pool
      .map((name) => ({ name, distance: distanceUpTo(wanted, name, limit) }))
      .filter(({ distance }) => distance <= limit)
      .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
      .slice(0, 2)
      .map(({ name }) => quoteName(name));
    return near.length === 0 ? '' : ` (there is ${near.join(' and ')})`;
  };
}

/** Edit distance of two texts, or anything above `most` if it is above. A shared suffix or prefix costs nothing. */
function distanceUpTo(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  // Only the diagonal band within `most` can stay within it.
  const width = endB - start;
  const above = limit + 1;
  let row = Array.from({ length: width + 1 }, (_, j) => Math.min(j, above));
  for (let i = start; i < endA; i++) {
    const line = i - start + 1;
    const next = new Array<number>(width + 1).fill(above);
    if (line <= limit) next[0] = line;
    let least = next[0] ?? above;
    for (let j = Math.max(1, line - limit); j <= Math.min(width, line + limit); j++) {
      const replaced = (row[j - 1] ?? above) + (a[i] === b[start + j - 1] ? 0 : 1);
      const distance = Math.min(replaced, (row[j] ?? above) + 1, (next[j - 1] ?? above) + 1);
      next[j] = distance;
      if (distance < least) least = distance;
    }
    if (least > limit) return above;
    row = next;
  }
  return row.at(-1) ?? 0;
}
