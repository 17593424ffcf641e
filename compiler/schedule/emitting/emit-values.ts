/**
 * One value with memory becomes one launch (a long concat: one for each part), with all that is computed in passing for it: the chooser
 * says which family, this file hands the family its callbacks.
 */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import { apply, exact, one, zero } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { add, convert } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { argmax } from '../../kernels/argmax.ts';
import { contract } from '../../kernels/contract.ts';
import { draw } from '../../kernels/draw.ts';
import { map } from '../../kernels/map.ts';
import { sortRank } from '../../kernels/sort-rank.ts';
import { reduce } from '../../kernels/reduce-kernel.ts';
import { scan } from '../../kernels/scan.ts';
import { rowMajor } from '../../kernels/space.ts';
import type { Choice, ListedChoice, SlotsChoice, TileChoice } from '../deciding/schedule-ir.ts';
import { emitTile } from './emit-tile.ts';
import type { CheckEmitter } from './emit-checks.ts';
import { inner } from './point-scope.ts';
import type { PointScope } from './point-scope.ts';
import { kernelType } from './expression-emitter.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { elementsOf } from '../memory/memory.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import { optionsOf, type LaunchOptions, type PlanBuilder } from './plan-builder.ts';
import type { AssignmentListBuilder } from './assignment-lists.ts';
import { hashText } from '../../../dsl/primitives/draw-hash.ts';
import { emitChoice, emitLongChoice } from './emit-choice.ts';
import { termsOfSlots } from './slot-points.ts';
import { alongAxes, pointsOf, termsAlong, termsOfList } from './spaces.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

export class ValueEmitter {
  readonly #plan: PlanBuilder;
  readonly #assignmentLists: AssignmentListBuilder;
  readonly #checks: CheckEmitter;

  constructor(plan: PlanBuilder, assignmentLists: AssignmentListBuilder, checks: CheckEmitter) {
    this.#plan = plan;
    this.#assignmentLists = assignmentLists;
    this.#checks = checks;
  }

