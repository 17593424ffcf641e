/**
 * A plan with its sizes filled in: which buffers it needs and how large, what each launch looks like. Pure: `plan()`
 * tells bytes from it before anything is allocated, and the executor allocates exactly what it says.
 *
 * Buffers of the arena have keys, by which runs share them: `scratch:3`, `input:0`, `result:7`, `control:2` (index into the
 * manifest's stores), `status` (the fault words), `uniforms`. Params and states are the model's own, outlive runs and have none.
 */
import { unreachable } from './bug.ts';
import { InputError, MoecError } from './errors.ts';
import {
  type BufferSpec,
  type ExternSpec,
  type LaunchSpec,
  type KernelSpec,
  type PlanSpec,
  type SizeFormula,
  type StepSpec,
  type VariableSpec,
  bytesPerElement,
} from './manifest.ts';
import { type Sizes, evaluateCount, evaluateNumber, evaluateWord } from './sizes.ts';

/** A buffer that somebody is about to ask for. */
export interface BufferRequest {
  readonly label: string;
  readonly bytes: number;
}

/** Bytes of a buffer for nothing: a shader that reads it by vectors takes no less than one. */
const EMPTY_BYTES = 16;

/** Bytes as they are allocated. */
export function allocatedBytes(bytes: number): number {
  return bytes === 0 ? EMPTY_BYTES : Math.ceil(bytes / 4) * 4;
}

/** Where a plan's buffer is. */
export type BufferBinding = {
  /** Bytes that are bound: some for an empty tensor too. */
  readonly bytes: number;
  /** Bytes with meaning: 0 for an empty tensor. */
  readonly usedBytes: number;
} & (
  | { readonly kind: 'arena'; readonly key: string }
  /** A param or state of the model, by its index in the manifest's stores. */
  | { readonly kind: 'store'; readonly store: number }
);

export interface LaunchLayout {
  readonly spec: LaunchSpec;
  readonly workgroups: number;
  /** Of three dimensions; null: a row, to be folded. */
  readonly grid: readonly [number, number, number] | null;
  /** Offset of the launch's uniform struct in the uniform buffer, null if it has none. */
  readonly uniforms: { readonly offset: number; readonly bytes: number } | null;
}

export type StepLayout =
  | { readonly kind: 'launch'; readonly launch: LaunchLayout }
  | { readonly kind: 'extern'; readonly spec: Extract<StepSpec, { readonly kind: 'extern' }> };

export interface PlanLayout {
  readonly plan: PlanSpec;
  readonly sizes: Sizes;
  /** Of each of the plan's buffers. */
  readonly bindings: readonly BufferBinding[];
  readonly steps: readonly StepLayout[];
  /** Everything the arena has to hold, by key. */
  readonly allocations: ReadonlyMap<string, BufferRequest>;
  /** Contents of the uniform buffer, but for the seed. */
  readonly uniforms: Uint8Array<ArrayBuffer>;
  /** Byte offsets at which the seed goes into the uniform buffer. */
  readonly seeds: readonly number[];
  /** Bytes of the fault words. */
  readonly faultBytes: number;
}

/** The coarsest alignment a device may ask of uniform bindings. */
const UNIFORM_ALIGNMENT = 256;

/** Uniform structs are bound in units of their largest alignment. */
const UNIFORM_STRIDE = 16;

/** What of a module a plan refers to by number. */
export interface PlanTables {
  readonly stores: readonly Pick<VariableSpec, 'kind'>[];
  readonly kernels: readonly Pick<KernelSpec, 'buffers' | 'uniforms'>[];
}

