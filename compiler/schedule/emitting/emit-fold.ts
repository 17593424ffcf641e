/**
 * A recurrence as one launch: the family `fold` is told what a row carries, what each phase of a step computes, and what is collected.
 * What does not fit the memory of a workgroup is told; the plan is whole all the same.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { exact, multiply } from '../../../dsl/types/size.ts';
import type { AxisId, Fold, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { BufferDecl, KernelExpr } from '../../kernel/kernel-ir.ts';
import { and, bool, eq, u32 } from '../../kernel/make-expressions.ts';
import { fold, type FoldLoop } from '../../kernels/fold.ts';
import { map } from '../../kernels/map.ts';
import { RowCell, type RowMemory } from '../../kernels/row.ts';
import { stored } from '../../kernels/space.ts';
import type { FoldLayout } from '../deciding/choose-fold.ts';
import { elementsOf, type StoredSpace } from '../memory/memory.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import { FoldEmitter } from './fold-emitter.ts';
import { WORKGROUP, type PlanBuilder } from './plan-builder.ts';
import type { PointScope } from './point-scope.ts';
import { RowPoints } from './row-points.ts';
import { pointsOf } from './spaces.ts';

type FoldNode = Extract<Node, { readonly kind: 'fold' }>;

export function emitFold(plan: PlanBuilder, ids: readonly NodeId[], layout: FoldLayout): void {
  const nodes = ids.map((id) => plan.node(id)).filter((node) => node.kind === 'fold');
  const [first] = nodes;
  if (first === undefined) throw new CompilerBug('schedule', 'a recurrence without results');
  const spec = at(plan.fused.graph.folds, first.fold, 'schedule: fold');
  if (tooLargeFor(plan, spec, first, layout)) return nodes.forEach((node) => emitNothing(plan, node));
  const outs = nodes.map((node) => ({ node, buffer: plan.allocate(node, { assignmentList: null, axes: node.axes }) }));
  const rows: StoredSpace = { assignmentList: null, axes: layout.rows };
  const total = elementsOf(rows, plan.sizeOf);
  const points = multiply([total, plan.sizeOf(spec.axis)]);
  const options = {
    family: layout.lanes === 'group' ? 'fold_group' : 'fold',
    what: 'chain',
    span: first.span,
    invocations: layout.lanes === 'group' ? multiply([total, exact(WORKGROUP)]) : total,
    domain: `${plan.domainText(rows)}, along ${plan.axis(spec.axis).name}`,
    points,
  };
  plan.launch(options, (l) => {
    const writing = outs.map(({ node, buffer }) => ({ node, out: l.launch.write(buffer) }));
    new FoldLaunch(l, spec, first, layout, writing).emit(pointsOf(l, rows));
  });
}

/** In the place of what does not fit: the plan stays whole. */
function emitNothing(plan: PlanBuilder, node: FoldNode): void {
  const space: StoredSpace = { assignmentList: null, axes: node.axes };
  const buffer = plan.allocate(node, space);
  const points = elementsOf(space, plan.sizeOf);
  const domain = plan.domainText(space);
  plan.launch({ family: 'map', what: 'chain', span: node.span, invocations: points, domain, points }, (l) => {
    map(l.launch.k, { space: pointsOf(l, space), out: l.launch.write(buffer), value: () => l.zeroOf(node.element) });
  });
}

function tooLargeFor(plan: PlanBuilder, spec: Fold, node: FoldNode, { words, rows }: FoldLayout): boolean {
  const limit = plan.target.limits.maxComputeWorkgroupStorageSize;
  if (words !== null && 4 * words <= limit) return false;
  const name = plan.axis(spec.axis).name;
  const free = rows.length === 0 ? 'all of it' : `what belongs to one point of ${rows.map((a) => plan.axis(a).name).join(', ')}`;
  plan.limitViolations.push(
    diagnostic('MOE0326', {
      span: node.span,
      message:
        words === null
          ? `a step of this chain over ${name} mixes what it carries along an axis whose size a run decides: ${free} has to lie in the memory of a workgroup`
          : `a step of this chain over ${name} mixes what it carries, and keeps ${4 * words} bytes: ${free} has to lie in the memory of a workgroup, of which ${plan.target.name} has ${limit}`,
      help: `carry less, for example in heads that do not mix, compute before the chain what needs nothing that is carried, or give ${name} a size`,
    }),
  );
  return true;
} // prettier-ignore

