/** A tile (kernels/tile.ts) of a plan: what its rows and columns are, and what is stored at them. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { apply, ceilDiv, exact, multiply, type Size } from '../../../dsl/types/size.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { add, convert, mul } from '../../kernel/make-expressions.ts';
import { stored } from '../../kernels/space.ts';
import { subgroupTile } from '../../kernels/subgroup-tile.ts';
import { shortBlock, tile, type TileRows, type TileValues } from '../../kernels/tile.ts';
import type { TileChoice, TileForm } from '../deciding/schedule-ir.ts';
import { elementsOf, type StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import type { AssignmentListBuilder } from './assignment-lists.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import type { Ways } from './launch-builder.ts';
import type { FormOptions, LaunchOptions, PlanBuilder } from './plan-builder.ts';
import { emptyPointScope, inner, paired, rebound, type Indices, type PointScope } from './point-scope.ts';
import { indexTerms, pointsOf, vectorTerms } from './spaces.ts';

/** Emits the launch that stores a tile's value in `buffer`. */
export function emitTile(
  plan: PlanBuilder,
  lists: AssignmentListBuilder,
  choice: TileChoice,
  space: StoredSpace,
  buffer: BufferId,
  options: LaunchOptions,
): void {
  const { columns, tileRows, tileColumns, lanes, over } = choice;
  const width = multiply(columns.map(plan.sizeOf));
  const columnBlocks = ceilDiv(width, tileColumns);
  const { blocks, rowsOf, ways } = rowsOfTile(plan, lists, choice, space, tileRows);
  plan.launch(
    { ...options, invocations: multiply([blocks, columnBlocks]), byThreads: true },
    (l) =>
      tile<PointScope, Indices>(l.launch.k, {
        ...valuesOfTile(l, choice),
        put: intoMemory(l, choice, buffer),
        rows: rowsOf(l),
        tileRows,
        tileColumns,
        terms: indexTerms(l, over, lanes),
        ...(ways === null ? {} : { ways: (isShort) => l.launch.ways(isShort, ways(columnBlocks)) }),
      }),
    choice.forms.map((form) => formOfTile(plan, lists, choice, space, buffer, form)),
  );
}

/** How a class of devices computes a tile. */
function formOfTile(
  plan: PlanBuilder,
  lists: AssignmentListBuilder,
  choice: TileChoice,
  space: StoredSpace,
  buffer: BufferId,
  { class: own, tileRows, tileColumns }: TileForm,
): FormOptions {
  const {
    subgroupSize: lanes,
    tile: { smallRows },
  } = own;
  const { blocks, rowsOf } = rowsOfTile(plan, lists, choice, space, tileRows);
  const columnTiles = ceilDiv(multiply(choice.columns.map(plan.sizeOf)), lanes * tileColumns);
  return {
    class: own,
    invocations: multiply([blocks, columnTiles, exact(lanes)]),
    shape: [tileRows, tileColumns],
    write: (l) => {
      const rows = rowsOf(l);
      if (choice.lanes !== 4) throw new CompilerBug('schedule', 'a subgroup has tiles that are loaded by vectors');
      subgroupTile<PointScope, Indices>(l.launch.k, {
        ...valuesOfTile(l, choice),
        put: intoMemory(l, choice, buffer),
        rows,
        lanes,
        opaque: (value) => l.launch.opaque(value),
        smallRows,
        tileRows,
        tileColumns,
        terms: vectorTerms(l, choice.over, choice.lanes),
      });
    },
  };
}

/** What a tile computes, however it is cut; without where it goes. */
export function valuesOfTile(
  l: ExprEmitter,
  { node, heads, columns, lanes, input }: Pick<TileChoice, 'node' | 'heads' | 'columns' | 'lanes' | 'input'>,
): Omit<TileValues<PointScope, Indices>, 'put'> {
  const width = multiply(columns.map((a) => l.placement.sizeOf(a)));
  const first = at(heads, 0, 'schedule: head of a tile').node;
  const type = kernelType(first.element);
  /** A side of a head, which is computed in passing if it is not what is stored. */
  const side = (head: NodeId, id: NodeId, point: PointScope): KernelExpr => {
    const load = (): KernelExpr => (lanes === 1 ? convert(type, l.value(id, point)) : l.vector(id, point, lanes));
    return head === node.id ? load() : l.inPassing(head, load);
  };
  const atColumn = (point: PointScope, column: KernelExpr): PointScope => {
    const digits = l.decode(column, columns.map((a) => l.size(a))); // prettier-ignore
    return inner(point, paired(columns, digits));
  };
  return {
    heads: heads.length,
    type,
    width: l.launch.size(width),
    atColumn,
    input: (point, indices) => side(first.id, input, inner(point, indices)),
    weight: (number, point, indices) => {
      const head = at(heads, number, 'schedule: head of a tile');
      return side(head.node.id, head.weight, inner(point, indices));
    },
    result: (point, column, sums) => {
      const sum = (i: number): KernelExpr => at(sums, i, 'schedule: sum of a head');
      if (first.id === node.id) return sum(0);
      const here = rebound(atColumn(point, column), []);
      heads.forEach((head, i) => here.values.set(head.node.id, sum(i)));
      return stored(l.compute(node, here));
    },
  };
}

