/**
 * Values on the same rows as one launch: the family `row` (kernels/row.ts) is told what to do at which points of a row, and where what comes
 * out is kept: in what the row holds, in memory, or both.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug, unreachable } from '../../../dsl/diagnostics/bug.ts';
import { apply, exact, multiply, zero } from '../../../dsl/types/size.ts';
import type { ElementType, NodeId } from '../../graph/graph-ir.ts';
import { slotAxes } from '../../graph/slots.ts';
import type { BufferDecl, KernelExpr } from '../../kernel/kernel-ir.ts';
import { div, mul, rem, u32, vector } from '../../kernel/make-expressions.ts';
import { row, RowCell, type RowLoop, type RowMemory } from '../../kernels/row.ts';
import { scanLine } from '../../kernels/scan.ts';
import { forEachPoint, rowMajor, stored } from '../../kernels/space.ts';
import { tileAt } from '../../kernels/tile.ts';
import { isOfPoints, type RowMember, type RowStep, type TileChoice } from '../deciding/schedule-ir.ts';
import { spaceOfRows } from '../deciding/row-layout.ts';
import { elementsOf, type StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import { choosing } from './emit-choice.ts';
import type { CheckEmitter } from './emit-checks.ts';
import { valuesOfTile } from './emit-tile.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import { enterSlotRow } from './named-points.ts';
import { labelWord, WORKGROUP, type FormOptions, type LaunchOptions, type PlanBuilder } from './plan-builder.ts';
import { NeighbourEmitter } from './neighbour-emitter.ts';
import { inner, type Indices, type PointScope } from './point-scope.ts';
import { RowEmitter } from './row-emitter.ts';
import { indexTerms, pointsOf, vectorsOf } from './spaces.ts';
import { scanOf, type PointValues } from './value-at.ts';

export function emitRow(plan: PlanBuilder, values: PointValues, checks: CheckEmitter, step: RowStep): void {
  const members = step.phases.flat();
  const buffers = new Map(
    members.flatMap(({ choice, space, stored: kept }) =>
      kept ? [[choice.node.id, plan.allocate(choice.node, space)] as const] : [],
    ),
  );
  const rows = spaceOfRows(step.rows, step.list);
  const total = elementsOf(rows, plan.sizeOf);
  const note = (loaded: ReadonlySet<NodeId>): void => {
    for (const id of loaded) plan.loaded.add(id);
    for (const { choice, cell, stored: kept } of members)
      if (cell !== null && !kept && !loaded.has(choice.node.id)) plan.unloaded.add(choice.node.id);
  };
  if (step.neighbours > 1) {
    const invocations = vectorsOf(rows, plan.sizeOf, step.neighbours);
    plan.launch({ ...optionsOf(plan, step), invocations }, (l) => note(emitNeighbours(l, step, values, buffers)));
    return;
  }
  const emit = (l: ExprEmitter, memory: RowMemory): ReadonlySet<NodeId> =>
    new RowLaunch(l, step, memory, values, checks, buffers).emit();
  const forms = step.forms.map((own): FormOptions => ({
    class: own,
    invocations: total,
    shape: null,
    write: (l) => void emit(l, { lanes: 'one', scope: own.threadArrays ? 'thread' : 'workgroup' }),
  }));
  plan.launch(optionsOf(plan, step), (l) => note(emit(l, { lanes: step.lanes, scope: 'workgroup' })), forms);
}

/** Rows that are points, several neighbours a thread: what a row holds are its registers. What was read of that. */
function emitNeighbours(
  l: ExprEmitter,
  { rows, phases, neighbours }: RowStep,
  values: PointValues,
  buffers: ReadonlyMap<NodeId, BufferId>,
): ReadonlySet<NodeId> {
  const { k } = l.launch;
  const emitter = new NeighbourEmitter(l, rows, neighbours);
  const space: StoredSpace = { assignmentList: null, axes: rows };
  const outs = new Map([...buffers].map(([id, buffer]) => [id, l.launch.write(buffer, neighbours)] as const));
  forEachPoint(k, pointsOf(l, space, neighbours), (point, id) => {
    for (const { choice } of phases.flat()) {
      if (!isOfPoints(choice)) throw new CompilerBug('schedule', `${choice.family} has no neighbours`);
      const each = values
        .ofNeighbours(
          emitter,
          choice,
        )(point)
        .map((value) => k.let(value));
      emitter.held.set(choice.node.id, each);
      const out = outs.get(choice.node.id);
      if (out !== undefined) k.store(out, id, vector(...each.map(stored)));
    }
  });
  return emitter.loaded;
}

function optionsOf(plan: PlanBuilder, step: RowStep): LaunchOptions {
  const members = step.phases.flat();
  const last = at(members, members.length - 1, 'schedule: member of a row');
  const rows = spaceOfRows(step.rows, step.list);
  const total = elementsOf(rows, plan.sizeOf);
  return {
    family: step.lanes === 'group' ? 'row_group' : 'row',
    what: [...new Set(members.map(({ choice }) => labelWord(choice.node)))].join(', '),
    span: last.choice.node.span,
    invocations: step.lanes === 'group' ? multiply([total, exact(WORKGROUP)]) : total,
    domain: `rows of ${plan.domainText(rows)}`,
    points: members.reduce(
      (sum, { space, stored: kept }) => (kept ? apply('add', sum, elementsOf(space, plan.sizeOf)) : sum),
      zero,
    ),
    apart: last.choice.node.id,
    byThreads: step.lanes === 'one',
  };
}

class RowLaunch {
  readonly #l: RowEmitter;
  readonly #step: RowStep;
  readonly #memory: RowMemory;
  readonly #values: PointValues;
  readonly #checks: CheckEmitter;
  readonly #cells = new Map<NodeId, RowCell>();
  readonly #outs: ReadonlyMap<NodeId, BufferDecl>;

