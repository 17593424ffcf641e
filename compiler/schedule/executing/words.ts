/** Memory of a simulated run: words, seen as numbers of an element type. */
import { noNumber } from '../../../dsl/diagnostics/invariants.ts';
import { roundToF16 } from '../../../dsl/tensors/round-to-f16.ts';
import type { ElementType } from '../../graph/graph-ir.ts';

export type WordArray = Float32Array | Int32Array | Uint32Array;

/** The same memory as numbers of an element type. */
export function typed(words: Uint32Array, element: ElementType): WordArray {
  const { buffer, byteOffset, length } = words;
  switch (element) {
    case 'f32':
    case 'f16':
      return new Float32Array(buffer, byteOffset, length);
    case 'i32':
      return new Int32Array(buffer, byteOffset, length);
    case 'bool':
      return words;
  }
}

/** Numbers into memory, as their element is stored: f16 is rounded. */
export function write(words: Uint32Array, element: ElementType, numbers: ArrayLike<number>): void {
  const view = typed(words, element);
  if (element !== 'f16') {
    // Converts as an assignment of each element does, by far faster.
    view.set(numbers);
    return;
  }
  for (let i = 0; i < numbers.length; i++) view[i] = roundToF16(numbers[i] ?? noNumber());
}
