/**
 * A run inside the caller's own command encoder, from GPU buffers to GPU buffers.
 *
 * Invariants:
 * - Each combination of entry, sizes, seed and given controls has memory of its own: an encoder may be submitted later,
 *   after other runs of the model, and may be submitted together with others.
 * - The fault words keep the first fault of all submissions until `check` reads and clears them.
 */
import { Arena, bufferUsage } from './buffers.ts';
import { InputError } from '../contract/errors.ts';
import { readFeeds } from './feeds.ts';
import { type PlanLayout, isSkipped, kernelsOf, layOut } from '../contract/buffer-layout.ts';
import { checkFaults } from '../contract/faults.ts';
import type { PlanSpec, ResultSpec } from '../contract/manifest.ts';
import { findEntry } from './memory-plan.ts';
import type { ModelContext } from './model.ts';
import { type Named, toMap } from '../contract/named.ts';
import { Readback } from './readback.ts';
import { planFor } from '../contract/regimes.ts';
import {
  type RunContext,
  type RunSpec,
  allocateRun,
  bufferAt,
  copyFeeds,
  launcherOf,
  bindingOf,
  resetFaults,
  writeRun,
} from './run.ts';

export interface EncodeOptions {
  readonly entry?: string;
  /** Buffers by input name, f32, i32 or u32 0 and 1, with COPY_SRC usage. */
  readonly inputs: Named<GPUBuffer>;
  /**
   * Buffers by result name, with COPY_DST usage; results that are not named stay inside. A route r is r.present, r.rank
   * and r.weight, dense over sources and targets. Outputs and losses are computed if named.
   */
  readonly outputs: Named<GPUBuffer>;
  /** Sizes of all dynamic axes of the inputs: buffers may be longer than their tensors. */
  readonly sizes?: Named<number>;
  readonly controls?: Named<GPUBuffer>;
  readonly seed?: number;
}

/** A recorded run. */
export interface Encoded {
  /** After the submission: throws RunError if a kernel met something without meaning, or what the device has to say. */
  check(): Promise<void>;
  /** Gives the memory of this recording back; it must have been submitted. `dispose` of the model does it too. */
  release(): void;
}

interface Prepared extends Encoded {
  readonly layout: PlanLayout;
  readonly context: RunContext;
}

/** Records a run; memory of equal recordings is kept in `kept` and used again. Throws InputError, OutOfMemoryError. */
export function encodeRun(
  parts: ModelContext,
  kept: Map<string, Encoded>,
  encoder: GPUCommandEncoder,
  options: EncodeOptions,
): Encoded {
  parts.state.check();
  const entry = findEntry(parts.manifest, options.entry);
  const outputs = toMap(options.outputs);
  const plan = choosePlan(entry.plan, entry.full, outputs);
  if (plan.steps.some(({ kind }) => kind === 'extern')) {
    throw new InputError('MOE0714', `${entry.name} calls a function of the host, which an encoder cannot: use run`);
  }
  const controls = toMap(options.controls ?? {});
  const { feeds, sizes, given } = readFeeds(parts.manifest, entry, toMap(options.inputs), {
    controls,
    sizes: toMap(options.sizes ?? {}),
    checkFinite: false,
    plan,
  });
  const own = planFor(plan, sizes);
  if (!kernelsOf(own).every((kernel) => parts.pipelines.has(kernel))) {
    throw new InputError('MOE0706', `${entry.name} is not compiled yet: await warmUp() before it is recorded`);
  }
  const seed = options.seed ?? 0;
  const asked = new Set(['result' as const, ...groupsOf(plan, outputs)]);
  const key = JSON.stringify([entry.name, plan === entry.full, [...sizes], seed, [...given].sort(), [...asked].sort()]);
  const known = kept.get(key);
  const prepared = isPrepared(known) ? known : prepare(parts, own, { sizes, asked, given }, () => kept.delete(key));
  const spec: RunSpec = { layout: prepared.layout, feeds, given, asked, seed, signal: undefined, timeout: null };
  const { context, layout } = prepared;
  parts.state.guard(() => {
    if (known === undefined) {
      allocateRun(context, spec);
      writeRun(context, spec);
      kept.set(key, prepared);
    }
    copyFeeds(context, spec, encoder);
  });
  const launches = layout.steps.flatMap((step) =>
    step.kind === 'launch' && !isSkipped(step.launch, spec.given) ? [step.launch] : [],
  );
  launcherOf(context, layout).record(encoder, launches);
  parts.state.guard(() => copyResults(prepared, encoder, outputs));
  return prepared;
}

