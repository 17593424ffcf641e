/** A tile (kernels/tile.ts) of a plan: what its rows and columns are, and what is stored at them. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { apply, exact, multiply, type Size } from '../../../dsl/types/size.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { convert } from '../../kernel/make-expressions.ts';
import { tile, type TileRows } from '../../kernels/tile.ts';
import type { TileChoice } from '../deciding/schedule-ir.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import type { AssignmentListBuilder } from './assignment-lists.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import type { LaunchOptions, PlanBuilder } from './plan-builder.ts';
import { detached, emptyPointScope, inner, type PointScope } from './point-scope.ts';
import { indexTerms, paired } from './spaces.ts';

type Indices = readonly (readonly [AxisId, KernelExpr])[];

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
  const { count, rowsOf } = rowsOfTile(plan, lists, choice, space);
  plan.launch({ ...options, invocations: multiply([count, columnBlocks]) }, (l) => {
    const type = kernelType(at(heads, 0, 'schedule: head of a tile').node.element);
    const side = (id: NodeId, point: PointScope): KernelExpr =>
      lanes === 1 ? convert(type, l.value(id, point)) : l.vector(id, point, lanes);
    /** Emits what a head is made of, as what is computed in passing if it is not what is stored. */
    const ofHead = (id: NodeId, emit: () => KernelExpr): KernelExpr =>
      id === node.id ? emit() : l.inPassing(id, emit);
    const { rows, enterRow } = rowsOf(l);
    const atColumn = (point: PointScope, column: KernelExpr): PointScope => {
      const digits = l.decode(column, columns.map((a) => l.size(a))); // prettier-ignore
      return inner(point, paired(columns, digits));
    };
    tile<PointScope, Indices>(l.launch.k, {
      tileRows,
      tileColumns,
      heads: heads.length,
      type,
      rows,
      width: l.launch.size(width),
      enterRow,
      atColumn,
      terms: indexTerms(l, over, lanes),
      input: (point, indices) => {
        const first = at(heads, 0, 'schedule: head of a tile').node.id;
        return ofHead(first, () => side(choice.input, inner(point, indices)));
      },
      weight: (number, point, indices) => {
        const head = at(heads, number, 'schedule: head of a tile');
        return ofHead(head.node.id, () => side(head.weight, inner(point, indices)));
      },
      result: (row, column, sums) => {
        const own = sums[0];
        if (heads.length === 1 && heads[0]?.node.id === node.id && own !== undefined) return own;
        const point = detached(atColumn(enterRow(row), column));
        heads.forEach((head, i) => point.values.set(head.node.id, at(sums, i, 'schedule: sum of a head')));
        const value = l.compute(node, point);
        return value.type === 'bool' ? convert('u32', value) : value;
      },
      out: l.launch.write(buffer),
    });
  });
}

/** How many blocks of rows a tile has, and in a launch what they are. */
function rowsOfTile(
  plan: PlanBuilder,
  lists: AssignmentListBuilder,
  { rows, tileRows }: TileChoice,
  { assignmentList }: StoredSpace,
): {
  readonly count: Size;
  readonly rowsOf: (l: ExprEmitter) => { readonly rows: TileRows; readonly enterRow: (row: KernelExpr) => PointScope };
} {
  switch (rows.kind) {
    case 'blocks': {
      if (assignmentList === null) throw new CompilerBug('schedule', 'blocks of rows have no assignment list');
      const { buffer, maxBlocks } = lists.blocksOf(assignmentList, tileRows);
      return {
        count: maxBlocks,
        rowsOf: (l) => ({
          rows: { kind: 'blocks', blocks: l.read(buffer), maxBlocks: l.launch.size(maxBlocks) },
          enterRow: (row) => l.enterRow(emptyPointScope(), assignmentList, row),
        }),
      };
    }
    case 'rows': {
      if (assignmentList === null) throw new CompilerBug('schedule', 'rows of a tile have no assignment list');
      return {
        count: assignmentList.capacity,
        rowsOf: (l) => ({
          rows: { kind: 'rows', count: l.count(assignmentList), capacity: l.launch.size(assignmentList.capacity) },
          enterRow: (row) => l.enterRow(emptyPointScope(), assignmentList, row),
        }),
      };
    }
    case 'dense': {
      const size = multiply(rows.axes.map(plan.sizeOf));
      const groups = multiply(rows.groups.map(plan.sizeOf));
      const axes = [...rows.groups, ...rows.axes];
      return {
        count: multiply([groups, ceilDiv(size, tileRows)]),
        rowsOf: (l) => ({
          rows: { kind: 'dense', groups: l.launch.size(groups), size: l.launch.size(size) },
          enterRow: (row) => inner(emptyPointScope(), paired(axes, l.decode(row, axes.map((a) => l.size(a))))), // prettier-ignore
        }),
      };
    }
  }
}

function ceilDiv(size: Size, by: number): Size {
  return apply('ceil', apply('div', size, exact(by)));
}
