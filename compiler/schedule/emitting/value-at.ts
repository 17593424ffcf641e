/**
 * What a value is at one point, by the kernel family that computes it: of the families that need nothing but the point. A launch of the
 * value alone computes it at every point of its space (emit-values.ts).
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { exact, zero } from '../../../dsl/types/size.ts';
import { hashText } from '../../../dsl/primitives/draw-hash.ts';
import type { Node, NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr, ScalarType } from '../../kernel/kernel-ir.ts';
import { add, convert } from '../../kernel/make-expressions.ts';
import { argmaxAt } from '../../kernels/argmax.ts';
import { contracted } from '../../kernels/contract.ts';
import { drawnAt } from '../../kernels/draw.ts';
import { reduced, reducedBeside } from '../../kernels/reduce-kernel.ts';
import type { ScanConfig } from '../../kernels/scan.ts';
import { rankAt } from '../../kernels/sort-rank.ts';
import { rowMajor, type PointValue } from '../../kernels/space.ts';
import type { Terms } from '../../kernels/sums.ts';
import type { ListedChoice, PointChoice } from '../deciding/schedule-ir.ts';
import type { AssignmentListBuilder } from './assignment-lists.ts';
import type { CheckEmitter } from './emit-checks.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import type { NeighbourEmitter } from './neighbour-emitter.ts';
import type { PointScope } from './point-scope.ts';
import { termsOfSlots } from './slot-points.ts';
import { alongAxes, termsAlong, termsOfList } from './spaces.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

/** What the kernel of a family is called. */
export function kernelName(choice: PointChoice): string {
  switch (choice.family) {
    case 'reduce':
      return `reduce_${choice.node.op}`;
    case 'reduce_listed':
      return `reduce_${choice.node.op}_listed`;
    case 'reduce_slots':
      return `reduce_${choice.node.op}_slots`;
    case 'draw':
      return `draw_${choice.node.distribution}`;
    default:
      return choice.family;
  }
}

export class PointValues {
  readonly #assignmentLists: AssignmentListBuilder;
  readonly #checks: CheckEmitter;

  constructor(assignmentLists: AssignmentListBuilder, checks: CheckEmitter) {
    this.#assignmentLists = assignmentLists;
    this.#checks = checks;
  }

