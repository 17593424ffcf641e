/** A bench for the graph: primitives called as instantiation calls them, and the numbers of what comes out. */
import { expect } from 'vitest';
import type { PrimitiveName } from '../../dsl/types/primitive-names.ts';
import type { ElementType } from '../../dsl/types/program.ts';
import { AxisFactory, type Axis } from '../../dsl/types/axis.ts';
import { exact, type Size } from '../../dsl/types/size.ts';
import { graphBackend } from '../../compiler/elaborate/graph-backend.ts';
import {
  supportAxes,
  LoweringContext,
  type GraphOperand,
  type GraphRoute,
} from '../../compiler/elaborate/lowering-context.ts';
import { GraphBuilder } from '../../compiler/graph/graph-builder.ts';
import { boundOf } from '../../compiler/graph/presence-bounds.ts';
import { interpretGraph } from '../../compiler/graph/interpret-graph.ts';
import { inOrder } from '../../compiler/graph/tensor-points.ts';
import type { Graph, GraphOutput, NodeId } from '../../compiler/graph/graph-ir.ts';
import { verifyGraph } from '../../compiler/graph/verify-graph.ts';

export const span = { source: 'test', start: 0, end: 1 };

export class GraphFixture {
  readonly axes = new AxisFactory();
  readonly builder = new GraphBuilder('test');
  readonly cx = new LoweringContext(this.builder);
  readonly backend = graphBackend(this.cx);
  readonly inputs = new Map<string, readonly number[]>();

  axis(name: string, size: number): Axis {
    return this.axes.make(name, exact(size));
  }

  input(name: string, axes: readonly Axis[], data: readonly number[], element: ElementType = 'f32'): GraphOperand {
    const index = this.builder.addInput({
      role: 'input',
      name,
      element,
      axes: this.cx.idsOf(axes),
      within: null,
      default: null,
    });
    this.inputs.set(name, data);
    return { kind: 'tensor', value: this.cx.tensor(this.builder.input(index)) };
  }

  call(
    name: PrimitiveName,
    args: Record<string, GraphOperand>,
    axes: Record<string, readonly Axis[]> = {},
    attributes: Record<string, number> = {},
    element: ElementType = 'f32',
  ): GraphOperand {
    return this.backend.primitive({
      name, element, span, batchAxes: [], seedKey: 'here',
      args: new Map(Object.entries(args)),
      axes: new Map(Object.entries(axes)),
      attributes: new Map(Object.entries(attributes).map(([k, v]): [string, Size] => [k, Number.isInteger(v) ? exact(v) : { kind: 'real', value: v }])),
    }); // prettier-ignore
  }

  number(operand: GraphOperand, axes: readonly Axis[]): number[] {
    const node = operand.kind === 'tensor' ? operand.value.node : operand.value.weight;
    return this.read(this.builder.broadcast(node, this.cx.idsOf(axes)), axes);
  }

  read(node: NodeId, axes: readonly Axis[]): number[] {
    const ids = this.cx.idsOf(axes);
    const graph = this.builder.finish([{ kind: 'tensor', name: 'y', role: 'result', node, axes: ids }]);
    verifyGraph(graph, 'graph');
    const { values, errors } = interpretGraph(graph, { inputs: this.inputs });
    expect(errors).toEqual([]);
    const value = values[node];
    if (value === undefined) throw new Error('no value');
    return [...inOrder(value, ids)];
  }

  errors(): readonly string[] {
    return interpretGraph(this.builder.finish([]), { inputs: this.inputs }).errors;
  }

  /** Presence, and weights and ranks where present (else null). */
  route(operand: GraphOperand, axes: readonly Axis[]): { weight: (number | null)[]; rank: (number | null)[] } {
    if (operand.kind !== 'route') throw new Error('a route is wanted');
    const { presence, weight, rank } = operand.value;
    const ids = this.cx.idsOf(axes);
    const present = this.read(presence, axes);
    const wide = (node: NodeId): number[] => this.read(this.builder.broadcast(node, ids), axes);
    const [w, r] = [wide(weight), wide(rank)];
    return {
      weight: present.map((p, i) => (p === 1 ? (w[i] ?? null) : null)),
      rank: present.map((p, i) => (p === 1 ? (r[i] ?? null) : null)),
    };
  }

  bound(operand: GraphOperand, per: readonly Axis[]): string {
    if (operand.kind !== 'route') throw new Error('a route is wanted');
    const route: GraphRoute = operand.value;
    const size = boundOf(route.bounds, this.cx.idsOf(per), this.cx.idsOf(supportAxes(route)), this.builder.sizeOf);
    return size.kind === 'exact' ? `${size.numerator}` : size.kind;
  }

  /** A graph whose results are these. */
  graph(...results: readonly GraphOperand[]): Graph {
    const outputs = results.map((operand, i): GraphOutput => {
      const name = `y${i}`;
      if (operand.kind === 'tensor') {
        const { node } = operand.value;
        return { kind: 'tensor', name, role: 'result', node, axes: this.builder.axesOf(node) };
      }
      const { presence, weight, rank, sources, targets, payload, bounds } = operand.value;
      const axes = this.cx.idsOf([...sources, ...targets]);
      return {
        kind: 'route', name, role: 'result', present: presence,
        weight: this.builder.broadcast(weight, axes),
        rank: this.builder.broadcast(rank, axes),
        sources: this.cx.idsOf(sources), targets: this.cx.idsOf(targets), payload: this.cx.idsOf(payload),
        maxPresent: boundOf(bounds, this.cx.idsOf(sources), axes, this.builder.sizeOf),
      }; // prettier-ignore
    });
    const graph = this.builder.finish(outputs);
    verifyGraph(graph, 'graph');
    return graph;
  }
}
