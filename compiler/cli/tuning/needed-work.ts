/**
 * What a tile has to do, whoever does it: its multiply-adds without those of rows that fill a block up, the weights that its rows can ask
 * for. Plans state what a kernel does at most, which a tuner would take for a device that is busy.
 */
import { asNumber, multiply, substitute, type Size } from '../../../dsl/types/size.ts';
import { get } from '../../../dsl/diagnostics/invariants.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { AxisId } from '../../graph/graph-ir.ts';
import type { CompiledPlan } from '../../compile.ts';
import type { StoredSpace } from '../../schedule/memory/memory.ts';
import { accessOf, type Launch } from '../../schedule/memory/plan.ts';
import type { TileChoice } from '../../schedule/deciding/schedule-ir.ts';

export interface NeededWork {
  readonly flops: number | null;
  readonly bytes: number | null;
}

const WORD = 4;

/** Of tiles what they need, of any other launch what its plan states. */
export function neededWork(compiled: CompiledPlan, launch: Launch, sizes: ReadonlyMap<string, number>): NeededWork {
  const numberOf = (size: Size): number | null => asNumber(substitute(size, sizes));
  const stated = { flops: numberOf(launch.work.flops), bytes: numberOf(launch.work.bytes) };
  const needed = tilesOf(compiled, launch)?.map((tile) => neededByTile(compiled, tile, numberOf)) ?? [];
  const known = needed.filter((own) => own !== null);
  if (known.length === 0 || known.length < needed.length) return stated;
  const sum = (of: (own: Known) => number): number => known.reduce((all, own) => all + of(own), 0);
  return {
    flops: Math.min(
      sum(({ flops }) => flops),
      stated.flops ?? Infinity,
    ),
    bytes: Math.min(
      sum(({ bytes }) => bytes),
      stated.bytes ?? Infinity,
    ),
  };
}

type Known = { readonly [K in keyof NeededWork]: number };

interface PlacedTile {
  readonly choice: TileChoice;
  readonly space: StoredSpace;
}

/** Null: a run decides more than the sizes that are known. */
function neededByTile(
  { fused: { graph } }: CompiledPlan,
  { choice, space }: PlacedTile,
  numberOf: (size: Size) => number | null,
): Known | null {
  const sizeOf = (axis: AxisId): Size => get(graph.axes, axis, 'cli: axis').size;
  const count = (axes: readonly AxisId[]): number | null => numberOf(multiply(axes.map(sizeOf)));
  const before = space.axes.slice(0, space.axes.length - choice.columns.length);
  const onList = space.assignmentList === null ? 1 : numberOf(space.assignmentList.capacity);
  const [rest, width, terms] = [before, choice.columns, choice.over].map(count);
  const weights = choice.heads.map(({ weight }) => count(nodeOf(graph, weight).axes));
  const all = weights.reduce((sum, n) => (sum === null || n === null ? null : sum + n), 0);
  if (onList === null || rest == null || width == null || terms == null || all === null) return null;
  const rows = onList * rest;
  const each = choice.heads.length * width * terms;
  return { flops: 2 * rows * each, bytes: WORD * (rows * (terms + width) + Math.min(all, rows * each)) };
}

/** The tiles that a launch computes; null: it computes other things as well. */
function tilesOf({ contents, plan, schedule }: CompiledPlan, launch: Launch): readonly PlacedTile[] | null {
  const tiles = accessOf(plan, launch).writes.map((buffer): PlacedTile | null => {
    const content = contents.buffers.get(buffer);
    if (content?.kind !== 'value') return null;
    for (const step of schedule.steps)
      if (step.kind === 'value' && step.choice.family === 'tile' && step.choice.node.id === content.node)
        return { choice: step.choice, space: step.space };
    return null;
  });
  const known = tiles.filter((tile) => tile !== null);
  return known.length < tiles.length ? null : known;
}
