/**
 * What a model takes, told before anything is allocated.
 *
 * The numbers are those the runtime allocates: storage and uniform buffers of the model, and the staging buffer through
 * which results come back. What a driver adds is its own.
 */
import { InputError } from '../contract/errors.ts';
import { type PlanLayout, allocatedBytes, buffersForHost, layOut } from '../contract/buffer-layout.ts';
import { type EntrySpec, type Manifest, bytesPerElement } from '../contract/manifest.ts';
import { buffersOfResult } from '../contract/results.ts';
import { planFor } from '../contract/regimes.ts';
import { elementCount, evaluateShape } from '../contract/sizes.ts';
import { type Named, toMap } from '../contract/named.ts';
import { checkFlags, checkOptions, checkSizes } from './call-options.ts';
import { stagingBytes } from './readback.ts';

export interface MemoryPlan {
  readonly bytes: number;
  readonly params: number;
  readonly states: number;
  /** Values between kernels, placed by lifetime. */
  readonly scratch: number;
  readonly inputs: number;
  readonly results: number;
  /** Uniforms, run-time controls, status, staging. */
  readonly other: number;
  /** The largest single buffer: what `maxStorageBufferBindingSize` and `maxBufferSize` have to allow. */
  readonly largest: { readonly label: string; readonly bytes: number };
}

/**
 * Bytes of a model with one run of an entry. `sizes` are those of the dynamic axes; `full` counts losses, outputs and
 * updates too. Throws InputError for an unknown entry or sizes that make no sense.
 */
export function planMemory(
  manifest: Manifest,
  options: {
    readonly entry?: string;
    readonly sizes?: Named<number>;
    readonly full?: boolean;
  } = {},
): MemoryPlan {
  checkOptions(options, 'options');
  if (options.sizes !== undefined) checkSizes(options.sizes);
  checkFlags(options, ['full']);
  const entry = findEntry(manifest, options.entry);
  const sizes = toMap(options.sizes ?? {});
  const plan = planFor(options.full === true ? entry.full : entry.plan, sizes);
  const layout = layOut(manifest, plan, sizes);
  const sums = { params: 0, states: 0, scratch: 0, inputs: 0, results: 0, other: 0 };
  let largest = { label: 'nothing', bytes: 0 };
  const add = (group: keyof typeof sums, label: string, bytes: number): void => {
    sums[group] += bytes;
    if (bytes > largest.bytes) largest = { label, bytes };
  };
  for (const variable of manifest.stores) {
    if (variable.kind === 'control') continue;
    const bytes = allocatedBytes(bytesPerElement * elementCount(evaluateShape(variable.axes, new Map())));
    add(variable.kind === 'param' ? 'params' : 'states', variable.path, bytes);
  }
  for (const [key, { label, bytes }] of layout.allocations) {
    const [kind] = key.split(':');
    add(
      kind === 'scratch' ? 'scratch' : kind === 'input' ? 'inputs' : kind === 'result' ? 'results' : 'other',
      label,
      bytes,
    );
  }
  add('other', 'staging', stagingBytes(maxBytesRead(layout)));
  const bytes = Object.values(sums).reduce((sum, part) => sum + part, 0);
  return { bytes, ...sums, largest };
}

/** Bytes that are read back at once at most: operands of a function of the host, or the results with the fault words. */
function maxBytesRead({ plan, bindings, faultBytes }: PlanLayout): number {
  const sum = (buffers: readonly number[]): number =>
    buffers.reduce((bytes, buffer) => bytes + (bindings[buffer]?.usedBytes ?? 0), 0);
  const externs = plan.steps.map((step) => (step.kind === 'launch' ? 0 : sum(buffersForHost(step))));
  const results = plan.results.filter(({ group }) => group !== 'update').flatMap(buffersOfResult);
  return Math.max(faultBytes + sum(results), ...externs);
}

/** An entry by name; the only one, or `forward`, where no name is given. Throws InputError MOE0706. */
export function findEntry(manifest: Manifest, name?: string): EntrySpec {
  const { entries } = manifest;
  const [only] = entries;
  if (name === undefined && only !== undefined && entries.length === 1) return only;
  const entry = entries.find((candidate) => candidate.name === (name ?? 'forward'));
  if (entry !== undefined) return entry;
  const known = entries.map((candidate) => candidate.name).join(', ');
  throw new InputError('MOE0706', `the model has no entry ${name ?? 'forward'}: it has ${known}`);
}
