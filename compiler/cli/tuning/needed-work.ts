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

/** Of a tile what it needs, of any other launch what its plan states. */
export function neededWork(compiled: CompiledPlan, launch: Launch, sizes: ReadonlyMap<string, number>): NeededWork {
  const numberOf = (size: Size): number | null => asNumber(substitute(size, sizes));
  const stated = { flops: numberOf(launch.work.flops), bytes: numberOf(launch.work.bytes) };
  const tile = tileOf(compiled, launch);
  if (tile === null) return stated;
  const { choice, space } = tile;
  const { graph } = compiled.fused;
  const sizeOf = (axis: AxisId): Size => get(graph.axes, axis, 'cli: axis').size;
  const count = (axes: readonly AxisId[]): number | null => numberOf(multiply(axes.map(sizeOf)));
  const before = space.axes.slice(0, space.axes.length - choice.columns.length);
  const onList = space.assignmentList === null ? 1 : numberOf(space.assignmentList.capacity);
  const [rest, width, terms] = [before, choice.columns, choice.over].map(count);
  const weights = choice.heads.map(({ weight }) => count(nodeOf(graph, weight).axes));
  const all = weights.reduce((sum, n) => (sum === null || n === null ? null : sum + n), 0);
  if (onList === null || rest == null || width == null || terms == null || all === null) return stated;
  const rows = onList * rest;
  const each = choice.heads.length * width * terms;
  return {
    flops: Math.min(2 * rows * each, stated.flops ?? Infinity),
    bytes: Math.min(WORD * (rows * (terms + width) + Math.min(all, rows * each)), stated.bytes ?? Infinity),
  };
}

/** The tile that a launch computes, if it computes one. */
function tileOf(
  { contents, plan, schedule }: CompiledPlan,
  launch: Launch,
): { readonly choice: TileChoice; readonly space: StoredSpace } | null {
  for (const buffer of accessOf(plan, launch).writes) {
    const content = contents.buffers.get(buffer);
    if (content?.kind !== 'value') continue;
    for (const step of schedule.steps)
      if (step.kind === 'value' && step.choice.family === 'tile' && step.choice.node.id === content.node)
        return { choice: step.choice, space: step.space };
  }
  return null;
}
