/**
 * Building assignment lists and the lists of their rows by key: one launch where slots name what is listed (kernels/group-slots.ts), else
 * three (kernels/compaction.ts), whatever the number of experts.
 *
 *   rows       mask: all its presences hold;      list = indices (positions, with those of the rows it refines),
 *              keys: new target axes            inverse = the row of each position
 *   list       mask: the point has a row;        list = the rows of each key, in index order of what is summed
 *
 * and one that cuts rows into blocks of one group (kernels/row-blocks.ts).
 */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import { apply, ceilDiv, exact, multiply, one } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AxisId } from '../../graph/graph-ir.ts';
import { bitcast, bool, ge, i32, lt, ne, or, sub } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { CHUNK, chunksOf } from '../../kernels/compaction.ts';
import type { Mask } from '../../kernels/compaction.ts';
import { compactCount } from '../../kernels/compact-count.ts';
import { compactFill } from '../../kernels/compact-fill.ts';
import { BLOCK_THREADS, rowBlocks } from '../../kernels/row-blocks.ts';
import { SCAN_THREADS, compactScan } from '../../kernels/compact-scan.ts';
import { blocksKey, indexKey, type IndexShape } from '../deciding/schedule-ir.ts';
import { emptyPointScope, inner, paired } from './point-scope.ts';
import type { PointScope } from './point-scope.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import type { Compaction } from './contents.ts';
import { depthOf } from '../memory/memory.ts';
import type { AssignmentList } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import { emitGroups, listText, mostBlocks, type RowBlocks } from './emit-groups.ts';
import type { PlanBuilder } from './plan-builder.ts';

interface CompactionShape {
  readonly of: Compaction['of'];
  readonly what: string;
  readonly domain: string;
  readonly keys: Size;
  readonly perKey: Size;
  readonly capacity: Size;
  /** Words of an entry of the list. */
  readonly words: number;
  /** The mask, and what a present position enters into the list. */
  readonly mask: (lowering: ExprEmitter) => {
    readonly present: Mask['present'];
    readonly entry: (position: KernelExpr) => readonly KernelExpr[];
  };
  readonly withInverse: boolean;
}

interface CompactionBuffers {
  readonly list: BufferId;
  readonly offsets: BufferId;
  readonly inverse: BufferId | null;
}

export class AssignmentListBuilder {
  readonly #plan: PlanBuilder;
  readonly #lists = new Map<string, CompactionBuffers>();
  readonly #blocks = new Map<string, RowBlocks>();

  constructor(plan: PlanBuilder) {
    this.#plan = plan;
  }