function isPrepared(encoded: Encoded | undefined): encoded is Prepared {
  return encoded !== undefined && 'layout' in encoded;
}

function prepare(
  parts: ModelContext,
  plan: PlanSpec,
  run: Pick<RunSpec, 'asked' | 'given'> & Pick<PlanLayout, 'sizes'>,
  forget: () => void,
): Prepared {
  const arena = new Arena(parts.memory);
  const layout = layOut(parts.manifest, plan, run.sizes);
  const context: RunContext = { ...parts, arena, launchers: new WeakMap() };
  return {
    layout,
    context,
    check: async () => {
      const { state } = parts;
      await state.settle();
      if (layout.faultBytes === 0) return;
      const readback = new Readback(state, arena, [{ buffer: arena.get('status'), bytes: layout.faultBytes }]);
      state.guard(() => {
        const encoder = state.device.createCommandEncoder({ label: 'status' });
        readback.begin(encoder);
        state.device.queue.submit([encoder.finish()]);
        // Behind the copy in the queue, before whatever is submitted next.
        resetFaults(context, layout);
      });
      const [words = new Uint32Array(0)] = await readback.finish(null);
      checkFaults(layout, run, words);
    },
    release: () => {
      arena.clear();
      forget();
    },
  };
}

/** Result names an encoder can copy, with their buffers. */
function copies(result: ResultSpec): readonly (readonly [string, number])[] {
  if (result.kind === 'tensor') return result.group === 'update' ? [] : [[result.name, result.buffer]];
  const { name, present, rank, weight } = result;
  return [
    [`${name}.present`, present],
    [`${name}.rank`, rank],
    [`${name}.weight`, weight],
  ];
}

/** What the results that an encoder copies belong to. */
function groupsOf(plan: PlanSpec, outputs: ReadonlyMap<string, GPUBuffer>): readonly ResultSpec['group'][] {
  return plan.results.filter((r) => copies(r).some(([name]) => outputs.has(name))).map(({ group }) => group);
}

function choosePlan(plan: PlanSpec, full: PlanSpec, outputs: ReadonlyMap<string, GPUBuffer>): PlanSpec {
  const names = (of: PlanSpec): ReadonlySet<string> => new Set(of.results.flatMap(copies).map(([name]) => name));
  const small = names(plan);
  if ([...outputs.keys()].every((name) => small.has(name))) return plan;
  const all = names(full);
  const unknown = [...outputs.keys()].find((name) => !all.has(name));
  if (unknown === undefined) return full;
  throw new InputError('MOE0706', `there is no result ${unknown}: there is ${[...all].join(', ')}`, unknown);
}

function copyResults(
  { layout, context }: Prepared,
  encoder: GPUCommandEncoder,
  outputs: ReadonlyMap<string, GPUBuffer>,
): void {
  for (const [name, buffer] of layout.plan.results.flatMap(copies)) {
    const target = outputs.get(name);
    if (target === undefined) continue;
    const binding = bindingOf(layout, buffer);
    if ((target.usage & bufferUsage.copyTarget) === 0) {
      throw new InputError('MOE0707', `the buffer for ${name} lacks COPY_DST usage`, name);
    }
    if (target.size < binding.usedBytes) {
      const told = `the buffer for ${name} has ${target.size} bytes, ${binding.usedBytes} are needed`;
      throw new InputError('MOE0708', told, name);
    }
    if (binding.usedBytes > 0) encoder.copyBufferToBuffer(bufferAt(context, binding), 0, target, 0, binding.usedBytes);
  }
}
