/** What a comparison has to know of a node and of its memory: numbers, the axes it goes along, its name. */
import type { AxisId, ElementType, Node } from '../graph/graph-ir.ts';

/** Words of memory as numbers of an element. */
export function asNumbers(words: Uint32Array | Int32Array | Float32Array, element: ElementType): ArrayLike<number> {
  const { buffer, byteOffset, length } = words;
  switch (element) {
    case 'f32':
    case 'f16':
      return new Float32Array(buffer, byteOffset, length);
    case 'i32':
      return new Int32Array(buffer, byteOffset, length);
    case 'bool':
      return new Uint32Array(buffer, byteOffset, length);
  }
}

/** The axes that a node goes along for each of its points. */
export function loopOf(node: Node): readonly AxisId[] {
  switch (node.kind) {
    case 'contract':
    case 'reduce':
      return node.over;
    case 'argmax':
      return [node.axis];
    default:
      return [];
  }
}

/** What a node is called in a comparison: its operation, else its kind. */
export function nameOf(node: Node): string {
  return node.kind === 'map' ? node.op : node.kind;
}