/** Throws InputError MOE0715 where a size of the plan makes no sense with the given ones. */
export function layOut(manifest: PlanTables, plan: PlanSpec, sizes: Sizes): PlanLayout {
  const lanes = lanesOf(manifest, plan);
  const bindings = plan.buffers.map((buffer, i) => {
    const bound = bindBuffer(manifest, plan, buffer, i, sizes);
    refusePartOfVector(bound, lanes[i] ?? 1, buffer.label);
    return bound;
  });
  const allocations = new Map<string, BufferRequest>();
  const allocate = (key: string, label: string, bytes: number): void => {
    const known = allocations.get(key);
    if (known === undefined || known.bytes < bytes) allocations.set(key, { label, bytes: allocatedBytes(bytes) });
  };
  bindings.forEach((binding, i) => {
    if (binding.kind === 'arena') allocate(binding.key, plan.buffers[i]?.label ?? binding.key, binding.bytes);
  });
  const words = plan.status.flatMap(({ word, shown }) => [
    word,
    ...shown.flatMap((s) => ('word' in s ? [s.word] : [])),
  ]);
  const faultBytes = bytesPerElement * words.reduce((most, word) => Math.max(most, word + 1), 0);
  if (faultBytes > 0) allocate('status', 'status', faultBytes);

  const uniforms: {
    readonly offset: number;
    readonly words: Uint8Array<ArrayBuffer>;
    readonly seeds: readonly number[];
  }[] = [];
  let end = 0;
  const steps = plan.steps.map((step): StepLayout => {
    if (step.kind === 'extern') return { kind: 'extern', spec: step };
    const workgroups = evaluateCount(step.workgroups, sizes, `the number of workgroups of ${step.label}`);
    const grid = gridOf(step, sizes);
    if (step.uniforms.length === 0) return { kind: 'launch', launch: { spec: step, workgroups, grid, uniforms: null } };
    const packed = packUniforms(manifest, step, sizes);
    const offset = Math.ceil(end / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    uniforms.push({ offset, ...packed });
    end = offset + packed.words.length;
    return {
      kind: 'launch',
      launch: { spec: step, workgroups, grid, uniforms: { offset, bytes: packed.words.length } },
    };
  });
  const bytes = new Uint8Array(end);
  for (const { offset, words } of uniforms) bytes.set(words, offset);
  const seeds = uniforms.flatMap(({ offset, seeds: within }) => within.map((at) => offset + at));
  if (end > 0) allocate('uniforms', 'uniforms', end);
  return { plan, sizes, bindings, steps, allocations, uniforms: bytes, seeds, faultBytes };
}

function gridOf({ grid, label }: LaunchSpec, sizes: Sizes): readonly [number, number, number] | null {
  if (grid === undefined) return null;
  const side = (formula: SizeFormula, axis: string): number =>
    evaluateCount(formula, sizes, `the number of workgroups of ${label} along ${axis}`);
  return [side(grid[0], 'x'), side(grid[1], 'y'), side(grid[2], 'z')];
}

/** Of each buffer of a plan, how many elements a vector has that a kernel reads it by; 1 where none does. */
function lanesOf(manifest: PlanTables, plan: PlanSpec): readonly number[] {
  const lanes = plan.buffers.map(() => 1);
  for (const step of plan.steps) {
    if (step.kind === 'extern') continue;
    const declared = manifest.kernels[step.kernel]?.buffers ?? [];
    step.buffers.forEach((buffer, i) => {
      lanes[buffer] = Math.max(lanes[buffer] ?? 1, declared[i]?.lanes ?? 1);
    });
  }
  return lanes;
}

function refusePartOfVector({ usedBytes }: BufferBinding, lanes: number, label: string): void {
  const elements = usedBytes / bytesPerElement;
  if (elements % lanes !== 0)
    throw new InputError('MOE0715', `${label} has ${elements} elements and is read by ${lanes} at a time`);
}

function bindBuffer(
  manifest: PlanTables,
  plan: PlanSpec,
  buffer: BufferSpec,
  index: number,
  sizes: Sizes,
): BufferBinding {
  const usedBytes = bytesPerElement * evaluateCount(buffer.elements, sizes, `the length of ${buffer.label}`);
  const bytes = allocatedBytes(usedBytes);
  const inArena = (key: string): BufferBinding => ({ kind: 'arena', key, bytes, usedBytes });
  switch (buffer.kind) {
    case 'scratch':
      return inArena(`scratch:${buffer.slot}`);
    case 'input':
      return inArena(`input:${buffer.input}`);
    case 'result':
      return inArena(`result:${plan.buffers.slice(0, index).filter(({ kind }) => kind === 'result').length}`);
    case 'status':
      return inArena('status');
    case 'store': {
      const variable = manifest.stores[buffer.store];
      if (variable === undefined) throw new MoecError('MOE0716', `the module has no variable ${buffer.store}`);
      if (variable.kind === 'control') return inArena(`control:${buffer.store}`);
      return { kind: 'store', store: buffer.store, bytes, usedBytes };
    }
    default:
      return unreachable(buffer);
  }
}

function packUniforms(
  manifest: PlanTables,
  step: LaunchSpec,
  sizes: Sizes,
): { readonly words: Uint8Array<ArrayBuffer>; readonly seeds: readonly number[] } {
  const fields = manifest.kernels[step.kernel]?.uniforms ?? [];
  const words = new Uint8Array(Math.ceil((fields.length * bytesPerElement) / UNIFORM_STRIDE) * UNIFORM_STRIDE);
  const view = new DataView(words.buffer);
  const seeds: number[] = [];
  fields.forEach((field, i) => {
    const at = i * bytesPerElement;
    const value = step.uniforms[i];
    if (value === undefined) throw new MoecError('MOE0716', `${step.label} has no value for ${field.name}`);
    if (typeof value === 'object' && 'special' in value) {
      seeds.push(at);
      return;
    }
    const what = `${field.name} of ${step.label}`;
    switch (field.type) {
      case 'f32':
        view.setFloat32(at, evaluateNumber(value, sizes), true);
        return;
      case 'i32':
        view.setInt32(at, evaluateWord(value, sizes, true, what), true);
        return;
      case 'u32':
        view.setUint32(at, evaluateWord(value, sizes, false, what), true);
        return;
      default:
        return unreachable(field.type);
    }
  });
  return { words, seeds };
}

/** Kernels a plan launches. */
export function kernelsOf(plan: PlanSpec): readonly number[] {
  return plan.steps.flatMap((step) => (step.kind === 'launch' ? [step.kernel] : []));
}

/** Whether a launch has nothing to do in a run that was given these controls. */
export function isSkipped({ spec, workgroups }: LaunchLayout, given: ReadonlySet<string>): boolean {
  return workgroups === 0 || (spec.unless !== null && given.has(spec.unless));
}

/** The plan buffers that the host reads: the operands in order, then the mask if there is one. */
export function buffersForHost({ operands, mask }: ExternSpec): readonly number[] {
  return [...operands.map(({ buffer }) => buffer), ...(mask === null ? [] : [mask.buffer])];
}
