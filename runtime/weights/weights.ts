/**
 * Weights on their way from a source to GPU buffers.
 *
 * Invariants:
 * - Host memory: a piece as it is stored, the same decoded where that differs, and one whole variable more where a checkpoint keeps it in another order.
 * - Every value is looked at: not finite, too large for f16, no index of its axis. All such faults come in one report.
 * - Values reach the GPU as the language means them: f16 rounded to nearest, bool as 0 and 1.
 */
import { missing, unreachable } from '../contract/bug.ts';
import type { WeightBinding } from './bind-weights.ts';
import {
  type CheckpointType,
  classOf,
  decodeFloats,
  decodeIntegers,
  decodeWholeFloats,
  elementBytes,
  f16Table,
  isNonFinite,
  numberToF16,
} from '../contract/elements.ts';
import { WeightsError, type WeightsProblem, weightsFault } from '../contract/errors.ts';
import { quoteName } from './json.ts';
import type { WeightSliceSpec, VariableSpec } from '../contract/manifest.ts';
import { MXFP4_BLOCK } from './fit.ts';
import { PIECE_BYTES, type WeightSource } from './weight-source.ts';

/** Decoded words of a piece of a variable. */
type Words = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** Takes words for a variable from an element on; resolves when more may come. */
export type WriteWords = (elementOffset: number, words: Words) => Promise<void>;

export interface LoadOptions {
  readonly signal?: AbortSignal;
  readonly allowNonFinite: boolean;
  /** Called with the stored bytes that were read. */
  readonly onBytes?: (bytes: number) => void;
}

/** Elements of a piece: decoded it takes PIECE_BYTES. */
const PIECE_ELEMENTS = PIECE_BYTES / 4;

interface Dim {
  readonly size: number;
  readonly stride: number;
  readonly to: number;
}

/** Bytes of the source that filling a binding reads, for progress. */
export function bytesToRead(binding: WeightBinding, source: WeightSource): number {
  const slices = binding.slices ?? [];
  return slices.reduce((sum, slice) => {
    const tensor = source.tensors.get(slice.tensor);
    const elements = slice.dims.reduce((product, { size }) => product * size, 1);
    return sum + elements * (tensor === undefined ? 0 : bytesOfElement(slice.decoder, tensor.dtype));
  }, 0);
}

function bytesOfElement(decoder: WeightSliceSpec['decoder'], dtype: CheckpointType): number {
  switch (decoder) {
    case null:
      return elementBytes(dtype);
    case 'mxfp4':
      return MXFP4_BLOCK.bytes / MXFP4_BLOCK.values;
    default:
      return unreachable(decoder);
  }
}

/** Reads one variable. Faults of its values are returned; faults of the source throw. */
export async function loadVariable(
  binding: WeightBinding,
  source: WeightSource,
  write: WriteWords,
  options: LoadOptions,
): Promise<readonly WeightsProblem[]> {
  const problems: WeightsProblem[] = [];
  const report = (problem: WeightsProblem | null): void => {
    if (problem !== null && !problems.some(({ code, tensor }) => code === problem.code && tensor === problem.tensor)) {
      problems.push(problem);
    }
  };
  const slices = (binding.slices ?? []).flatMap((slice) => {
    const dims = coalesce(slice.dims);
    return dims === null ? [] : [{ slice, dims }];
  });
  if (slices.every(({ dims }) => dims.every(({ stride, to }) => stride === 1 && to === 1))) {
    for (const { slice, dims } of slices) {
      const count = dims[0]?.size ?? 1;
      for (let at = 0; at < count; at += PIECE_ELEMENTS) {
        const length = Math.min(PIECE_ELEMENTS, count - at);
        const words = await readElements(binding.variable, slice, source, slice.from + at, length, options);
        report(finish(binding, slice, words, options));
        await write(slice.offset + at, words);
      }
    }
    return problems;
  }
  // Another order than the variable's, or interleaved with other slices: put together on the host.
  const whole = newWords(binding.variable, binding.elements);
  for (const { slice, dims } of slices) await copyStrided(binding, slice, dims, source, whole, options, report);
  for (let at = 0; at < whole.length; at += PIECE_ELEMENTS) {
    await write(at, whole.subarray(at, Math.min(whole.length, at + PIECE_ELEMENTS)));
  }
  return problems;
}

