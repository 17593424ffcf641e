/** A tile (kernels/tile.ts) of a plan: what its rows and columns are, and what is stored at them. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { apply, ceilDiv, exact, multiply, type Size } from '../../../dsl/types/size.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { convert } from '../../kernel/make-expressions.ts';
import { stored } from '../../kernels/space.ts';
import { shortBlock, tile, type TileRows } from '../../kernels/tile.ts';
import type { TileChoice } from '../deciding/schedule-ir.ts';
import { elementsOf, type StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import type { AssignmentListBuilder } from './assignment-lists.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import type { Ways } from './launch-builder.ts';
import type { LaunchOptions, PlanBuilder } from './plan-builder.ts';
import { emptyPointScope, inner, paired, rebound, type Indices, type PointScope } from './point-scope.ts';
import { indexTerms, pointsOf } from './spaces.ts';

/** Emits the launch that stores a tile's value in `buffer`. */
export function emitTile(
  plan: PlanBuilder,
  lists: AssignmentListBuilder,
  choice: TileChoice,
  space: StoredSpace,
  buffer: BufferId,
  options: LaunchOptions,
): void {
  const { node, heads, columns, tileRows, tileColumns, lanes, over } = choice;
  const width = multiply(columns.map(plan.sizeOf));
  const columnBlocks = ceilDiv(width, tileColumns);
  const { blocks, rowsOf, ways } = rowsOfTile(plan, lists, choice, space);
  const first = at(heads, 0, 'schedule: head of a tile').node;
  plan.launch({ ...options, invocations: multiply([blocks, columnBlocks]) }, (l) => {
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
    tile<PointScope, Indices>(l.launch.k, {
      rows: rowsOf(l),
      tileRows,
      tileColumns,
      heads: heads.length,
      type,
      width: l.launch.size(width),
      atColumn,
      terms: indexTerms(l, over, lanes),
      input: (point, indices) => side(first.id, choice.input, inner(point, indices)),
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
      out: l.launch.write(buffer),
      ...(ways === null ? {} : { ways: (isShort) => l.launch.ways(isShort, ways(columnBlocks)) }),
    });
  });
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
  { rows, columns, tileRows }: TileChoice,
  { assignmentList, axes }: StoredSpace,
): RowsOfTile {
  const few = shortBlock(tileRows);
  switch (rows.kind) {
    case 'blocks': {
      if (assignmentList === null) throw new CompilerBug('schedule', 'blocks of rows have no assignment list');
      const { buffer, maxBlocks } = lists.blocksOf(assignmentList, tileRows);
      const { capacity } = assignmentList;
      return {
        blocks: maxBlocks,
        rowsOf: (l) => ({
          kind: 'blocks',
          blocks: l.read(buffer),
          maxBlocks: l.launch.size(maxBlocks),
          enter: (row) => l.enterRow(emptyPointScope(), assignmentList, row),
        }),
        // A short block has few rows and a whole one more: of as many threads as short blocks can be, none does more than a tile.
        ways: (columnBlocks) => {
          const threads = multiply([apply('min', maxBlocks, ceilDiv(capacity, few)), columnBlocks]);
          return { holds: threads, fails: threads, both: false };
        },
      };
    }
    case 'dense': {
      const size = multiply(rows.axes.map(plan.sizeOf));
      const groups = multiply(rows.groups.map(plan.sizeOf));
      const all = [...rows.groups, ...rows.axes];
      // The last block of a group is short if it has few rows.
      const whole = apply('floor', apply('div', apply('add', size, exact(tileRows - few - 1)), exact(tileRows)));
      const blocks = ceilDiv(size, tileRows);
      return {
        blocks: multiply([groups, blocks]),
        rowsOf: (l) => ({
          kind: 'dense',
          groups: l.launch.size(groups),
          size: l.launch.size(size),
          enter: (row) => inner(emptyPointScope(), paired(all, l.decode(row, all.map((a) => l.size(a))))), // prettier-ignore
        }),
        ways: (columnBlocks) => ({
          holds: multiply([groups, apply('sub', blocks, whole), columnBlocks]),
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