  of(l: ExprEmitter, choice: PointChoice): PointValue<PointScope> {
    switch (choice.family) {
      case 'map':
        return (p) => l.compute(choice.node, p);
      case 'gather':
        return (p) => l.gathered(choice.node, p);
      case 'contract':
        return contraction(l, choice.node);
      case 'reduce':
        return reduction(l, choice.node, choice.node.operand, termsAlong(l, choice.node.over));
      case 'reduce_listed':
        return reduction(l, choice.node, choice.value, this.#listed(l, choice));
      case 'reduce_slots':
        return reduction(l, choice.node, choice.value, termsOfSlots(l, choice));
      case 'sort_rank':
        return this.#rank(l, choice.node);
      case 'argmax':
        return this.#argmax(l, choice.node);
      case 'draw':
        return drawing(l, choice.node);
    }
  }

  /** What a value is at each of neighbouring points. */
  ofNeighbours(neighbours: NeighbourEmitter, choice: PointChoice): (point: PointScope) => readonly KernelExpr[] {
    const { l, axis } = neighbours;
    const reduction = (node: NodeOf<'reduce'>, value: NodeId, terms: Terms<PointScope>) => {
      const type = reducedType(node);
      const values = (p: PointScope) => neighbours.values(value, p, axis).map((each) => convert(type, each));
      const config = { op: node.op, type, terms, count: neighbours.count, values };
      return (p: PointScope) => reducedBeside(l.launch.k, config, p);
    };
    switch (choice.family) {
      case 'map':
        return (p) => neighbours.computed(choice.node, p, axis);
      case 'reduce':
        return reduction(choice.node, choice.node.operand, termsAlong(l, choice.node.over));
      case 'reduce_listed':
        return reduction(choice.node, choice.value, this.#listed(l, choice));
      case 'reduce_slots':
        return reduction(choice.node, choice.value, termsOfSlots(l, choice));
      default:
        throw new CompilerBug('schedule', `${choice.family} has no neighbours`);
    }
  }

  #listed(l: ExprEmitter, { index, dense }: ListedChoice): Terms<PointScope> {
    return termsOfList(l, index, this.#assignmentLists.indexOf(index), dense);
  }

  #rank(l: ExprEmitter, node: NodeOf<'sort_rank'>): PointValue<PointScope> {
    const report = this.#checks.ofNumbers(node);
    const { candidates } = node;
    const config = {
      loop: alongAxes(l, node.over),
      position: (p: PointScope) => rowMajor(node.over.map((a) => l.index(p, a)), node.over.map((a) => l.size(a))), // prettier-ignore
      keys: node.keys.map((key) => ({ value: (p: PointScope) => l.value(key.node, p), descending: key.descending })),
      candidate: candidates === null ? null : (p: PointScope) => convert('bool', l.value(candidates, p)),
      report: report === null ? null : (p: PointScope) => report(l, p),
    };
    return (p) => rankAt(l.launch.k, config, p);
  }

  #argmax(l: ExprEmitter, node: NodeOf<'argmax'>): PointValue<PointScope> {
    const report = this.#checks.ofNumbers(node);
    const along = alongAxes(l, [node.axis]);
    return (point) =>
      argmaxAt<PointScope>(
        l.launch.k,
        {
          loop: (p, body) => along(p, (at) => body(at, l.index(at, node.axis))),
          value: (p) => l.value(node.operand, p),
          report: report === null ? null : (p) => report(l, p),
        },
        point,
      );
  }
}

function contraction(l: ExprEmitter, node: NodeOf<'contract'>): PointValue<PointScope> {
  const type = kernelType(node.element);
  const side = (id: NodeId) => (p: PointScope) => convert(type, l.value(id, p));
  const config = { type, terms: termsAlong(l, node.over), left: side(node.left), right: side(node.right) };
  return (p) => contracted(l.launch.k, config, p);
}

function reducedType({ op, element }: NodeOf<'reduce'>): ScalarType {
  return op === 'any' ? 'bool' : kernelType(element);
}

/** A reduction of a value over terms, in the type that it adds up in. */
function reduction(
  l: ExprEmitter,
  node: NodeOf<'reduce'>,
  value: NodeId,
  terms: Terms<PointScope>,
): PointValue<PointScope> {
  const type = reducedType(node);
  const config = { op: node.op, type, terms, value: (p: PointScope) => convert(type, l.value(value, p)) };
  return (p) => reduced(l.launch.k, config, p);
}

function drawing(l: ExprEmitter, node: NodeOf<'draw'>): PointValue<PointScope> {
  const { launch } = l;
  const [seed, seedKey] = [launch.seed(), launch.number(exact(hashText(node.seedKey)), `place of %${node.id}`)];
  return (point) =>
    drawnAt<PointScope>(
      launch.k,
      {
        distribution: node.distribution,
        seed,
        seedKey,
        folds: (p) =>
          node.roots.map((root, i) => ({
            name: launch.number(exact(hashText(root.name)), `root ${i} of %${node.id}`),
            index: root.offset === zero ? l.index(p, root.axis) : add(l.index(p, root.axis), launch.size(root.offset)),
          })),
      },
      point,
    );
}

/** A running sum along the line of a point, told where its values go. */
export function scanOf(
  l: ExprEmitter,
  node: NodeOf<'scan'>,
  put: (point: PointScope, value: KernelExpr) => void,
): ScanConfig<PointScope> {
  const type = kernelType(node.element);
  return {
    type,
    terms: termsAlong(l, [node.axis]),
    value: (p) => convert(type, l.value(node.operand, p)),
    exclusive: node.exclusive,
    put,
  };
}