  /** Emits what makes an assignment list. */
  emitRows(assignmentList: AssignmentList): void {
    const plan = this.#plan;
    if (assignmentList.form.kind === 'grouped') {
      const { buffers, blocks } = emitGroups(plan, assignmentList, assignmentList.form);
      plan.setAssignmentList(assignmentList, buffers);
      if (blocks !== null) this.#blocks.set(blocksKey(assignmentList, blocks.blockRows), blocks);
      return;
    }
    const { parent, majorAxes, minorAxes } = assignmentList;
    const buffers = this.#compact({
      of: { kind: 'rows', assignmentList },
      what: listText(plan, assignmentList),
      domain:
        parent === null
          ? plan
              .axes(assignmentList.axes)
              .map(({ name }) => name)
              .join(', ')
          : `${plan.domainText({ assignmentList: parent, axes: [] })} refined`,
      keys: multiply(majorAxes.map(plan.sizeOf)),
      perKey: multiply([...(parent === null ? [] : [parent.capacity]), ...minorAxes.map(plan.sizeOf)]),
      capacity: assignmentList.capacity,
      words: depthOf(assignmentList),
      mask: (lowering) => ({
        present: (position) => presentIn(lowering, assignmentList, position),
        entry: (position) => [position, ...wordsOfParent(lowering, assignmentList, position)],
      }),
      withInverse: true,
    });
    plan.setAssignmentList(assignmentList, {
      indices: buffers.list,
      offsets: buffers.offsets,
      inverse: buffers.inverse ?? buffers.list,
    });
  }

  /** The list of an assignment list's rows by key. */
  indexOf(shape: IndexShape): { readonly list: BufferId; readonly offsets: BufferId } {
    return get(this.#lists, indexKey(shape), 'schedule: list of rows by key');
  }

  /** Emits what lists an assignment list's rows by key. */
  emitIndex(shape: IndexShape): void {
    const plan = this.#plan;
    const name = (axes: readonly AxisId[]) => axes.map((a) => plan.axis(a).name).join(', ');
    const { ancestor } = shape;
    const keys = shape.keys.map(plan.sizeOf);
    const buffers = this.#compact({
      of: { kind: 'list', shape },
      what: `assignments (${name(shape.listed)}) of each (${name([...(ancestor?.axes ?? []), ...shape.keys])})`,
      domain: name([...(ancestor?.axes ?? []), ...shape.keys, ...shape.listed]),
      keys: multiply(ancestor === null ? keys : [ancestor.capacity, ...keys]),
      perKey: multiply(shape.listed.map(plan.sizeOf)),
      capacity: shape.assignmentList.capacity,
      words: 1,
      mask: (lowering) => listMask(lowering, shape),
      withInverse: false,
    });
    this.#lists.set(indexKey(shape), buffers);
  }

  /** The blocks of an assignment list's rows, and how many there is room for. */
  blocksOf(list: AssignmentList, blockRows: number): RowBlocks {
    return get(this.#blocks, blocksKey(list, blockRows), 'schedule: blocks of rows');
  }

  /** Emits what cuts the rows of an assignment list into blocks. */
  emitBlocks(list: AssignmentList, blockRows: number): void {
    const plan = this.#plan;
    const maxBlocks = mostBlocks(plan, list, blockRows);
    const what = `${listText(plan, list)}: blocks of ${blockRows}`;
    const buffer = plan.table.scratch(what, 'u32', apply('add', maxBlocks, one));
    this.#blocks.set(blocksKey(list, blockRows), { blockRows, buffer, from: null, maxBlocks });
    const options = {
      span: null,
      domain: plan.domainText({ assignmentList: list, axes: [] }),
      points: apply('add', maxBlocks, one),
      family: 'row_blocks',
      what,
      invocations: exact(BLOCK_THREADS),
      workgroupSize: BLOCK_THREADS,
    };
    plan.launch(options, (lowering) => {
      const { launch } = lowering;
      const target = (row: KernelExpr): PointScope => lowering.enterRow(emptyPointScope(), list, row);
      rowBlocks(launch.k, {
        blockRows,
        count: lowering.count(list),
        maxBlocks: launch.size(maxBlocks),
        beginsGroup: (row) => {
          const [before, here] = [target(launch.k.let(sub(row, 1), 'r')), target(row)];
          return or(...list.targets.map((t) => ne(lowering.index(before, t), lowering.index(here, t))));
        },
        share: (end) => launch.span(end, ceilDiv(list.capacity, BLOCK_THREADS)),
        blocks: launch.write(buffer),
      });
    });
  }

  #compact(shape: CompactionShape): CompactionBuffers {
    const { table } = this.#plan;
    const { what, domain, keys, perKey } = shape;
    const positions = multiply([keys, perKey]);
    const chunks = ceilDiv(positions, CHUNK);
    const counts = table.scratch(`${what}: counts`, 'u32', chunks);
    const starts = table.scratch(`${what}: starts`, 'u32', apply('add', chunks, one));
    const list = table.scratch(`${what}: list`, 'u32', multiply([shape.capacity, exact(shape.words)]));
    const offsets = table.scratch(`${what}: offsets`, 'u32', apply('add', keys, one));
    const inverse = shape.withInverse ? table.scratch(`${what}: place`, 'i32', positions) : null;
    this.#plan.addCompaction({ what, of: shape.of, counts, starts, list, offsets, inverse });
    const common = { span: null, domain, points: positions };
    const maskOf = (lowering: ExprEmitter) => {
      const { present, entry } = shape.mask(lowering);
      return { mask: { positions: lowering.launch.size(positions), present }, entry };
    };
    this.#plan.launch(
      { ...common, family: 'compact_count', what: `${what}, count`, invocations: chunks },
      (lowering) => {
        const { mask } = maskOf(lowering);
        compactCount(lowering.launch.k, { mask, counts: lowering.launch.write(counts) });
      },
    );
    const scan = {
      span: null,
      domain: `chunks of (${domain})`,
      points: chunks,
      family: 'compact_scan',
      what: `${what}, scan`,
      invocations: exact(SCAN_THREADS),
      workgroupSize: SCAN_THREADS,
    };
    this.#plan.launch(scan, ({ launch }) => {
      compactScan(launch.k, {
        chunks: launch.k.let(chunksOf(launch.size(positions)), 'chunks'),
        counts: launch.read(counts),
        starts: launch.write(starts),
      });
    });
    const invocations = apply('max', chunks, apply('add', keys, one));
    this.#plan.launch({ ...common, family: 'compact_fill', what: `${what}, fill`, invocations }, (lowering) => {
      const { launch } = lowering;
      compactFill(launch.k, {
        ...maskOf(lowering),
        keys: launch.size(keys),
        perKey: launch.size(perKey),
        starts: launch.read(starts),
        list: launch.write(list),
        offsets: launch.write(offsets),
        inverse: inverse === null ? null : launch.write(inverse),
      });
    });
    return { list, offsets, inverse };
  }
}

