/**
 * Numbers that a caller of the library gives: copied to float64, in the shape that was said, and of the type that is declared.
 */
import type { NumberTensor } from '../../dsl/interpret/interpret-entry.ts';
import { InputError } from '../../runtime/contract/errors.ts';
import type { ManifestElement } from '../../runtime/contract/manifest.ts';
import { toMap, type Named } from '../../runtime/contract/named.ts';
import { checkNamed } from '../../runtime/running/call-options.ts';
import { isTensorData, type ShapedTensor, type TensorData } from '../../runtime/contract/tensors.ts';

/** Tensors by name. Throws MOE0767 for one without a shape, or whose numbers are not as many as its shape has. */
export function tensorsOf(inputs: Named<ShapedTensor>): ReadonlyMap<string, NumberTensor> {
  checkNamed(inputs, 'inputs');
  return new Map(
    [...toMap(inputs)].map(([name, tensor]) => {
      const shape: unknown = tensor?.shape;
      if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0))
        throw new InputError('MOE0767', `${name} has no shape, { shape, data } is wanted`, name);
      const data = numbersOf(name, tensor.data);
      const count = tensor.shape.reduce((a, b) => a * b, 1);
      if (data.length !== count)
        throw new InputError(
          'MOE0767',
          `${name} has ${data.length} numbers, its shape [${shape.join(', ')}] has ${count}`,
          name,
        );
      return [name, { shape: tensor.shape, data }];
    }),
  );
}

/** Numbers by path, whose shapes are the program's. */
export function weightsOf(weights: Named<TensorData>): ReadonlyMap<string, Float64Array> {
  checkNamed(weights, 'weights');
  return new Map([...toMap(weights)].map(([path, data]) => [path, numbersOf(path, data)]));
}

/** A copy of the numbers: a caller's array is never kept. */
function numbersOf(name: string, data: TensorData): Float64Array {
  if (!isTensorData(data))
    throw new InputError('MOE0767', `${name} has no numbers, a list or a typed array is wanted`, name);
  return Float64Array.from<number | boolean>(data, Number);
}
/** Throws MOE0708 for another shape than the declared one. */
export function checkShape(name: string, shape: readonly number[], wanted: readonly number[]): void {
  if (shape.join() !== wanted.join())
    throw new InputError(
      'MOE0708',
      `${name} has the shape [${wanted.join(', ')}], [${shape.join(', ')}] was given`,
      name,
    );
}

/** Throws MOE0707 for what the type has not: real numbers are any, whole ones fit 32 bits, truth values are 0 and 1. */
export function checkElements(name: string, element: ManifestElement, data: Float64Array | undefined): void {
  if (element === 'f32' || element === 'f16') return;
  const fits = (v: number): boolean => (element === 'bool' ? v === 0 || v === 1 : v === (v | 0));
  const at = data?.findIndex((v) => !fits(v)) ?? -1;
  if (at >= 0) throw new InputError('MOE0707', `${name} is of ${element}, it has ${data?.[at]} at ${at}`, name);
}