class FoldLaunch {
  readonly #l: ExprEmitter;
  readonly #fold: Fold;
  readonly #layout: FoldLayout;
  readonly #writing: readonly { readonly node: FoldNode; readonly out: BufferDecl }[];
  readonly #emitter: FoldEmitter;
  readonly #points: RowPoints;
  readonly #cells = new Map<NodeId, RowCell>();
  readonly #carried: readonly { readonly cell: RowCell; readonly node: Node }[];
  /** What is carried on until everybody has read what was carried; empty where it takes its place at once. */
  readonly #next: readonly RowCell[];

  constructor(
    l: ExprEmitter,
    spec: Fold,
    node: FoldNode,
    layout: FoldLayout,
    writing: readonly { readonly node: FoldNode; readonly out: BufferDecl }[],
  ) {
    this.#l = l;
    this.#fold = spec;
    this.#layout = layout;
    this.#points = new RowPoints(l, layout.rows);
    this.#writing = writing;
    for (const id of layout.kept.flat()) this.#cells.set(id, this.#cell('kept', nodeOf(spec.body, id)));
    const entering = spec.body.nodes.flatMap((n) => (n.kind === 'input' && n.input >= 1 && n.input <= spec.carried ? [n] : []));
    this.#carried = entering.map((n) => ({ cell: this.#cell('carried', n), node: n }));
    this.#carried.forEach(({ cell, node: n }) => this.#cells.set(n.id, cell));
    this.#next = layout.inPlace ? [] : entering.map((n) => this.#cell('next', n));
    this.#emitter = new FoldEmitter(l, spec, node.operands, (id) => this.#cells.get(id), layout.rows);
  } // prettier-ignore

