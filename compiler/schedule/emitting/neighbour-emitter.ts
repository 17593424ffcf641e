/**
 * What values are at neighbouring points along the last axis of what a thread computes: several points share all that does not depend on
 * that axis (where slots point, rows, weights), which is computed once, and load what lies along it as one vector.
 *
 * In the scopes of such a thread the index along the axis counts vectors. Values that depend on it are asked of this emitter alone; all
 * others are what they are anywhere. What may be computed like this is deciding/legality-neighbours.ts.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { add, componentsOf, mul } from '../../kernel/make-expressions.ts';
import type { Neighbours } from '../deciding/schedule-ir.ts';
import { constant, isSimple, type ExprEmitter } from './expression-emitter.ts';
import { inner, rebound, type PointScope } from './point-scope.ts';

export class NeighbourEmitter {
  readonly l: ExprEmitter;
  /** The axis along which the points are neighbours. */
  readonly axis: AxisId;
  readonly count: Neighbours;
  /** What the row of the thread holds: the same wherever it is read. */
  readonly held = new Map<NodeId, readonly KernelExpr[]>();
  /** What was read of that. */
  readonly loaded = new Set<NodeId>();
  readonly #known = new WeakMap<PointScope, Map<NodeId, readonly KernelExpr[]>>();

  constructor(l: ExprEmitter, axes: readonly AxisId[], count: Neighbours) {
    this.l = l;
    this.axis = at(axes, axes.length - 1, 'schedule: last axis of neighbours');
    this.count = count;
  }

  /** A value at each of the neighbours along `axis`, the one that it calls so. */
  values(id: NodeId, env: PointScope, axis: AxisId): readonly KernelExpr[] {
    const node = this.l.placement.node(id);
    if (!node.axes.includes(axis)) {
      const shared = this.#shared(id, env);
      return this.#each(() => shared);
    }
    const held = this.held.get(id);
    if (held !== undefined) {
      this.loaded.add(id);
      return held;
    }
    for (let e: PointScope | null = env; e !== null; e = e.parent) {
      const known = this.#known.get(e)?.get(id);
      if (known !== undefined) return known;
    }
    const { k } = this.l.launch;
    const isStored = this.l.placement.memoryOf(id) !== null;
    const values = isStored
      ? componentsOf(k.let(this.l.vector(id, env, this.count)))
      : this.l.inPassing(id, () => this.computed(node, env, axis)).map((value) => this.l.kept(id, value));
    this.#known.set(env, (this.#known.get(env) ?? new Map<NodeId, readonly KernelExpr[]>()).set(id, values));
    return values;
  }

  /** A value that depends on the axis, computed from its operands. */
  computed(node: Node, env: PointScope, axis: AxisId): readonly KernelExpr[] {
    const { l } = this;
    switch (node.kind) {
      case 'map': {
        const operands = node.operands.map((id) => [id, this.values(id, env, axis)] as const);
        return this.#each((i) => {
          const here = inner(env);
          for (const [id, values] of operands) here.values.set(id, at(values, i, 'schedule: neighbour'));
          return l.compute(node, here);
        });
      }
      case 'iota':
        return this.#each((i) => {
          const index = add(mul(l.index(env, axis), this.count), i);
          return l.compute(node, rebound(env, [[axis, index]]));
        });
      case 'predicated': {
        const condition = l.value(node.presence, env);
        if (condition.kind === 'literal') {
          if (condition.value === true) return this.values(node.value, env, axis);
          return this.#each(() => constant(node.element, node.otherwise));
        }
        const { k } = l.launch;
        const results = this.#each(() => k.var(constant(node.element, node.otherwise), 'm'));
        k.when(condition, () => {
          const values = this.values(node.value, inner(env), axis);
          results.forEach((result, i) => k.assign(result, at(values, i, 'schedule: neighbour')));
        });
        return results;
      }
      case 'rename': {
        const place = node.to.indexOf(axis);
        const from = place === -1 ? axis : at(node.from, place, 'schedule: axis of a rename');
        return this.values(node.operand, l.view(env, node), from);
      }
      case 'broadcast':
      case 'slice':
        return this.values(node.operand, l.view(env, node), axis);
      default:
        throw new CompilerBug('schedule', `node ${node.id} (${node.kind}) has no neighbours`);
    }
  }

  /** What all neighbours read, once. */
  #shared(id: NodeId, env: PointScope): KernelExpr {
    const value = this.l.value(id, env);
    if (isSimple(value)) return value;
    const kept = this.l.launch.k.let(value);
    env.values.set(id, kept);
    return kept;
  }

  #each(value: (i: number) => KernelExpr): readonly KernelExpr[] {
    return Array.from({ length: this.count }, (_, i) => value(i));
  }
}