/** Whether all presences of an assignment list hold at one of its positions. */
function presentIn(lowering: ExprEmitter, assignmentList: AssignmentList, position: KernelExpr): KernelExpr {
  const { k } = lowering.launch;
  const digits = lowering.decode(position, lowering.positionSizes(assignmentList));
  const axes = [...assignmentList.majorAxes, ...assignmentList.minorAxes];
  const parentAt = assignmentList.parent === null ? -1 : assignmentList.majorAxes.length;
  const indices = digits.filter((_, i) => i !== parentAt);
  const pairs = paired(axes, indices);
  if (assignmentList.parent === null)
    return lowering.allPresent(assignmentList.refinedBy, inner(emptyPointScope(), pairs));
  const { parent } = assignmentList;
  const row = at(digits, parentAt, 'schedule: digit of the parent');
  const present = k.var(bool(false), 'in');
  k.when(lt(row, lowering.count(parent)), () => {
    const point = inner(lowering.enterRow(emptyPointScope(), parent, row), pairs);
    k.assign(present, lowering.allPresent(assignmentList.refinedBy, point));
  });
  return present;
}

/** The words of the parent's row at one of an assignment list's positions that is present. */
function wordsOfParent(
  lowering: ExprEmitter,
  assignmentList: AssignmentList,
  position: KernelExpr,
): readonly KernelExpr[] {
  const { parent, majorAxes } = assignmentList;
  if (parent === null) return [];
  const digits = lowering.decode(position, lowering.positionSizes(assignmentList));
  return lowering.pointWords(parent, at(digits, majorAxes.length, 'schedule: digit of the parent'));
}

/** The mask of a list: positions over (keys, what is listed) whose point has a row; the entry is the row. */
function listMask(lowering: ExprEmitter, shape: IndexShape): ReturnType<CompactionShape['mask']> {
  const { k } = lowering.launch;
  const { assignmentList, ancestor } = shape;
  const axes = [...shape.keys, ...shape.listed];
  const rows = new Map<KernelExpr, KernelExpr>();
  return {
    present: (position) => {
      const sizes = axes.map((a) => lowering.size(a));
      const digits = lowering.decode(
        position,
        ancestor === null ? sizes : [lowering.launch.size(ancestor.capacity), ...sizes],
      );
      const indices = ancestor === null ? digits : digits.slice(1);
      const pairs = paired(axes, indices);
      const found = k.var(i32(-1), 'row');
      const look = (point: PointScope) => k.assign(found, lowering.rowOf(inner(point, pairs), assignmentList));
      if (ancestor === null) look(emptyPointScope());
      else {
        const row = at(digits, 0, 'schedule: digit of the ancestor');
        k.when(lt(row, lowering.count(ancestor)), () => look(lowering.enterRow(emptyPointScope(), ancestor, row)));
      }
      rows.set(position, found);
      return ge(found, 0);
    },
    entry: (position) => [bitcast('u32', get(rows, position, 'schedule: row of a position'))],
  };
}
