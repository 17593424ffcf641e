/** A sum along slots with the contractions that it is made of (kernels/summed.ts), of a plan. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger, ceilDiv, exact, multiply, type Size } from '../../../dsl/types/size.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import { slotAxes } from '../../graph/slots.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { add, bitcast, bool, convert, mul } from '../../kernel/make-expressions.ts';
import { stored } from '../../kernels/space.ts';
import { visitTogether } from '../../kernels/subgroup-tile.ts';
import {
  summedByGroups, summedBySubgroups, summedByThreads, unitsFor, type SummedConfig, type SummedPart as KernelPart, type UnitValues,
} from '../../kernels/summed.ts'; // prettier-ignore
import { numberOf, sumsOf, visitAlone, type SumsConfig } from '../../kernels/tile.ts';
import type { SlotsChoice, SummedChoice, SummedPart, TileForm } from '../deciding/schedule-ir.ts';
import { elementsOf, type AssignmentList, type StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import { valuesOfTile } from './emit-tile.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { enterNamed } from './named-points.ts';
import { WORKGROUP, type FormOptions, type LaunchOptions, type PlanBuilder } from './plan-builder.ts';
import { inner, paired, rebound, scopeAt, type Indices, type PointScope } from './point-scope.ts';
import { termsOfSlots } from './slot-points.ts';
import { indexTerms, pointsOf, vectorTerms } from './spaces.ts';

/** Emits the launch that stores what a sum comes to in `buffer`. */
export function emitSummed(
  plan: PlanBuilder,
  choice: SummedChoice,
  space: StoredSpace,
  buffer: BufferId,
  options: LaunchOptions,
): void {
  const { columns, tileColumns, forms } = choice;
  const rows: StoredSpace = { assignmentList: null, axes: space.axes.slice(0, space.axes.length - columns.length) };
  const where: Where = { rows, buffer, lists: plan.schedule.assignmentLists };
  const rowCount = elementsOf(rows, plan.sizeOf);
  const width = multiply(columns.map(plan.sizeOf));
  const counts = choice.parts.map(({ sum }) => ({ count: sum === null ? 1 : countOf(plan, sum) }));
  const units = unitsFor(counts, WORKGROUP);
  const groups = (side: number): Size => multiply([rowCount, ceilDiv(width, side * tileColumns)]);
  const invocations = units === null ? groups(1) : multiply([groups(Math.floor(WORKGROUP / units)), exact(WORKGROUP)]);
  plan.launch(
    { ...options, invocations },
    (l) => {
      const config = configOf(l, choice, where, (part) => visitAlone(l.launch.k, indexTerms(l, part.over, part.lanes), inputOf(l, part)));
      if (units === null) summedByThreads(l.launch.k, config, tileColumns);
      else summedByGroups(l.launch.k, config, units, tileColumns);
    },
    forms.map((form) => formOf(choice, where, form, { rowCount, width })),
  );
} // prettier-ignore

/** How a class of devices does it. */
function formOf(
  choice: SummedChoice,
  where: Where,
  { class: own, tileColumns }: TileForm,
  { rowCount, width }: { readonly rowCount: Size; readonly width: Size },
): FormOptions {
  const { subgroupSize: lanes } = own;
  return {
    class: own,
    invocations: multiply([rowCount, ceilDiv(width, lanes * tileColumns), exact(lanes)]),
    shape: [tileColumns],
    write: (l) => {
      const opaque = (value: number): KernelExpr => l.launch.number(exact(value), `${value}`);
      const config = configOf(l, choice, where, (part) => {
        if (part.lanes !== 4) throw new CompilerBug('schedule', 'a subgroup has rows that are loaded by vectors');
        const terms = vectorTerms(l, part.over, part.lanes);
        return (points, addTerm, sums) =>
          visitTogether(l.launch.k, { terms, input: inputOf(l, part), lanes, opaque }, points, addTerm, sums);
      });
      summedBySubgroups(l.launch.k, config, { lanes, tileColumns });
    },
  };
}

/** How many slots a row has, if that is known. */
function countOf(plan: Pick<PlanBuilder, 'sizeOf'>, { slots }: SlotsChoice): number | null {
  return asInteger(multiply(slotAxes(slots).map(plan.sizeOf)));
}

type Lists = readonly AssignmentList[];
type Visit = SumsConfig<PointScope, Indices>['visit'];

/** Where a launch stores what it computes. */
interface Where {
  readonly rows: StoredSpace;
  readonly buffer: BufferId;
  readonly lists: Lists;
}

