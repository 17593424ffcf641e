/**
 * One value with memory becomes one launch (a long concat: one for each part), with all that is computed in passing for it: the chooser
 * says which family, this file hands the family its callbacks.
 */
import { apply, one, zero } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { add, convert, vector } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { map } from '../../kernels/map.ts';
import { scanLine } from '../../kernels/scan.ts';
import { forEachPoint, stored } from '../../kernels/space.ts';
import type { Neighbours, PointChoice, ScheduleStep, SummedChoice, TileChoice } from '../deciding/schedule-ir.ts';
import { emitSummed } from './emit-summed.ts';
import { emitTile } from './emit-tile.ts';
import type { CheckEmitter } from './emit-checks.ts';
import { inner } from './point-scope.ts';
import type { PointScope } from './point-scope.ts';
import { kernelType } from './expression-emitter.ts';
import { elementsOf } from '../memory/memory.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import { optionsOf, type LaunchOptions, type PlanBuilder } from './plan-builder.ts';
import type { AssignmentListBuilder } from './assignment-lists.ts';
import { emitChoice, emitLongChoice } from './emit-choice.ts';
import { emitOnline } from './emit-online.ts';
import { NeighbourEmitter } from './neighbour-emitter.ts';
import { pointsOf, vectorsOf } from './spaces.ts';
import { kernelName, PointValues, scanOf } from './value-at.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

export class ValueEmitter {
  readonly #plan: PlanBuilder;
  readonly #assignmentLists: AssignmentListBuilder;
  readonly #checks: CheckEmitter;
  readonly points: PointValues;

  constructor(plan: PlanBuilder, assignmentLists: AssignmentListBuilder, checks: CheckEmitter) {
    this.#plan = plan;
    this.#assignmentLists = assignmentLists;
    this.#checks = checks;
    this.points = new PointValues(assignmentLists, checks);
  }

  /** Computes a node into memory of its own, by the family that was chosen. */
  emit({ choice, space, neighbours }: Extract<ScheduleStep, { readonly kind: 'value' }>): void {
    switch (choice.family) {
      case 'tile':
        return this.#tile(choice, space);
      case 'summed':
        return this.#summed(choice, space);
      case 'scan':
        return this.#scan(choice.node, space);
      case 'choose':
        return emitChoice(this.#plan, choice, space, this.#checks.ofNumbers(choice.node));
      case 'choose_long':
        return emitLongChoice(this.#plan, choice.node, space, this.#checks.ofNumbers(choice.node));
      case 'online':
        return emitOnline(this.#plan, choice, space);
      case 'concat_parts':
        return this.#concatParts(choice.node, space);
      default:
        return this.#points(choice, space, neighbours);
    }
  }

  /** Copies a value into a dense buffer over `axes`: a result, a control's default, an extern's operand. */
  copy(id: NodeId, axes: readonly AxisId[], buffer: BufferId, what: string, skipIfGiven?: string): void {
    const node = this.#plan.node(id);
    const space: StoredSpace = { assignmentList: null, axes };
    this.#plan.contents.set(buffer, { kind: 'copy', node: id, space });
    const options: LaunchOptions = { ...this.#options('map', node, space), what, skipIfGiven };
    this.#plan.launch(options, (l) => {
      map(l.launch.k, { space: pointsOf(l, space), out: l.launch.write(buffer), value: (p) => l.value(id, p) });
    });
  }

  /** A u32 mask over dense axes: where all these presences hold. */
  mask(presences: readonly NodeId[], axes: readonly AxisId[], buffer: BufferId, what: string): void {
    const space: StoredSpace = { assignmentList: null, axes };
    const plan = this.#plan;
    plan.contents.set(buffer, { kind: 'mask', presences, axes });
    const invocations = elementsOf(space, plan.sizeOf);
    plan.launch(
      { family: 'map', what, span: null, invocations, domain: plan.domainText(space), points: invocations },
      (l) => {
        map(l.launch.k, {
          space: pointsOf(l, space),
          out: l.launch.write(buffer),
          value: (p) => l.allPresent(presences, p),
        });
      },
    );
  }

  #options(family: string, node: Node, space: StoredSpace): LaunchOptions {
    return optionsOf(this.#plan, family, node, space);
  }

  /** A value that is computed a point at a time: one thread a point, or for neighbours, which it stores as a vector. */
  #points(choice: PointChoice, space: StoredSpace, neighbours: Neighbours): void {
    const buffer = this.#plan.allocate(choice.node, space);
    const invocations = vectorsOf(space, this.#plan.sizeOf, neighbours);
    const options = { ...this.#options(kernelName(choice), choice.node, space), invocations, byThreads: true };
    this.#plan.launch(options, (l) => {
      const points = pointsOf(l, space, neighbours);
      const out = l.launch.write(buffer, neighbours);
      if (neighbours === 1) {
        map(l.launch.k, { space: points, out, value: this.points.of(l, choice) });
        return;
      }
      const values = this.points.ofNeighbours(new NeighbourEmitter(l, space.axes, neighbours), choice);
      map(l.launch.k, { space: points, out, value: (p) => vector(...values(p).map(stored)) });
    });
  }

  #tile(choice: TileChoice, space: StoredSpace): void {
    const { node, rows } = choice;
    const buffer = this.#plan.allocate(node, space);
    const family = rows.kind === 'blocks' ? 'grouped_matmul' : 'matmul';
    emitTile(this.#plan, this.#assignmentLists, choice, space, buffer, this.#options(family, node, space));
  }

  #summed(choice: SummedChoice, space: StoredSpace): void {
    const buffer = this.#plan.allocate(choice.node, space);
    emitSummed(this.#plan, choice, space, buffer, this.#options('summed_matmul', choice.node, space));
  }

  #scan(node: NodeOf<'scan'>, space: StoredSpace): void {
    const lines: StoredSpace = {
      assignmentList: space.assignmentList,
      axes: space.axes.filter((a) => a !== node.axis),
    };
    const buffer = this.#plan.allocate(node, space);
    const invocations = elementsOf(lines, this.#plan.sizeOf);
    this.#plan.launch({ ...this.#options('scan', node, space), invocations }, (l) => {
      const { k } = l.launch;
      const points = pointsOf(l, lines);
      const out = l.launch.write(buffer);
      const put = (p: PointScope, value: KernelExpr): void => k.store(out, l.elementIndex(p, space), value);
      forEachPoint(k, points, (line) => scanLine(k, scanOf(l, node, put), line));
    });
  }

  /** Each part is copied to its place: as many parts as there are, and no more buffers in a launch than one part needs. */
  #concatParts(node: NodeOf<'concat'>, space: StoredSpace): void {
    const plan = this.#plan;
    const buffer = plan.allocate(node, space);
    let offset: Size = zero;
    for (const part of node.parts) {
      const start = offset;
      const own = space.axes.flatMap((a) => (a !== node.axis ? [a] : part.axis === null ? [] : [part.axis]));
      const from: StoredSpace = { assignmentList: null, axes: own };
      plan.launch(this.#options('map_part', node, from), (l) => {
        const at = l.launch.size(start);
        map(l.launch.k, {
          space: pointsOf(l, from),
          out: l.launch.write(buffer),
          value: (p) => convert(kernelType(node.element), l.value(part.node, p)),
          index: (p) => {
            const position = part.axis === null ? at : add(l.index(p, part.axis), at);
            return l.elementIndex(inner(p, [[node.axis, position]]), space);
          },
        });
      });
      offset = apply('add', offset, part.axis === null ? one : plan.sizeOf(part.axis));
    }
  }
}
