/** The results of a graph as plain numbers: what must not change, whatever a pass does. */
import type { Domain } from '../../compiler/graph/domains.ts';
import { interpretGraph } from '../../compiler/graph/interpret-graph.ts';
import { inOrder } from '../../compiler/graph/tensor-points.ts';
import type { AxisId, Graph, NodeId } from '../../compiler/graph/graph-ir.ts';

export interface Evaluation {
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
  readonly sizes?: ReadonlyMap<string, number>;
  readonly domains?: ReadonlyMap<NodeId, Domain>;
  readonly poison?: boolean;
}

/** Numbers of every root; of a route presence, and weight and rank where present (0 elsewhere). */
export function resultsOf(graph: Graph, run: Evaluation): number[][] {
  const { values } = interpretGraph(graph, run);
  const read = (node: NodeId, axes: readonly AxisId[]): Float64Array => {
    const value = values[node];
    if (value === undefined) throw new Error(`no value %${node}`);
    return inOrder(value, axes);
  };
  return graph.outputs.flatMap((output) => {
    if (output.kind === 'tensor') return [[...read(output.node, output.axes)]];
    const support = [...output.sources, ...output.targets];
    const present = read(output.present, support);
    const at = (node: NodeId, axes: readonly AxisId[]): number[] => {
      const numbers = read(node, axes);
      const width = numbers.length / Math.max(present.length, 1);
      return [...numbers].map((v, i) => (present[Math.floor(i / width)] === 1 ? v : 0));
    };
    return [[...present], at(output.weight, [...support, ...output.payload]), at(output.rank, support)];
  });
}