function configOf(
  l: ExprEmitter,
  choice: SummedChoice,
  { rows, buffer, lists }: Where,
  visitOf: (part: SummedPart) => Visit,
): SummedConfig<PointScope> {
  const { columns, parts, node } = choice;
  const width = l.launch.size(multiply(columns.map((a) => l.placement.sizeOf(a))));
  const out = l.launch.write(buffer);
  return {
    rows: pointsOf(l, rows),
    width,
    opaque: (value) => l.launch.number(exact(value), `${value}`),
    parts: parts.map((part) => partOf(l, lists, choice, part, visitOf(part))),
    result: (point, column, totals) => {
      const here = rebound(atColumn(l, choice, point, column), []);
      for (const [i, { sum, heads }] of parts.entries()) {
        const own = at(totals, i, 'schedule: part of a sum');
        const nodes = sum === null ? heads.map((head) => head.node) : [sum.node];
        nodes.forEach((each, value) => here.values.set(each.id, at(own, value, 'schedule: value of a part')));
      }
      const known = here.values.get(node.id);
      return stored(known ?? l.compute(node, here));
    },
    put: (row, column, value) => l.launch.k.store(out, add(mul(row, width), column), value),
  };
}

const tileOf = (l: ExprEmitter, { heads, input, lanes }: SummedPart, { columns }: Pick<SummedChoice, 'columns'>) =>
  valuesOfTile(l, { node: at(heads, 0, 'schedule: head of a sum').node, heads, input, lanes, columns });

const inputOf = (l: ExprEmitter, part: SummedPart) => tileOf(l, part, { columns: [] }).input;

function atColumn(l: ExprEmitter, { columns }: SummedChoice, point: PointScope, column: KernelExpr): PointScope {
  return inner(point, paired(columns, l.decode(column, columns.map((a) => l.size(a))))); // prettier-ignore
}

function partOf(l: ExprEmitter, lists: Lists, choice: SummedChoice, part: SummedPart, visit: Visit): KernelPart<PointScope> {
  const { k } = l.launch;
  const { sum, heads } = part;
  const tile = tileOf(l, part, choice);
  const totalsAt = (point: PointScope, columns: readonly KernelExpr[]): ReturnType<UnitValues<PointScope>> => {
    const config = { ...tile, columns, maxTerms: indexTerms(l, part.over).maxTerms, visit };
    const sums = sumsOf(k, config, [point], null);
    return heads.map((_, head) => columns.map((__, j) => sums.total(numberOf(config, 0, head, j))));
  };
  if (sum === null) return { slots: null, values: heads.length, at: totalsAt };
  const terms = termsOfSlots(l, sum);
  const axes = slotAxes(sum.slots);
  return {
    slots: {
      count: asInteger(multiply(axes.map(l.placement.sizeOf))),
      terms: { ...terms, visit: (point, body, close) => terms.visit(point, (there) => body(inRows(l, lists, sum, there)), close) },
      enter: (row, slot, inside) => {
        const numbers = paired(axes, l.decode(slot, axes.map((a) => l.size(a)))); // prettier-ignore
        enterNamed(l, sum.slots, inner(row), numbers, (named) =>
          k.when(l.value(sum.presence, named), () => {
            const there = inner(named);
            there.values.set(sum.presence, bool(true));
            inside(inRows(l, lists, sum, there));
          }),
        );
      },
    },
    values: 1,
    at: (point, columns) => {
      const totals = totalsAt(point, columns);
      return [
        columns.map((column, j) => {
          const here = rebound(atColumn(l, choice, point, column), []);
          for (const [id, value] of knownTrue(point)) here.values.set(id, value);
          heads.forEach(({ node }, head) => here.values.set(node.id, at(at(totals, head, 'schedule: head'), j, 'schedule: column')));
          return convert('f32', l.value(sum.value, here));
        }),
      ];
    },
  };
} // prettier-ignore

/** A point that slots name, with the rows that lists of the same presence have for it. */
function inRows(l: ExprEmitter, all: Lists, { presence }: SlotsChoice, point: PointScope): PointScope {
  const lists = all.filter(({ form, presences }) => form.kind === 'slots' && presences.every((id) => id === presence));
  const rows = new Map(point.rows);
  for (const list of lists)
    if (list.axes.every((a) => point.axes.has(a))) rows.set(list.id, { assignmentList: list, row: bitcast('u32', l.rowOf(point, list)) });
  return scopeAt(point.axes, rows, point);
} // prettier-ignore

/** What is known to be true at a point. */
function knownTrue(point: PointScope): readonly (readonly [NodeId, KernelExpr])[] {
  const found: (readonly [NodeId, KernelExpr])[] = [];
  for (let scope: PointScope | null = point; scope !== null; scope = scope.parent)
    for (const [id, value] of scope.values) if (value.kind === 'literal') found.push([id, value]);
  return found;
}