  /** Computes a node into memory of its own, by the family that was chosen. */
  emit(choice: Choice, space: StoredSpace): void {
    switch (choice.family) {
      case 'map':
        return this.#map(choice.node, space);
      case 'contract':
        return this.#contract(choice.node, space);
      case 'tile':
        return this.#tile(choice, space);
      case 'reduce':
        return this.#reduce(choice.node, space);
      case 'reduce_listed':
        return this.#reduceListed(choice, space);
      case 'reduce_slots':
        return this.#reduceSlots(choice, space);
      case 'scan':
        return this.#scan(choice.node, space);
      case 'sort_rank':
        return this.#sortRank(choice.node, space);
      case 'choose':
        return emitChoice(this.#plan, choice, space, this.#checks.ofNumbers(choice.node));
      case 'choose_long':
        return emitLongChoice(this.#plan, choice.node, space, this.#checks.ofNumbers(choice.node));
      case 'argmax':
        return this.#argmax(choice.node, space);
      case 'gather':
        return this.#gather(choice.node, space);
      case 'draw':
        return this.#draw(choice.node, space);
      case 'concat_parts':
        return this.#concatParts(choice.node, space);
      default:
        return unreachable(choice, 'schedule');
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

  #map(node: Node, space: StoredSpace): void {
    const buffer = this.#plan.allocate(node, space);
    this.#plan.launch(this.#options('map', node, space), (l) => {
      map(l.launch.k, { space: pointsOf(l, space), out: l.launch.write(buffer), value: (p) => l.compute(node, p) });
    });
  }

  #contract(node: NodeOf<'contract'>, space: StoredSpace): void {
    const buffer = this.#plan.allocate(node, space);
    this.#plan.launch(this.#options('contract', node, space), (l) => {
      contract(l.launch.k, {
        type: kernelType(node.element),
        space: pointsOf(l, space),
        terms: termsAlong(l, node.over),
        left: (p) => this.#factor(l, node, node.left, p),
        right: (p) => this.#factor(l, node, node.right, p),
        out: l.launch.write(buffer),
      });
    });
  }

  /** A side of a contraction, in the type of the sum. */
  #factor(l: ExprEmitter, node: NodeOf<'contract'>, side: NodeId, point: PointScope): KernelExpr {
    return convert(kernelType(node.element), l.value(side, point));
  }

  #tile(choice: TileChoice, space: StoredSpace): void {
    const { node, rows } = choice;
    const buffer = this.#plan.allocate(node, space);
    const family = rows.kind === 'blocks' ? 'grouped_matmul' : 'matmul';
    emitTile(this.#plan, this.#assignmentLists, choice, space, buffer, this.#options(family, node, space));
  }

  #reduce(node: NodeOf<'reduce'>, space: StoredSpace): void {
    const buffer = this.#plan.allocate(node, space);
    const type = node.op === 'any' ? 'bool' : kernelType(node.element);
    this.#plan.launch(this.#options(`reduce_${node.op}`, node, space), (l) => {
      reduce(l.launch.k, {
        op: node.op,
        type,
        space: pointsOf(l, space),
        terms: termsAlong(l, node.over),
        value: (p) => convert(type, l.value(node.operand, p)),
        out: l.launch.write(buffer),
      });
    });
  }

  #reduceListed(choice: ListedChoice, space: StoredSpace): void {
    const plan = this.#plan;
    const { node, index, dense, value } = choice;
    const list = this.#assignmentLists.indexOf(index);
    const buffer = plan.allocate(node, space);
    const type = node.op === 'any' ? 'bool' : kernelType(node.element);
    plan.launch(this.#options(`reduce_${node.op}_listed`, node, space), (l) => {
      reduce(l.launch.k, {
        op: node.op,
        type,
        space: pointsOf(l, space),
        terms: termsOfList(l, index, list, dense),
        value: (p) => convert(type, l.value(value, p)),
        out: l.launch.write(buffer),
      });
    });
  }

  #reduceSlots(choice: SlotsChoice, space: StoredSpace): void {
    const { node, value } = choice;
    const buffer = this.#plan.allocate(node, space);
    const type = node.op === 'any' ? 'bool' : kernelType(node.element);
    this.#plan.launch(this.#options(`reduce_${node.op}_slots`, node, space), (l) => {
      reduce(l.launch.k, {
        op: node.op,
        type,
        space: pointsOf(l, space),
        terms: termsOfSlots(l, choice),
        value: (p) => convert(type, l.value(value, p)),
        out: l.launch.write(buffer),
      });
    });
  }

  #scan(node: NodeOf<'scan'>, space: StoredSpace): void {
    const lines: StoredSpace = {
      assignmentList: space.assignmentList,
      axes: space.axes.filter((a) => a !== node.axis),
    };
    const buffer = this.#plan.allocate(node, space);
    const invocations = elementsOf(lines, this.#plan.sizeOf);
    this.#plan.launch({ ...this.#options('scan', node, space), invocations }, (l) => {
      const type = kernelType(node.element);
      scan(l.launch.k, {
        type,
        space: pointsOf(l, lines),
        terms: termsAlong(l, [node.axis]),
        value: (p) => convert(type, l.value(node.operand, p)),
        index: (p) => l.elementIndex(p, space),
        exclusive: node.exclusive,
        out: l.launch.write(buffer),
      });
    });
  }

  #sortRank(node: NodeOf<'sort_rank'>, space: StoredSpace): void {
    const plan = this.#plan;
    const buffer = plan.allocate(node, space);
    const report = this.#checks.ofNumbers(node);
    plan.launch(this.#options('sort_rank', node, space), (l) => {
      const { candidates } = node;
      sortRank(l.launch.k, {
        space: pointsOf(l, space),
        loop: alongAxes(l, node.over),
        position: (p) => rowMajor(node.over.map((a) => l.index(p, a)), node.over.map((a) => l.size(a))), // prettier-ignore
        keys: node.keys.map((key) => ({ value: (p: PointScope) => l.value(key.node, p), descending: key.descending })),
        candidate: candidates === null ? null : (p) => convert('bool', l.value(candidates, p)),
        report: report === null ? null : (p) => report(l, p),
        out: l.launch.write(buffer),
      });
    });
  }

  #argmax(node: NodeOf<'argmax'>, space: StoredSpace): void {
    const plan = this.#plan;
    const buffer = plan.allocate(node, space);
    const report = this.#checks.ofNumbers(node);
    plan.launch(this.#options('argmax', node, space), (l) => {
      const along = alongAxes(l, [node.axis]);
      argmax(l.launch.k, {
        space: pointsOf(l, space),
        loop: (p, body) => along(p, (at) => body(at, l.index(at, node.axis))),
        value: (p) => l.value(node.operand, p),
        report: report === null ? null : (p) => report(l, p),
        out: l.launch.write(buffer),
      });
    });
  }

  #gather(node: NodeOf<'gather'>, space: StoredSpace): void {
    const plan = this.#plan;
    const buffer = plan.allocate(node, space);
    plan.launch(this.#options('gather', node, space), (l) => {
      map(l.launch.k, { space: pointsOf(l, space), out: l.launch.write(buffer), value: (p) => l.gathered(node, p) });
    });
  }

  #draw(node: NodeOf<'draw'>, space: StoredSpace): void {
    const buffer = this.#plan.allocate(node, space);
    this.#plan.launch(this.#options(`draw_${node.distribution}`, node, space), (l) => {
      const { launch } = l;
      draw(launch.k, {
        distribution: node.distribution,
        space: pointsOf(l, space),
        seed: launch.seed(),
        seedKey: launch.number(exact(hashText(node.seedKey)), 'place'),
        folds: (p) =>
          node.roots.map((root, i) => ({
            name: launch.number(exact(hashText(root.name)), `root ${i}`),
            index: root.offset === zero ? l.index(p, root.axis) : add(l.index(p, root.axis), launch.size(root.offset)),
          })),
        out: launch.write(buffer),
      });
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
