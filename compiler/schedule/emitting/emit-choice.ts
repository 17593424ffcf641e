/** Emits a `choose`: what it is to its kernels, however they go over a group, and the launch. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { exact, multiply } from '../../../dsl/types/size.ts';
import type { Node } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { convert } from '../../kernel/make-expressions.ts';
import { chooseIn, type ChooseConfig, type Choosing } from '../../kernels/choose.ts';
import { CHOOSE_LANES, chooseLong, type ChooseLongConfig } from '../../kernels/choose-long.ts';
import { forEachPoint, rowMajor } from '../../kernels/space.ts';
import { elementsOf, type StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { optionsOf, type PlanBuilder } from './plan-builder.ts';
import { emptyPointScope, inner, paired } from './point-scope.ts';
import type { PointScope } from './point-scope.ts';
import type { Slots } from '../../graph/slots.ts';
import { alongSlots } from './slot-points.ts';
import { alongAxes, pointsOf } from './spaces.ts';

type ChooseNode = Extract<Node, { readonly kind: 'choose' }>;
type Given = 'groups' | 'groupAt' | 'put' | 'opaque';
type ChoiceParts = Omit<ChooseConfig<PointScope>, Given> & Omit<ChooseLongConfig<PointScope>, Given>;

type Report = ((l: ExprEmitter, point: PointScope) => void) | null;

function choiceOf(l: ExprEmitter, node: ChooseNode, report: Report): ChoiceParts {
  const { key, candidates, count, over, along } = node;
  const { launch } = l;
  return {
    room: l.size(along),
    points: launch.size(multiply(over.map((a) => l.placement.sizeOf(a)))),
    pointAt: (group, position) => inner(group, paired(over, l.decode(position, over.map((a) => l.size(a))))), // prettier-ignore
    loop: alongAxes(l, over),
    position: (p) => rowMajor(over.map((a) => l.index(p, a)), over.map((a) => l.size(a))), // prettier-ignore
    count: count === null ? null : (p) => convert('i32', l.value(count, p)),
    key: key === null ? null : (p) => l.value(key, p),
    candidate: candidates === null ? null : (p) => convert('bool', l.value(candidates, p)),
    report: report === null ? null : (p) => report(l, p),
  };
}

/** What one thread does of a choice: positions of a group, put where they go. */
export function choosing(
  l: ExprEmitter,
  { node, slots }: { readonly node: ChooseNode; readonly slots: Slots | null },
  report: Report,
  put: (slot: PointScope, position: KernelExpr) => void,
): (group: PointScope) => void {
  const parts = choiceOf(l, node, report);
  const among = slots === null ? {} : { loop: alongSlots(l, slots) };
  return (group) => chooseIn(l.launch.k, { ...parts, ...among, put: intoSlots(node, put) }, group);
}

function intoSlots(
  { along }: ChooseNode,
  put: (slot: PointScope, position: KernelExpr) => void,
): Choosing<PointScope>['put'] {
  return (group, number, position) => put(inner(group, [[along, number]]), position);
}

/** Into memory. */
function intoMemory(l: ExprEmitter, space: StoredSpace, buffer: BufferId) {
  const out = l.launch.write(buffer);
  return (slot: PointScope, position: KernelExpr): void => l.launch.k.store(out, l.elementIndex(slot, space), position);
}

/** One thread for each group. */
export function emitChoice(
  plan: PlanBuilder,
  choice: { readonly node: ChooseNode; readonly slots: Slots | null },
  space: StoredSpace,
  report: Report,
): void {
  const { node } = choice;
  const groups: StoredSpace = { ...space, axes: space.axes.filter((a) => a !== node.along) };
  const buffer = plan.allocate(node, space);
  const invocations = elementsOf(groups, plan.sizeOf);
  plan.launch({ ...optionsOf(plan, 'choose', node, space), invocations }, (l) => {
    const choose = choosing(l, choice, report, intoMemory(l, space, buffer));
    forEachPoint(l.launch.k, pointsOf(l, groups), choose);
  });
}

/** One workgroup for each group. */
export function emitLongChoice(plan: PlanBuilder, node: ChooseNode, space: StoredSpace, report: Report): void {
  if (space.assignmentList !== null) throw new CompilerBug('schedule', 'a workgroup for a row that need not be there');
  const groups = space.axes.filter((a) => a !== node.along);
  const buffer = plan.allocate(node, space);
  const total = multiply(groups.map(plan.sizeOf));
  const options = {
    ...optionsOf(plan, 'choose_long', node, space),
    invocations: multiply([total, exact(CHOOSE_LANES)]),
    workgroupSize: CHOOSE_LANES,
  };
  plan.launch(options, (l) => {
    const groupAt = (number: KernelExpr): PointScope => {
      const digits = l.decode(number, groups.map((a) => l.size(a))); // prettier-ignore
      return inner(emptyPointScope(), paired(groups, digits));
    };
    const parts = choiceOf(l, node, report);
    const groupCount = l.launch.size(total);
    const put = intoSlots(node, intoMemory(l, space, buffer));
    chooseLong(l.launch.k, { ...parts, groups: groupCount, groupAt, put, opaque: (value) => l.launch.opaque(value) });
  });
}