/** Dimensions by falling destination step, those of size 1 dropped, those that continue one another joined; null: empty. */
function coalesce(dims: readonly Dim[]): readonly Dim[] | null {
  if (dims.some(({ size }) => size === 0)) return null;
  const sorted = dims.filter(({ size }) => size > 1).sort((a, b) => b.to - a.to);
  const joined: Dim[] = [];
  for (const dim of sorted) {
    const outer = joined.at(-1);
    if (outer !== undefined && outer.to === dim.to * dim.size && outer.stride === dim.stride * dim.size) {
      joined[joined.length - 1] = { size: outer.size * dim.size, stride: dim.stride, to: dim.to };
    } else {
      joined.push(dim);
    }
  }
  return joined;
}

/** Copies a slice by blocks: outer dimensions of the source are gone over, what fits a piece is read at once. */
async function copyStrided(
  binding: WeightBinding,
  slice: WeightSliceSpec,
  dims: readonly Dim[],
  source: WeightSource,
  whole: Words,
  options: LoadOptions,
  report: (problem: WeightsProblem | null) => void,
): Promise<void> {
  const bySource = [...dims].sort((a, b) => b.stride - a.stride);
  let outer = 0;
  while (outer < bySource.length && spanOf(bySource.slice(outer)) > PIECE_ELEMENTS) outer += 1;
  const inner = bySource.slice(outer);
  const span = spanOf(inner);
  for (const { from, to } of offsetPairs(bySource.slice(0, outer))) {
    const words = await readElements(binding.variable, slice, source, slice.from + from, span, options);
    report(finish(binding, slice, words, options));
    for (const offset of offsetPairs(inner))
      whole[slice.offset + to + offset.to] = words[offset.from] ?? missing('word');
  }
}

const spanOf = (dims: readonly Dim[]): number => dims.reduce((span, { size, stride }) => span + (size - 1) * stride, 1);

/** Every point of some dimensions, as its place in source and destination. The object is reused. */
function* offsetPairs(dims: readonly Dim[]): Generator<{ readonly from: number; readonly to: number }> {
  const indices = dims.map(() => 0);
  const offset = { from: 0, to: 0 };
  for (;;) {
    yield offset;
    let k = dims.length - 1;
    for (; k >= 0; k--) {
      const dim = dims[k];
      if (dim === undefined) return;
      const index = (indices[k] ?? missing('index')) + 1;
      if (index < dim.size) {
        indices[k] = index;
        offset.from += dim.stride;
        offset.to += dim.to;
        break;
      }
      indices[k] = 0;
      offset.from -= (dim.size - 1) * dim.stride;
      offset.to -= (dim.size - 1) * dim.to;
    }
    if (k < 0) return;
  }
}

function newWords(variable: VariableSpec, count: number): Words {
  return variable.element === 'f32' || variable.element === 'f16' ? new Float32Array(count) : new Int32Array(count);
}

/** Elements `start` to `start + count` of a slice's tensor, row-major, decoded. */
async function readElements(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  source: WeightSource,
  start: number,
  count: number,
  options: LoadOptions,
): Promise<Words> {
  options.signal?.throwIfAborted();
  switch (slice.decoder) {
    case null:
      return readPlain(variable, slice, source, start, count, options);
    case 'mxfp4':
      return (await import('./mxfp4.ts')).readMxfp4(slice, source, start, count, options);
    default:
      return unreachable(slice.decoder);
  }
}