  constructor(
    l: ExprEmitter,
    step: RowStep,
    memory: RowMemory,
    values: PointValues,
    checks: CheckEmitter,
    buffers: ReadonlyMap<NodeId, BufferId>,
  ) {
    const own = new Set(step.phases.flat().map(({ choice }) => choice.node.id));
    this.#l = new RowEmitter(l, step.rows, own, this.#cells);
    this.#step = step;
    this.#memory = memory;
    this.#values = values;
    this.#checks = checks;
    this.#outs = new Map([...buffers].map(([id, buffer]) => [id, l.launch.write(buffer)] as const));
  }

  /** What was read of what the row holds. */
  emit(): ReadonlySet<NodeId> {
    const l = this.#l;
    const { k } = l.launch;
    const { phases, rows, list } = this.#step;
    const cells = new Map<number, { readonly cell: RowCell; readonly element: ElementType }>();
    for (const { choice, cell: number } of phases.flat()) {
      const { id, element, axes } = choice.node;
      if (number === null) continue;
      const size = l.points.count(axes);
      const known = cells.get(number)?.cell;
      const cell = known ?? new RowCell(k, this.#memory, k.fresh('held'), kernelType(element), size);
      cells.set(number, { cell, element });
      this.#cells.set(id, cell);
    }
    row(k, {
      lanes: this.#memory.lanes,
      opaque: (value) => l.launch.opaque(value),
      rows: pointsOf(l, spaceOfRows(rows, list)),
      begin: () => {
        for (const { cell, element } of cells.values()) cell.begin(l.zeroOf(element));
      },
      phases: phases.map((phase) => phase.map((member) => this.#loop(member))),
    });
    return l.loaded;
  }

  #loop(member: RowMember): RowLoop<PointScope> {
    const l = this.#l;
    const { k } = l.launch;
    const { choice, space } = member;
    switch (choice.family) {
      case 'tile':
        return this.#tile(member, choice);
      case 'choose': {
        const { node } = choice;
        const report = this.#checks.ofNumbers(node);
        const put = (slot: PointScope, position: KernelExpr): void => this.#keep(member, slot, position);
        const groups = l.points.along(node.axes.filter((a) => a !== node.along));
        return { ...groups, visit: (group) => choosing(l, choice, report, put)(inner(group)) };
      }
      case 'scan': {
        const { node } = choice;
        const put = (point: PointScope, value: KernelExpr): void => this.#keep(member, point, value);
        const lines = l.points.along(node.axes.filter((a) => a !== node.axis));
        return { ...lines, visit: (line) => scanLine(k, scanOf(l, node, put), line) };
      }
      default: {
        if (!isOfPoints(choice)) return unreachable(choice, 'schedule');
        const visit = (point: PointScope): void => {
          const value = this.#values.of(l, choice)(point);
          this.#keep(member, point, member.cell !== null && member.stored ? k.let(value) : value);
        };
        return space.assignmentList === this.#step.list
          ? { ...l.points.along(space.axes), visit }
          : this.#slots(space, visit);
      }
    }
  }

  /** The rows of a list that are slots of this row. */
  #slots({ assignmentList, axes }: StoredSpace, visit: (point: PointScope) => void): RowLoop<PointScope> {
    const l = this.#l;
    const form = assignmentList?.form;
    if (assignmentList === null || form?.kind !== 'slots')
      throw new CompilerBug('schedule', 'a row of a list that has its rows elsewhere');
    const of = [...form.others, ...slotAxes(form.slots)];
    const enter = (point: PointScope): void => {
      const slot = l.launch.k.let(rowMajor(of.map((a) => l.index(point, a)), of.map((a) => l.size(a))), 'slot'); // prettier-ignore
      const own: Indices = axes.map((a) => [a, l.index(point, a)]);
      enterSlotRow(l, assignmentList, form, slot, (there) => visit(inner(there, own)));
    };
    return { ...l.points.along([...of, ...axes]), visit: enter };
  }

  /** Columns of a contraction, so many at once. */
  #tile(member: RowMember, choice: TileChoice): RowLoop<PointScope> {
    const l = this.#l;
    const { k } = l.launch;
    const { columns, tileColumns, over, lanes, node } = choice;
    const others = node.axes.filter((a) => !columns.includes(a));
    const width = l.points.count(columns);
    const blocks = Math.ceil(width / tileColumns);
    return {
      size: l.points.count(others) * blocks,
      at: (around, index) => {
        const place = blocks === 1 ? index : k.let(div(index, u32(blocks)), 'q');
        return l.points.at(others, around, place);
      },
      visit: (point, index) => {
        const values = valuesOfTile(l, choice);
        const first = blocks === 1 ? u32(0) : k.let(mul(rem(index, u32(blocks)), tileColumns), 'col');
        const put = (_: KernelExpr, column: KernelExpr, value: KernelExpr): void =>
          this.#keep(member, values.atColumn(point, column), value);
        tileAt<PointScope, Indices>(
          k,
          { ...values, put, tileRows: 1, tileColumns, terms: indexTerms(l, over, lanes) },
          first,
        ).row(u32(0), point);
      },
    };
  }

  /** A value at a point into what the row holds and into memory. */
  #keep({ choice, space }: RowMember, point: PointScope, value: KernelExpr): void {
    const { node } = choice;
    const l = this.#l;
    this.#cells.get(node.id)?.store(l.points.placeOf(node.axes, point), value);
    const out = this.#outs.get(node.id);
    if (out !== undefined) l.launch.k.store(out, l.elementIndex(point, space), stored(value));
  }
}
