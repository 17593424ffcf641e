/**
 * A schedule as text (`--emit=schedule`), one step a line: nodes by their numbers (`--emit=sparse` says what they are), axes by their
 * names, lists of assignments as `r0`.
 */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import { formatSize } from '../../../dsl/types/size.ts';
import type { AxisId, Graph, NodeId } from '../../graph/graph-ir.ts';
import { memoryOf } from '../../graph/node-memory.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { slotAxes } from '../../graph/slots.ts';
import type { FoldLayout } from './choose-fold.ts';
import type { AssignmentList, ListForm, SlotForm, StoredSpace } from '../memory/memory.ts';
import { insidesOf, leaderOf } from './schedule-ir.ts';
import type {
  Choice,
  IndexShape,
  OnlineChoice,
  RowStep,
  Schedule,
  ScheduleStep,
  TileChoice,
  TileForm,
} from './schedule-ir.ts';

export function printSchedule(schedule: Schedule, graph: Graph): string {
  const printer = new SchedulePrinter(graph);
  const inlined = schedule.live.filter((id) => !schedule.spaces.has(id) && graph.nodes[id]?.kind !== 'input');
  const lines = [
    `schedule ${schedule.entry}: ${schedule.spaces.size} values with memory, ${inlined.length} inlined, ${schedule.assignmentLists.length} assignment lists`,
    ...schedule.assignmentLists.map((list) => `  ${printer.listLine(list)}`),
    ...stepTexts(schedule, graph).map((text, i) => {
      const leader = leaderOf(at(schedule.steps, i, 'schedule: step'), schedule);
      return `  #${i} ${text}${leader === null ? '' : ` beside %${leader}`}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** Each step as text, in order; without whose launch it shares. */
export function stepTexts(schedule: Schedule, graph: Graph): readonly string[] {
  const printer = new SchedulePrinter(graph);
  return schedule.steps.map((step) => printer.step(step));
}

/** What a line of a value says of how it is computed, and of where it stands. */
export const choiceText = (choice: Choice, graph: Graph): string => new SchedulePrinter(graph).choice(choice);
export const spaceText = (space: StoredSpace, graph: Graph): string => new SchedulePrinter(graph).space(space);
export const listText = (list: AssignmentList, graph: Graph): string => new SchedulePrinter(graph).listLine(list);
export const foldText = (results: readonly NodeId[], layout: FoldLayout, graph: Graph): string =>
  new SchedulePrinter(graph).fold(results, layout);

/** What a sum is computed online with that has memory elsewhere. */
const madeOnline = ({ inside }: OnlineChoice, graph: Graph): readonly NodeId[] =>
  inside.filter((id) => memoryOf(nodeOf(graph, id)) === 'needed');

const nodes = (ids: readonly NodeId[]): string => ids.map((id) => `%${id}`).join(' ');

class SchedulePrinter {
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** `r1 of %5 %9 refines r0, by (E), over (T), at most B * T * 2 rows` */
  listLine(list: AssignmentList): string {
    const beyond = list.parent === null ? '' : `, refines r${list.parent.id} by ${nodes(list.refinedBy)}`;
    const { majorAxes, minorAxes, form } = list;
    if (form.kind === 'slots') {
      const of = [...form.others, ...slotAxes(form.slots)];
      return `r${list.id} of ${nodes(list.presences)}, of ${this.#tuple(list.axes)}, the slots ${this.#tuple(of)}${this.#queued(form)}`;
    }
    return `r${list.id} of ${nodes(list.presences)}${beyond}, by ${this.#tuple(majorAxes)} over ${this.#tuple(minorAxes)}, at most ${formatSize(list.capacity)} rows${this.#grouped(form)}`;
  }

  /** `, of the slots (B, T, E_slot) by 64 threads, in blocks of 4`; nothing of a list that is scanned for. */
  #grouped(form: ListForm): string {
    if (form.kind !== 'grouped') return '';
    const blocks = form.blockRows === null ? '' : `, in blocks of ${form.blockRows}`;
    return `, of the slots ${this.#tuple([...form.others, ...slotAxes(form.slots)])} by ${form.threads} threads${blocks}${this.#queued(form)}`;
  }

  #queued({ queue }: SlotForm): string {
    return queue === null ? '' : `, in queues by %${queue.place}`;
  }

  step(step: ScheduleStep): string {
    switch (step.kind) {
      case 'rows':
        return `rows r${step.list.id}`;
      case 'blocks':
        return `blocks of ${step.blockRows} rows of r${step.list.id}`;
      case 'index':
        return `index ${this.#index(step.shape)}`;
      case 'value':
        return `%${step.choice.node.id} ${this.choice(step.choice)} on ${this.space(step.space)}${this.#neighbours(step)}`;
      case 'row': {
        const [members, forms] = [step.phases.flat(), step.forms.map(({ name }) => name)];
        const keeps = members.map(({ choice, space, cell, stored }) => {
          const kept = [...(cell === null ? [] : [`c${cell}`]), ...(stored ? ['memory'] : [])].join(' and ');
          return `%${choice.node.id} ${this.choice(choice)} on ${this.space(space)} in ${kept || 'nothing'}`;
        });
        const one = forms.length === 0 ? '' : `, one on ${forms.join(' ')}`;
        const through = step.through.length === 0 ? '' : `, through ${nodes(step.through)}`;
        const of = step.list === null ? '' : ` of r${step.list.id}`;
        return `row ${this.#tuple(step.rows)}${of}, ${step.lanes} a row${one}${through}${this.#neighbours(step)}: ${keeps.join(' | ')}`;
      }
      case 'default':
        return `default of ${at(this.#graph.inputs, step.input, 'schedule: graph input').name}`;
      case 'fold':
        return this.fold(step.nodes, step.layout);
      case 'extern':
        return `extern ${at(this.#graph.externs, step.call, 'schedule: extern call').name}`;
      case 'check':
        return `check ${step.check} on ${this.space(step.space)}`;
      case 'output': {
        const { name, role: group } = at(this.#graph.outputs, step.output, 'schedule: output');
        return `${group} ${name}`;
      }
      default:
        return unreachable(step, 'schedule');
    }
  }

  #neighbours({ neighbours }: Pick<RowStep, 'neighbours'>): string {
    return neighbours === 1 ? '' : `, ${neighbours} a thread`;
  }

  fold(results: readonly NodeId[], { rows, lanes, kept, words }: FoldLayout): string {
    const keeps = kept.map((phase) => ` ${nodes(phase)}`).join(',');
    return `fold ${nodes(results)} rows ${this.#tuple(rows)}, ${lanes} a row, ${words ?? 'unknown'} words${keeps === '' ? '' : `, keeps${keeps}`}`;
  }

  choice(choice: Choice): string {
    switch (choice.family) {
      case 'tile': {
        const { heads, rows, tileRows, tileColumns, lanes, node, forms } = choice;
        const of =
          heads.length === 1 && heads[0]?.node.id === node.id ? '' : ` of ${nodes(heads.map((h) => h.node.id))}`;
        const by = this.#tileRows(rows);
        return `tile ${tileRows} x ${tileColumns}${of}, rows ${by}, columns ${this.#tuple(choice.columns)}${lanes === 1 ? '' : `, loads of ${lanes}`}${forms.map((form) => this.#form(form)).join('')}`;
      }
      case 'online': {
        const { sum, groups, rows, columns, lanes, tileRows, forms } = choice;
        const own = forms.map((form) => `; ${form.class.name}: ${form.tileRows}`).join('');
        return `online by ${tileRows} rows${own}, over ${this.#tuple(sum.over)} of ${nodes(madeOnline(choice, this.#graph))}, rows ${this.#tuple(groups)} by ${this.#tuple(rows)}, columns ${this.#tuple(columns)}${lanes === 1 ? '' : `, loads of ${lanes}`}`;
      }
      case 'summed': {
        const { parts, columns, tileColumns, forms } = choice;
        const texts = parts.map(({ sum, lanes }) => {
          const from = sum === null ? 'the row' : this.#tuple(slotAxes(sum.slots));
          return `${from}${lanes === 1 ? '' : `, loads of ${lanes}`}`;
        });
        return `summed 1 x ${tileColumns} of ${nodes(insidesOf(choice))}, columns ${this.#tuple(columns)}, along ${texts.join(' and ')}${forms.map((form) => this.#form(form)).join('')}`;
      }
      case 'reduce_listed': {
        const dense = choice.dense.length === 0 ? '' : ` and ${this.#tuple(choice.dense)}`;
        return `reduce_listed %${choice.value} along ${this.#index(choice.index)}${dense}`;
      }
      case 'choose':
        return choice.slots === null ? 'choose' : `choose along ${this.#tuple(slotAxes(choice.slots))}`;
      case 'reduce_slots': {
        const dense = choice.dense.length === 0 ? '' : ` and ${this.#tuple(choice.dense)}`;
        return `reduce_slots %${choice.value} where %${choice.presence} along ${this.#tuple(slotAxes(choice.slots))}${dense}`;
      }
      case 'map':
      case 'contract':
      case 'reduce':
      case 'scan':
      case 'sort_rank':
      case 'choose_long':
      case 'argmax':
      case 'gather':
      case 'draw':
      case 'concat_parts':
        return choice.family;
      default:
        return unreachable(choice, 'schedule');
    }
  }

  /** `; simd8: 8 x 2` */
  #form({ class: of, tileRows, tileColumns }: TileForm): string {
    return `; ${of.name}: ${tileRows} x ${tileColumns}`;
  }

  #tileRows(rows: TileChoice['rows']): string {
    switch (rows.kind) {
      case 'blocks':
        return `in blocks of ${rows.blockRows} of one group`;
      case 'dense':
        return `${this.#tuple(rows.groups)} by ${this.#tuple(rows.axes)}`;
      case 'single':
        return 'one by one';
    }
  }

  /** `r0 by (T) over (E)`: with a list among the keys where they are rows of it. */
  #index({ assignmentList, ancestor, keys, listed }: IndexShape): string {
    const rows = ancestor === null ? '' : `rows of r${ancestor.id} and `;
    return `r${assignmentList.id} by ${rows}${this.#tuple(keys)} over ${this.#tuple(listed)}`;
  }

  space({ assignmentList, axes }: StoredSpace): string {
    const names = axes.map((axis) => this.#name(axis));
    return `[${[...(assignmentList === null ? [] : [`r${assignmentList.id}`]), ...names].join(', ')}]`;
  }

  #tuple(axes: readonly AxisId[]): string {
    return `(${axes.map((axis) => this.#name(axis)).join(', ')})`;
  }

  #name(axis: AxisId): string {
    return get(this.#graph.axes, axis, 'schedule: axis').name;
  }
}