  emit(rows: ReturnType<typeof pointsOf>): void {
    const { k } = this.#l.launch;
    const { carried, axis } = this.#fold;
    const results = this.#fold.body.outputs.map((_, i) => i);
    const onward = results.slice(0, carried);
    const wanted = results.filter((i) => i >= carried && this.#writing.some(({ node }) => node.result === i));
    const { inPlace, aside, kept, lanes } = this.#layout;
    const early = inPlace ? wanted.filter((i) => aside.includes(i)) : [];
    const last = [...onward, ...wanted.filter((i) => !early.includes(i))];
    const phases = [
      ...kept.map((phase) => this.#together(phase.map((id) => this.#keptValue(id)))),
      ...(early.length === 0 ? [] : [this.#together(early.map((i) => this.#resultValue(i)))]),
      this.#together(last.map((i) => this.#resultValue(i))),
      ...(inPlace ? [] : [this.#together(onward.map((i) => this.#moved(i)))]),
    ];
    const cells = [...this.#cells.entries()].map(([id, cell]) => ({ cell, element: nodeOf(this.#fold.body, id).element }));
    const next = this.#next.map((cell, i) => ({ cell, element: at(this.#carried, i, 'schedule: carried').node.element }));
    fold(k, {
      lanes,
      opaque: (value) => this.#l.launch.opaque(value),
      rows,
      steps: this.#l.size(axis),
      begin: () => [...cells, ...next].forEach(({ cell, element }) => cell.begin(this.#emitter.zeroOf(element))),
      starts: this.#together(onward.map((i) => this.#start(i))),
      enterStep: (row, step) => this.#emitter.enterStep(row, step),
      phases,
      ends: this.#together(
        this.#writing.filter(({ node }) => node.result < carried).map(({ node, out }) => this.#end(node, out)),
      ),
    });
  } // prettier-ignore

  #cell(name: string, node: Node): RowCell {
    const { k } = this.#l.launch;
    const memory: RowMemory = { lanes: this.#layout.lanes, scope: 'workgroup' };
    return new RowCell(k, memory, k.fresh(name), kernelType(node.element), this.#points.count(node.axes));
  }

  /** Values as loops: those over the same points share one. */
  #together(values: readonly Located[]): readonly FoldLoop<PointScope>[] {
    const loops = new Map<string, { axes: readonly AxisId[]; values: Located[] }>();
    for (const value of values) {
      const axes = this.#points.local(value.axes);
      const loop = loops.get(axes.join()) ?? { axes, values: [] };
      loop.values.push(value);
      loops.set(axes.join(), loop);
    }
    return [...loops.values()].map(({ axes, values: own }) => ({
      ...this.#points.along(axes),
      values: own,
    }));
  }

  #keptValue(id: NodeId): Located {
    const node = nodeOf(this.#fold.body, id);
    const cell = this.#cells.get(id);
    return {
      axes: node.axes,
      compute: (p) => this.#emitter.compute(node, p),
      keep: (_, index, value) => cell?.store(index, value),
    };
  }

  /** A result of a step: carried on, collected, or both. */
  #resultValue(result: number): Located {
    const output = at(this.#fold.body.outputs, result, 'schedule: result of a step');
    if (output.kind !== 'tensor') throw new CompilerBug('schedule', 'a step gives a route');
    const cell = this.#next[result] ?? this.#carried[result]?.cell;
    const written = this.#writing.find(({ node }) => node.result === result);
    const collected = result >= this.#fold.carried ? written : undefined;
    return {
      axes: output.axes,
      compute: (p) => this.#emitter.value(output.node, p),
      keep: (point, index, value) => {
        if (result < this.#fold.carried) cell?.store(index, value);
        if (collected !== undefined) this.#write(collected.node, collected.out, output.axes, point, value);
      },
    };
  }

  #moved(i: number): Located {
    const { node, cell } = at(this.#carried, i, 'schedule: carried');
    const next = this.#next[i];
    return {
      axes: node.axes,
      compute: (p) => at([next], 0, 'schedule: next of carried')?.load(this.#points.placeOf(node.axes, p)) ?? u32(0),
      keep: (_, index, value) => cell.store(index, value),
    };
  }

  #start(i: number): Located {
    const { node, cell } = at(this.#carried, i, 'schedule: carried');
    return {
      axes: node.axes,
      compute: (p) => this.#emitter.operand(i, p),
      keep: (_, index, value) => cell.store(index, value),
    };
  }

  #end(node: FoldNode, out: BufferDecl): Located {
    const { cell, node: entering } = at(this.#carried, node.result, 'schedule: carried');
    return {
      axes: entering.axes,
      compute: (p) => cell.load(this.#points.placeOf(entering.axes, p)),
      keep: (point, _, value) => this.#write(node, out, node.axes, point, value),
    };
  }

  /** A result at a point into memory; of one that lacks an axis of the rows, by the first row along it. */
  #write(node: FoldNode, out: BufferDecl, own: readonly AxisId[], point: PointScope, value: KernelExpr): void {
    const { k } = this.#l.launch;
    const lacking = this.#layout.rows.filter((a) => !own.includes(a));
    const first = lacking.map((a) => eq(this.#l.index(point, a), u32(0))).reduce<KernelExpr>((all, one) => and(all, one), bool(true)); // prettier-ignore
    const there = node.result < this.#fold.carried ? point : this.#emitter.ofStep(point);
    const place = this.#l.elementIndex(there, { assignmentList: null, axes: node.axes });
    const write = (): void => k.store(out, place, stored(value));
    if (lacking.length === 0) write();
    else k.when(first, write);
  }
}

/** A value of the loops, over axes of which those of the rows are bound already. */
interface Located {
  readonly axes: readonly AxisId[];
  readonly compute: (point: PointScope) => KernelExpr;
  readonly keep: (point: PointScope, index: KernelExpr, value: KernelExpr) => void;
}
