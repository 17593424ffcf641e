/** What a step of a schedule needs, and what it makes: in which order steps may come follows from that and nothing else. */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import { nodeOf, nodesOfCheck, nodesOfOutput } from '../../graph/node-uses.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import { idsOfSlots } from '../../graph/slots.ts';
import { presencesOfRows, queuedPresence, type AssignmentList, type StoredSpace } from '../memory/memory.ts';
import { dependenciesOf } from './choose-storage.ts';
import { madeOf } from './queues.ts';
import {
  blocksKey,
  hasBlocks,
  indexKey,
  insidesOf,
  type Choice,
  type Schedule,
  type ScheduleStep,
} from './schedule-ir.ts';

/** Things that steps make, as text: `%12`, `rows of r0`. */
export type Made = string;

export interface StepUses {
  /** Read, with all that is computed in passing for them. */
  readonly reads: readonly NodeId[];
  /** Made by steps of their own. */
  readonly needs: readonly Made[];
  readonly makes: readonly Made[];
}

export const madeValue = (id: NodeId): Made => `%${id}`;
export const madeDefault = (input: number): Made => `default ${input}`;
export const madeOutput = (output: number): Made => `output ${output}`;
const madeRows = ({ id }: AssignmentList): Made => `rows of r${id}`;

/** Lists whose rows are slots are there as soon as the slots are. */
function rowsUses(list: AssignmentList): { readonly reads: readonly NodeId[]; readonly needs: readonly Made[] } {
  return list.form.kind === 'slots'
    ? { reads: [...idsOfSlots(list.form.slots), ...presencesOfRows(list)], needs: [] }
    : { reads: [], needs: [madeRows(list)] };
}

export function usesOfStep(step: ScheduleStep, schedule: Schedule, fused: FusedGraph): StepUses {
  const { graph } = fused;
  const dependencies = (ids: readonly NodeId[]): readonly NodeId[] =>
    ids.flatMap((id) => dependenciesOf(fused, nodeOf(graph, id)));
  const onSpace = ({ assignmentList }: StoredSpace): ReturnType<typeof rowsUses> =>
    assignmentList === null ? { reads: [], needs: [] } : rowsUses(assignmentList);
  switch (step.kind) {
    case 'rows': {
      const { list } = step;
      const above = list.parent === null ? { reads: [], needs: [] } : rowsUses(list.parent);
      const slots = list.form.kind === 'scanned' ? [] : idsOfSlots(list.form.slots);
      const queued = queuedPresence(list);
      if (list.form.kind !== 'grouped' || list.form.queue === null || queued === null)
        return { reads: [...slots, ...list.refinedBy, ...above.reads], needs: above.needs, makes: [madeRows(list)] };
      const asked = madeOf(fused, queued, list.form.queue);
      return { reads: [...slots, ...asked], needs: [], makes: [madeRows(list), madeValue(queued)] };
    }
    case 'blocks':
      return { ...rowsUses(step.list), makes: [`blocks ${blocksKey(step.list, step.blockRows)}`] };
    case 'index':
      return { ...rowsUses(step.shape.assignmentList), makes: [`index ${indexKey(step.shape)}`] };
    case 'value': {
      const { choice, space } = step;
      const { reads, needs } = onSpace(space);
      const index = choice.family === 'reduce_listed' ? [`index ${indexKey(choice.index)}`] : [];
      const within = madeWithin(choice);
      return {
        reads: [...dependencies([choice.node.id, ...within]), ...namedBy(choice), ...reads],
        needs: [...needs, ...index, ...blocksOf(step)],
        makes: [choice.node.id, ...within].map(madeValue),
      };
    }
    case 'row': {
      const members = step.phases.flat();
      const on = members.map(({ space }) => onSpace(space));
      const ids = members.flatMap(({ choice }) => [choice.node.id, ...madeWithin(choice)]);
      return {
        reads: [
          ...dependencies(ids),
          ...members.flatMap(({ choice }) => namedBy(choice)),
          ...on.flatMap(({ reads }) => reads),
        ],
        needs: on.flatMap(({ needs }) => needs),
        makes: ids.map(madeValue),
      };
    }
    case 'fold':
      return { reads: dependencies(step.nodes), needs: [], makes: step.nodes.map(madeValue) };
    case 'extern': {
      const results = schedule.live.filter((id) => {
        const node = nodeOf(graph, id);
        return node.kind === 'extern' && node.call === step.call;
      });
      return { reads: dependencies(results), needs: [], makes: [`call ${step.call}`, ...results.map(madeValue)] };
    }
    case 'default': {
      const id = graph.inputs[step.input]?.default ?? null;
      return { reads: id === null ? [] : [id], needs: [], makes: [madeDefault(step.input)] };
    }
    case 'check': {
      const check = graph.checks[step.check];
      const { reads, needs } = onSpace(step.space);
      const looks = check === undefined ? [] : nodesOfCheck(check);
      return { reads: [...looks, ...reads], needs, makes: [`check ${step.check}`] };
    }
    case 'output': {
      const output = graph.outputs[step.output];
      return {
        reads: output === undefined ? [] : nodesOfOutput(output),
        needs: [],
        makes: [madeOutput(step.output)],
      };
    }
    default:
      return unreachable(step, 'schedule');
  }
}

/** What is computed in the launch of a value, and nowhere else, that has memory elsewhere. */
function madeWithin(choice: Choice): readonly NodeId[] {
  return choice.family === 'online' ? choice.inside : insidesOf(choice);
}

/** What a family reads that goes only to some points: what is there, and what names them. */
export function namedBy(choice: Choice): readonly NodeId[] {
  switch (choice.family) {
    case 'reduce_listed':
      return [choice.value];
    case 'reduce_slots':
      return [choice.value, choice.presence, ...idsOfSlots(choice.slots)];
    case 'summed':
      return choice.parts.flatMap(({ sum }) => (sum === null ? [] : namedBy(sum)));
    case 'choose':
      return choice.slots === null ? [] : idsOfSlots(choice.slots);
    default:
      return [];
  }
}

/** The blocks of rows that a tile goes along, where a step of their own cuts them. */
function blocksOf({ choice, space }: Extract<ScheduleStep, { readonly kind: 'value' }>): readonly Made[] {
  const { assignmentList } = space;
  if (choice.family !== 'tile' || choice.rows.kind !== 'blocks' || assignmentList === null) return [];
  const { blockRows } = choice.rows;
  return hasBlocks(assignmentList, blockRows) ? [] : [`blocks ${blocksKey(assignmentList, blockRows)}`];
}
