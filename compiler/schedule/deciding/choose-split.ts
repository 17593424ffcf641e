/**
 * Which inlined value gets memory of its own, when a launch binds more storage buffers than the target has.
 *
 * Giving memory to a value takes the buffers that only it reads out of the launch and puts one in. The value's own launch has to
 * fit as well: of those that do, the one that frees most is chosen. An operation reads few operands, so below any value that is
 * too large itself there is one of a size between.
 */
import type { NodeId } from '../../graph/graph-ir.ts';

/** What a launch inlines. */
export interface InlinedValues {
  readonly inlined: ReadonlySet<NodeId>;
  /** Who reads a buffer: inlined nodes, or null, the launch itself. */
  readonly readers: ReadonlyMap<number, ReadonlySet<NodeId | null>>;
  readonly operandsOf: (id: NodeId) => readonly NodeId[];
}

/** The value to give memory, or null: none would help. `most`: buffers a value may read to fit a launch of its own. */
export function chooseSplit(inlined: InlinedValues, maxBuffers: number): NodeId | null {
  let best: { readonly id: NodeId; readonly freed: number; readonly read: number } | null = null;
  for (const id of [...inlined.inlined].sort((a, b) => a - b)) {
    const within = inlinedBelow(inlined, id);
    let read = 0;
    let freed = 0;
    for (const readers of inlined.readers.values()) {
      const inside = [...readers].filter((reader) => reader !== null && within.has(reader)).length;
      if (inside > 0) read++;
      if (inside === readers.size) freed++;
    }
    if (read < 2 || read > maxBuffers) continue;
    if (best === null || freed > best.freed || (freed === best.freed && read > best.read)) best = { id, freed, read };
  }
  return best?.id ?? null;
}

/** A node and all that is inlined for it. */
function inlinedBelow({ inlined, operandsOf }: InlinedValues, id: NodeId): ReadonlySet<NodeId> {
  const found = new Set<NodeId>([id]);
  for (const node of found) {
    for (const operand of operandsOf(node)) if (inlined.has(operand)) found.add(operand);
  }
  return found;
}
