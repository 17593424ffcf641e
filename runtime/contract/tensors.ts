/**
 * Tensors on the host: what callers pass in and get back, and how the sizes of a run follow from them.
 *
 * Invariants:
 * - On the way in every value becomes 32-bit words in row-major order, checked against the declared axes; a caller's
 *   array is never kept.
 * - f16 values are rounded where they enter, indices are checked against the axis they index.
 * - The sizes of dynamic axes follow from shapes that were given or, where one unknown is left, from lengths; every
 *   input then has to agree with them.
 */
import { missing, unreachable } from './bug.ts';
import { f16Table, numberToF16 } from './elements.ts';
import { InputError } from './errors.ts';
import type { AxisSpec, ManifestElement } from './manifest.ts';
import { type Sizes, elementCount, evaluateCount, evaluateShape } from './sizes.ts';

/** Numbers of a tensor as a caller has them. f16 tensors also take their bits in a Uint16Array. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | readonly number[]
  | readonly boolean[];

/** A tensor with its shape, for when sizes do not follow from lengths. */
export interface ShapedTensor {
  readonly data: TensorData;
  readonly shape: readonly number[];
}

/** WebGPU's number for buffers that are copied from. */
const COPY_SOURCE = 0x4;

/** What a run takes for an input: numbers on the host, or a GPU buffer with COPY_SRC usage (f32, i32, or u32 0 and 1). */
export type InputValue = TensorData | ShapedTensor | GPUBuffer | ShapedBuffer;

export interface ShapedBuffer {
  readonly buffer: GPUBuffer;
  readonly shape?: readonly number[];
}

/** What a run returns: f32 and f16 as Float32Array, i32 as Int32Array, bool as Uint8Array of 0 and 1. */
export interface Tensor {
  readonly element: ManifestElement;
  /** Names of the axes, outermost first. */
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** An input as declared. */
export interface DeclaredTensor {
  readonly name: string;
  readonly element: ManifestElement;
  readonly axes: readonly AxisSpec[];
  readonly within: AxisSpec | null;
}

/** An input as given: words on the host or a buffer; `length` counts elements, null where a buffer may be longer. */
export interface InputTensor {
  readonly declared: DeclaredTensor;
  readonly content:
    { readonly kind: 'host'; readonly data: TensorData } | { readonly kind: 'gpu'; readonly buffer: GPUBuffer };
  readonly shape: readonly number[] | null;
  readonly length: number | null;
}

/** Sorts out what a caller passed for a declared input. Throws InputError MOE0707. */
export function readInput(declared: DeclaredTensor, value: unknown): InputTensor {
  const wrong = (what: string): InputError =>
    new InputError('MOE0707', `${declared.name} is ${what}, ${describeWanted(declared)} is wanted`, declared.name);
  if (isTensorData(value)) {
    if (isDetached(value)) throw wrong('an array whose memory was transferred away');
    return { declared, content: { kind: 'host', data: value }, shape: null, length: value.length };
  }
  if (typeof value !== 'object' || value === null) throw wrong(value === null ? 'null' : `a ${typeof value}`);
  if (isGpuBuffer(value)) return { declared, content: { kind: 'gpu', buffer: value }, shape: null, length: null };
  const shape: unknown = Reflect.get(value, 'shape');
  const data: unknown = Reflect.get(value, 'data');
  const buffer: unknown = Reflect.get(value, 'buffer');
  if (shape !== undefined && !isShape(shape)) throw wrong('given with a shape that is not a list of sizes');
  if (isTensorData(data)) {
    if (shape === undefined) throw wrong('given without its shape');
    if (isDetached(data)) throw wrong('an array whose memory was transferred away');
    return { declared, content: { kind: 'host', data }, shape, length: data.length };
  }
  if (isGpuBuffer(buffer)) return { declared, content: { kind: 'gpu', buffer }, shape: shape ?? null, length: null };
  throw wrong('an object without numbers');
}

function describeWanted(declared: DeclaredTensor): string {
  return `${declared.element}[${declared.axes.map(({ name }) => name).join(', ')}]`;
}

export function isTensorData(value: unknown): value is TensorData {
  if (Array.isArray(value)) {
    // Not `every`: it passes over holes.
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item !== 'number' && typeof item !== 'boolean') return false;
    }
    return true;
  }
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array || value instanceof BigUint64Array)
  );
}