/** Into memory, at a row and a column of it. */
function intoMemory(l: ExprEmitter, { columns }: TileChoice, buffer: BufferId): TileValues<PointScope, Indices>['put'] {
  const width = l.launch.size(multiply(columns.map((a) => l.placement.sizeOf(a))));
  const out = l.launch.write(buffer);
  return (row, column, value) => l.launch.k.store(out, add(mul(row, width), column), value);
}

/** Blocks of rows that all are there, so many each: those that go as a whole, and the last one where it has so few that they go one by one. */
export function denseBlocks(
  rows: Size,
  tileRows: number,
): { readonly blocks: Size; readonly whole: Size; readonly short: Size } {
  const blocks = ceilDiv(rows, tileRows);
  const beyond = exact(tileRows - shortBlock(tileRows) - 1);
  const whole = apply('floor', apply('div', apply('add', rows, beyond), exact(tileRows)));
  return { blocks, whole, short: apply('sub', blocks, whole) };
}

interface RowsOfTile {
  /** Blocks of rows, or rows that go one by one. */
  readonly blocks: Size;
  readonly rowsOf: (l: ExprEmitter) => TileRows<PointScope>;
  /** The threads that short blocks and whole ones keep busy, of so many for each block; null: there is one way. */
  readonly ways: ((columnBlocks: Size) => Ways) | null;
}

function rowsOfTile(
  plan: PlanBuilder,
  lists: AssignmentListBuilder,
  { rows, columns }: TileChoice,
  { assignmentList, axes }: StoredSpace,
  tileRows: number,
): RowsOfTile {
  const few = shortBlock(tileRows);
  switch (rows.kind) {
    case 'blocks': {
      if (assignmentList === null) throw new CompilerBug('schedule', 'blocks of rows have no assignment list');
      const { buffer, from, maxBlocks } = lists.blocksOf(assignmentList, rows.blockRows);
      const { capacity } = assignmentList;
      const parts = rows.blockRows / tileRows;
      const tiles = multiply([maxBlocks, exact(parts)]);
      // Tiles with rows: each group has one that is not whole, at most, as it has one such block.
      const whole = (rowsOf: number): Size => apply('floor', apply('div', capacity, exact(rowsOf)));
      const used = apply('add', apply('sub', maxBlocks, whole(rows.blockRows)), whole(tileRows));
      return {
        blocks: tiles,
        rowsOf: (l) => ({
          kind: 'blocks',
          blocks: l.read(buffer),
          ...(from === null ? {} : { from: l.launch.size(from) }),
          maxBlocks: l.launch.size(maxBlocks),
          parts,
          enter: (row) => l.enterRow(emptyPointScope(), assignmentList, row),
        }),
        // A short block has few rows and a whole one more: of as many threads as short blocks can be, none does more than a tile.
        ways: (columnBlocks) => {
          const threads = multiply([apply('min', used, ceilDiv(capacity, few)), columnBlocks]);
          return { holds: threads, fails: threads, both: false };
        },
      };
    }
    case 'dense': {
      const size = multiply(rows.axes.map(plan.sizeOf));
      const groups = multiply(rows.groups.map(plan.sizeOf));
      const all = [...rows.groups, ...rows.axes];
      const { blocks, whole, short } = denseBlocks(size, tileRows);
      return {
        blocks: multiply([groups, blocks]),
        rowsOf: (l) => ({
          kind: 'dense',
          groups: l.launch.size(groups),
          size: l.launch.size(size),
          enter: (row) => inner(emptyPointScope(), paired(all, l.decode(row, all.map((a) => l.size(a))))), // prettier-ignore
        }),
        ways: (columnBlocks) => ({
          holds: multiply([groups, short, columnBlocks]),
          fails: multiply([groups, whole, columnBlocks]),
          both: true,
        }),
      };
    }
    case 'single': {
      const single: StoredSpace = { assignmentList, axes: axes.slice(0, axes.length - columns.length) };
      return {
        blocks: elementsOf(single, plan.sizeOf),
        rowsOf: (l) => ({ kind: 'single', space: pointsOf(l, single) }),
        ways: null,
      };
    }
  }
}
