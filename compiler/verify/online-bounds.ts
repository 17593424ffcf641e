/** What a sum that was computed along its softmax (graph/online-bound.ts) may err by beyond what it is by its definition. */
import type { Node, NodeId } from '../graph/graph-ir.ts';
import { widenExponentials, widenSums } from '../graph/online-bound.ts';
import type { RowMajorOffsets } from '../graph/row-major-offsets.ts';
import type { SoftmaxSum } from '../graph/softmax.ts';
import type { Contents } from '../schedule/emitting/contents.ts';
import type { BoundedColumn } from './point-blocks.ts';

/** Of the sums that a plan computes so. */
export function onlineBoundsOf({ buffers }: Contents): OnlineBounds {
  return new OnlineBounds(
    [...buffers.values()].flatMap((content) => (content.kind === 'value' ? (content.online ?? []) : [])),
  );
}

export class OnlineBounds {
  readonly #sums: ReadonlyMap<NodeId, SoftmaxSum>;
  readonly #exponentials: ReadonlyMap<NodeId, SoftmaxSum>;

  constructor(sums: readonly SoftmaxSum[]) {
    this.#sums = new Map(sums.map((sum) => [sum.node.id, sum]));
    this.#exponentials = new Map(sums.map((sum) => [sum.exponential, sum]));
  }

  /** Widens a column of exponentials, if they are of such a sum; any other as it is. */
  exponential(node: Node, column: BoundedColumn, offsets: RowMajorOffsets): BoundedColumn {
    const sum = this.#exponentials.get(node.id);
    if (sum !== undefined) widenExponentials(sum, offsets.count(sum.over), column);
    return column;
  }

  /** Widens a column of such sums, of these terms; any other as it is. */
  sum(
    node: Extract<Node, { readonly kind: 'contract' | 'reduce' }>,
    { left, right }: { readonly left: BoundedColumn; readonly right: BoundedColumn | null },
    column: BoundedColumn,
    offsets: RowMajorOffsets,
  ): BoundedColumn {
    const sum = this.#sums.get(node.id);
    if (sum === undefined) return column;
    const isLeft = node.kind === 'reduce' || node.left === sum.weights;
    const [weights, value] = isLeft ? [left, right] : [right ?? left, left];
    widenSums(sum, offsets.count(sum.over), weights, value?.v ?? null, column);
    return column;
  }
}