/** Whether the memory of an array was transferred away: then it looks empty. A view of such memory cannot be made. */
function isDetached(data: TensorData): boolean {
  if (!ArrayBuffer.isView(data) || data.length > 0) return false;
  try {
    return new Uint8Array(data.buffer).length < 0;
  } catch {
    return true;
  }
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Told by its behaviour: the class is not global in every host. */
export function isGpuBuffer(value: unknown): value is GPUBuffer {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  return 'getMappedRange' in value && 'mapState' in value && 'usage' in value;
}

/**
 * The sizes of the dynamic axes of a run. Throws InputError MOE0708 or MOE0709 where an input does not fit its axes,
 * MOE0706 where a size does not follow from anything.
 */
export function bindSizes(dynamic: readonly string[], inputs: readonly InputTensor[], given: Sizes): Sizes {
  const sizes = new Map<string, number>();
  const from = new Map<string, string>();
  const bind = (axis: string, size: number, source: string): void => {
    const known = sizes.get(axis);
    if (known !== undefined && known !== size) {
      const other = from.get(axis) ?? '';
      throw new InputError(
        'MOE0709',
        `${source} gives the axis ${axis} the size ${size}, ${other} gives it ${known}`,
        source,
      );
    }
    sizes.set(axis, size);
    if (known === undefined) from.set(axis, source);
  };
  for (const [axis, size] of given) {
    if (!dynamic.includes(axis)) {
      throw new InputError('MOE0706', `there is no axis ${axis} whose size a run decides`);
    }
    if (!Number.isSafeInteger(size) || size < 0)
      throw new InputError('MOE0708', `the axis ${axis} cannot have the size ${size}`);
    bind(axis, size, 'the list of sizes');
  }
  for (const { declared, shape } of inputs) {
    if (shape === null) continue;
    if (shape.length !== declared.axes.length) {
      const told = `${declared.name} has ${shape.length} axes, ${describeWanted(declared)} has ${declared.axes.length}`;
      throw new InputError('MOE0708', told, declared.name);
    }
    declared.axes.forEach((axis, i) => {
      if (typeof axis.size === 'string') bind(axis.size, shape[i] ?? missing('extent'), declared.name);
    });
  }
  // Lengths: each round may settle an axis that makes another input solvable.
  for (let settled = true; settled;) {
    settled = false;
    for (const { declared, shape, length } of inputs) {
      if (shape !== null || length === null) continue;
      const solved = solveLength(declared, length, sizes);
      if (solved === null) continue;
      bind(solved.axis, solved.size, declared.name);
      settled = true;
    }
  }
  for (const input of inputs) checkShape(input, sizes);
  return sizes;
}

/** The one axis of an input that is not known yet, and its size by the input's length; null if it does not follow. */
function solveLength(declared: DeclaredTensor, length: number, sizes: Sizes): { axis: string; size: number } | null {
  let unknown: string | null = null;
  let power = 0;
  let known = 1;
  for (const { name, size } of declared.axes) {
    if (typeof size === 'string' && !sizes.has(size)) {
      if (unknown !== null && unknown !== size) return null;
      unknown = size;
      power += 1;
      continue;
    }
    try {
      known *= evaluateCount(size, sizes, `the size of axis ${name}`);
    } catch {
      // Derived from an axis that is not known yet.
      return null;
    }
  }
  if (unknown === null || known === 0) return null;
  const size = Math.round((length / known) ** (1 / power));
  if (known * size ** power !== length) {
    const told = `${declared.name} has ${length} numbers, no multiple of the ${known} that ${describeWanted(declared)} has for each ${unknown}`;
    throw new InputError('MOE0708', told, declared.name);
  }
  return { axis: unknown, size };
}

function checkShape({ declared, shape, length, content }: InputTensor, sizes: Sizes): void {
  for (const { name, size } of declared.axes) {
    if (typeof size === 'string' && !sizes.has(size)) {
      const told = `the size of axis ${name} does not follow from the inputs: give ${declared.name} its shape`;
      throw new InputError('MOE0706', told, declared.name);
    }
  }
  const wanted = evaluateShape(declared.axes, sizes);
  const shown = `[${wanted.join(', ')}] (${describeWanted(declared)})`;
  if (shape !== null && shape.some((size, i) => size !== wanted[i])) {
    throw new InputError(
      'MOE0708',
      `${declared.name} has the shape [${shape.join(', ')}], ${shown} is wanted`,
      declared.name,
    );
  }
  const count = elementCount(wanted);
  if (length !== null && length !== count) {
    throw new InputError('MOE0708', `${declared.name} has ${length} numbers, ${shown} has ${count}`, declared.name);
  }
  if (content.kind === 'gpu' && (content.buffer.usage & COPY_SOURCE) === 0) {
    throw new InputError('MOE0707', `the buffer of ${declared.name} lacks COPY_SRC usage`, declared.name);
  }
  if (content.kind === 'gpu' && content.buffer.size < 4 * count) {
    const told = `the buffer of ${declared.name} has ${content.buffer.size} bytes, ${shown} needs ${4 * count}`;
    throw new InputError('MOE0708', told, declared.name);
  }
}

/**
 * The words of a host tensor as the GPU has them. `limit` is the size of the axis that indices lie in, or null.
 * Throws InputError MOE0707 for numbers that the element type has not, MOE0710 for an index outside of its axis.
 */
export function toWords(
  declared: DeclaredTensor,
  data: TensorData,
  limit: number | null,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  switch (declared.element) {
    case 'f32':
      return new Float32Array(asNumbers(data));
    case 'f16': {
      const table = f16Table();
      if (data instanceof Uint16Array)
        return new Float32Array(data).map((bits) => table[bits] ?? missing('entry of a table'));
      return new Float32Array(asNumbers(data)).map((value) => table[numberToF16(value)] ?? missing('entry of a table'));
    }
    case 'i32': {
      const words = new Int32Array(data.length);
      for (let i = 0; i < words.length; i++) {
        const value = Number(data[i]);
        if (value !== (value | 0)) {
          throw new InputError('MOE0707', `${declared.name} holds ${value} at ${i}, i32 is wanted`, declared.name);
        }
        if (limit !== null && (value < -1 || value >= limit)) {
          const told = `${declared.name} holds ${value} at ${i}, an index of ${declared.within?.name ?? 'its axis'} lies in -1 .. ${limit - 1}`;
          throw new InputError('MOE0710', told, declared.name);
        }
        words[i] = value;
      }
      return words;
    }
    case 'bool':
      return Uint32Array.from({ length: data.length }, (_, i) => (Number(data[i]) === 0 ? 0 : 1));
    default:
      return unreachable(declared.element);
  }
}

/** Numbers as they are; an array over shared or resized memory is read now, once. */
function asNumbers(data: TensorData): ArrayLike<number> {
  return isBooleans(data) ? data.map(Number) : data;
}

function isBooleans(data: TensorData): data is readonly boolean[] {
  return Array.isArray(data) && data.some((item) => typeof item === 'boolean');
}

/** Throws InputError MOE0707 for the first float word that is not finite. */
export function checkAllFinite(name: string, words: Float32Array | Int32Array | Uint32Array): void {
  if (!(words instanceof Float32Array)) return;
  const bad = words.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError('MOE0707', `${name} holds ${words[bad]} at ${bad}`, name);
}

/** Words read back from the GPU as a caller's tensor. `words` is kept. */
export function fromWords(
  element: ManifestElement,
  axes: readonly AxisSpec[],
  shape: readonly number[],
  words: Uint32Array<ArrayBuffer>,
): Tensor {
  const names = axes.map(({ name }) => name);
  switch (element) {
    case 'f32':
    case 'f16':
      return { element, axes: names, shape, data: new Float32Array(words.buffer, words.byteOffset, words.length) };
    case 'i32':
      return { element, axes: names, shape, data: new Int32Array(words.buffer, words.byteOffset, words.length) };
    case 'bool':
      return { element, axes: names, shape, data: Uint8Array.from(words, (word) => (word === 0 ? 0 : 1)) };
    default:
      return unreachable(element);
  }
}
