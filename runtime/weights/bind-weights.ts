/**
 * Which stored tensor fills which part of which variable: decided, with every mismatch found, before a byte is read.
 *
 * Invariants:
 * - All faults of a checkpoint are in one report, each missing name with the nearest names there are.
 * - A variable is filled by the source entirely or not at all. If the source has nothing of a state, or there is no source,
 *   its initial value stands; a parameter that a given source lacks is a fault unless the caller says otherwise.
 */
import { WeightsError } from '../contract/errors.ts';
import type { WeightSliceSpec, Manifest, VariableSpec } from '../contract/manifest.ts';
import { elementCount, evaluateCount, evaluateShape } from '../contract/sizes.ts';
import { fits } from './fit.ts';
import type { WeightSource } from './weight-source.ts';

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

/** Binds all params and states. `source` null stands for no checkpoint. Rejects with a WeightsError that tells everything that does not fit. */
export async function bindVariables(
  manifest: Manifest,
  source: WeightSource | null,
  missing: MissingParams,
): Promise<readonly WeightBinding[]> {
  const needed = neededVariables(manifest, source, missing);
  const bindings = manifest.stores.flatMap((variable, index): readonly WeightBinding[] => {
    if (variable.kind === 'control' || !needed.has(index)) return [];
    const shape = evaluateShape(variable.axes, NO_SIZES);
    const elements = elementCount(shape);
    const withinSize =
      variable.within === null ? null : evaluateCount(variable.within.size, NO_SIZES, variable.within.name);
    const fresh = startsFresh(variable, source, missing);
    const slices = fresh ? null : (variable.cells ?? [wholeSlice(variable.path, shape, elements)]);
    return [{ index, variable, shape, elements, withinSize, slices }];
  });
  const misfits = bindings.filter(
    ({ variable, slices }) => !(slices ?? []).every((slice) => source !== null && fits(variable, slice, source)),
  );
  if (misfits.length === 0) return bindings;
  // What is wrong, and what it may be instead, is looked for where something is.
  const { problemsOf } = await import('./misfits.ts');
  throw new WeightsError(problemsOf(misfits, manifest, source));
}

/** Names of all tensors that the params and states of a manifest may be read from. */
export function tensorsOf(manifest: Manifest): ReadonlySet<string> {
  return new Set(manifest.stores.flatMap((variable) => (variable.kind === 'control' ? [] : namesOf(variable))));
}

/** The tensors that a variable is made of. */
export function namesOf(variable: VariableSpec): readonly string[] {
  const names = variable.cells?.flatMap(({ tensor, scales }) => (scales === null ? [tensor] : [tensor, scales]));
  return [...new Set(names ?? [variable.path])];
}

export function absentNames(variable: VariableSpec, source: WeightSource | null): readonly string[] {
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