async function readPlain(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  source: WeightSource,
  start: number,
  count: number,
  options: LoadOptions,
): Promise<Words> {
  const tensor = source.tensors.get(slice.tensor);
  if (tensor === undefined) throw weightsFault('MOE0630', `there is no tensor ${quoteName(slice.tensor)}`);
  const size = elementBytes(tensor.dtype);
  if (tensor.dtype === 'F32' && variable.element === 'f32' && count * size <= PIECE_BYTES) {
    // Stored as the variable has them: the bytes that were read are the words, without a copy.
    const bytes = await source.read(slice.tensor, start * size, count * size, options.signal);
    if (bytes.length === count * size && bytes.byteOffset % size === 0 && bytes.buffer instanceof ArrayBuffer) {
      options.onBytes?.(bytes.length);
      return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    }
  }
  const words = newWords(variable, count);
  // Types wider than a word are read in as many pieces more.
  const step = Math.floor(PIECE_BYTES / Math.max(4, size));
  for (let at = 0; at < count; at += step) {
    const part = words.subarray(at, Math.min(count, at + step));
    const bytes = await source.read(slice.tensor, (start + at) * size, part.length * size, options.signal);
    if (bytes.length !== part.length * size) {
      throw weightsFault('MOE0616', `${quoteName(slice.tensor)} was read short`, { tensor: slice.tensor });
    }
    options.onBytes?.(bytes.length);
    const bad = decodePart(variable, tensor.dtype, bytes, part);
    if (bad !== null && bad >= 0) {
      const message = `${quoteName(slice.tensor)} holds a number at ${start + at + bad} that does not fit ${variable.element}`;
      throw weightsFault('MOE0634', message, { tensor: slice.tensor });
    }
  }
  return words;
}

/** Decodes one piece; the position of the first element that does not fit, or -1 or null where all do. */
function decodePart(variable: VariableSpec, dtype: CheckpointType, bytes: Uint8Array, part: Words): number | null {
  if (part instanceof Float32Array) {
    if (classOf(dtype) !== 'float') return decodeWholeFloats(dtype, bytes, part);
    decodeFloats(dtype, bytes, part);
    return null;
  }
  // Raw words of 32 bits are taken as they are: what they encode is the program's to decode.
  const raw = dtype === 'U32' && variable.element === 'i32' && variable.within === null;
  return decodeIntegers(raw ? 'I32' : dtype, bytes, part);
}

/** Rounds or normalises decoded words in place, and looks at each: the first kind of fault is returned. */
function finish(
  binding: WeightBinding,
  slice: WeightSliceSpec,
  words: Words,
  options: LoadOptions,
): WeightsProblem | null {
  const { variable } = binding;
  const fault = (code: 'MOE0633' | 'MOE0634' | 'MOE0636', told: string): WeightsProblem => ({
    code,
    message: `${quoteName(slice.tensor)} holds ${told}`,
    tensor: slice.tensor,
  });
  if (words instanceof Int32Array) {
    if (variable.element === 'bool') {
      for (let i = 0; i < words.length; i++) words[i] = words[i] === 0 ? 0 : 1;
    } else if (binding.withinSize !== null) {
      const { withinSize } = binding;
      const bad = words.find((index) => index < -1 || index >= withinSize);
      if (bad !== undefined)
        return fault('MOE0636', `the index ${bad}, ${variable.path} takes -1 .. ${withinSize - 1}`);
    }
    return null;
  }
  const bits = new Uint32Array(words.buffer, words.byteOffset, words.length);
  let nonFinite = 0;
  for (let i = 0; i < bits.length; i++) if (isNonFinite(bits[i] ?? missing('word'))) nonFinite += 1;
  if (nonFinite > 0 && !options.allowNonFinite) return fault('MOE0633', `${nonFinite} values that are not finite`);
  if (variable.element !== 'f16') return null;
  const table = f16Table();
  let overflows = 0;
  for (let i = 0; i < words.length; i++) {
    words[i] = table[numberToF16(words[i] ?? missing('word'))] ?? missing('entry of a table');
    if (isNonFinite(bits[i] ?? missing('word'))) overflows += 1;
  }
  if (overflows > nonFinite) return fault('MOE0634', `${overflows - nonFinite} values that are too large for f16`);
  return null;
}

/** Throws all faults that loading collected, if there are any. */
export function throwProblems(problems: readonly WeightsProblem[]): void {
  if (problems.length > 0) throw new WeightsError(problems);
}
