/**
 * Tensors of a run in safetensors files: inputs and states on the way in, results on the way out.
 *
 * Every stored type that can be a number is read; integers stay integers. Results go out as they are declared: f32 as F32,
 * f16 as F16, i32 as I32, bool as BOOL.
 */
import { decodeFloats, decodeIntegers, f16ToNumber, numberToF16 } from '../../../runtime/contract/elements.ts';
import { fromFile } from '../../../runtime/node.ts';
import { writeSafetensors, type WritableTensor } from '../../../runtime/weights/safetensors.ts';
import type { SourceTensor, WeightSource } from '../../../runtime/weights/weight-source.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { NamedTensor } from './execution.ts';
import { exitCodes } from '../terminal/exit.ts';
import { statOrNull } from '../terminal/io.ts';

/** All tensors of a file, by name. Exit code 74 if the file cannot be read, WeightsError if it is malformed. */
export async function readTensors(path: string): Promise<ReadonlyMap<string, NamedTensor>> {
  await mustBeThere(path);
  const source = await fromFile(path);
  try {
    const tensors = new Map<string, NamedTensor>();
    for (const [name, info] of source.tensors) tensors.set(name, await readTensor(path, name, info, source));
    return tensors;
  } finally {
    await source.close();
  }
}

/** Exit code 74 where nothing stands at a path that the command line names. */
export async function mustBeThere(path: string): Promise<void> {
  if ((await statOrNull(path)) === null) {
    throw new CliError(exitCodes.io, `cannot read ${path}: there is no such file or folder`);
  }
}

async function readTensor(path: string, name: string, info: SourceTensor, source: WeightSource): Promise<NamedTensor> {
  const { shape, dtype } = info;
  const bytes = await source.read(name, 0, info.byteLength);
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype === 'BOOL') return { element: 'bool', shape, data: bytes.map((b) => (b === 0 ? 0 : 1)) };
  if (dtype === 'F64') {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return {
      element: 'f32',
      shape,
      data: Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, true)),
    };
  }
  const integers = new Int32Array(count);
  const misfit = decodeIntegers(dtype, bytes, integers);
  if (misfit !== null && misfit >= 0) {
    throw new CliError(exitCodes.input, `${path}: ${name} holds a number at ${misfit} that is no i32`);
  }
  if (misfit !== null) return { element: 'i32', shape, data: integers };
  const floats = new Float32Array(count);
  if (decodeFloats(dtype, bytes, floats) === null) {
    throw new CliError(exitCodes.input, `${path}: ${name} is stored as ${dtype}, which cannot be an input`);
  }
  return { element: 'f32', shape, data: floats };
}

/** The bytes of a file that holds these tensors; they depend on nothing else. */
export function tensorFile(tensors: ReadonlyMap<string, NamedTensor>): Uint8Array {
  return writeSafetensors([...tensors].map(([name, tensor]) => writable(name, tensor)));
}

/** A tensor as its file has it. */
export function writable(name: string, { element, shape, data }: NamedTensor): WritableTensor {
  switch (element) {
    case 'f32':
      return { name, dtype: 'F32', shape, data: Float32Array.from(data) };
    case 'f16':
      return { name, dtype: 'F16', shape, data: Uint16Array.from(data, numberToF16) };
    case 'i32':
      return { name, dtype: 'I32', shape, data: Int32Array.from(data) };
    case 'bool':
      return { name, dtype: 'BOOL', shape, data: Uint8Array.from(data) };
  }
}

/** What stays of a number where it enters a value of type f16. */
export const roundToF16 = (value: number): number => f16ToNumber(numberToF16(value));

/** The states of a file: `state.PATH`, as a run writes them, or plain paths where no name is written so. */
export function statesOf(tensors: ReadonlyMap<string, NamedTensor>): ReadonlyMap<string, NamedTensor> {
  const prefix = 'state.';
  const marked = [...tensors].filter(([name]) => name.startsWith(prefix));
  return marked.length === 0 ? tensors : new Map(marked.map(([name, t]) => [name.slice(prefix.length), t]));
}

/** Numbers about a tensor for listings. */
export function summary(tensor: NamedTensor): { readonly min: number; readonly mean: number; readonly max: number } {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of tensor.data) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return tensor.data.length === 0 ? { min: 0, mean: 0, max: 0 } : { min, mean: sum / tensor.data.length, max };
}
