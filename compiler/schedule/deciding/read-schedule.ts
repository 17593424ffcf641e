/**
 * A printed schedule read back (`moec compile --schedule=FILE`). The text is a decider (decider.ts): wherever several ways are legal it
 * says which, and everything else follows from that by the code that plans, so that nothing can be read that could not have been
 * decided. What follows must then be what the text says, line for line, or it is refused.
 */
import type { Graph, NodeId } from '../../graph/graph-ir.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import type { DeviceClass } from '../../target.ts';
import type { AssignmentList } from '../memory/memory.ts';
import type { Decider, Options } from './decider.ts';
import { tileFault, type TileOptions } from './legality-tiles.ts';
import { choiceText, foldText, listText, printSchedule, spaceText, stepTexts } from './print-schedule.ts';
import { keyOf } from './schedule-ir.ts';
import type { Choice, Schedule, ScheduleStep, SummedChoice, TileChoice, TileForm } from './schedule-ir.ts';

/** What mends a schedule. */
export interface Remedy {
  readonly help: string;
  /** What stands in the place of what the line says, without the number of its step. */
  readonly instead?: string;
}

/** What is wrong with a schedule that somebody wrote. */
export class ScheduleTextError extends Error {
  /** Of the text, from 1; null where it is about all of it. */
  readonly line: number | null;
  readonly remedy: Remedy | null;

  constructor(line: number | null, message: string, remedy: Remedy | null = null) {
    super(message);
    this.name = 'ScheduleTextError';
    this.line = line;
    this.remedy = remedy;
  }
}

/** A line that says something about a value, or a list. */
interface Line {
  readonly number: number;
  /** Without whose launch it shares. */
  readonly text: string;
  /** The step whose launch it shares, by its key. */
  readonly leader?: NodeId;
  /** Of a member of a row: it has no memory. */
  readonly isHeld?: boolean;
}

/** The lines that say something: without comments, and without the numbers of steps, which their order gives. */
function linesOf(text: string): readonly Line[] {
  return text.split('\n').flatMap((line, i) => {
    const said = line.trim().replace(/^#\d+ /, '');
    if (said === '' || said.startsWith('//')) return [];
    const [, alone = said, leader] = /^(.*) beside %(\d+)$/.exec(said) ?? [];
    return [{ number: i + 1, text: alone, ...(leader === undefined ? {} : { leader: idOf<NodeId>(Number(leader)) }) }];
  });
}

/** What a text decides. */
export interface ScheduleText extends Decider {
  /** Values with memory. */
  readonly stored: ReadonlySet<NodeId>;
  /** Of these, values that only a row holds. */
  readonly held: ReadonlySet<NodeId>;
  /** Contractions that are computed where they are read, each with the line of who reads it. */
  readonly heads: ReadonlyMap<NodeId, Line>;
  /** The line of each step, by its text. */
  readonly lineOf: (step: string) => number | null;
}

/** Reads what a text decides of a graph. Throws ScheduleTextError. */
export function readDecisions(text: string, graph: Graph): ScheduleText {
  const values = new Map<NodeId, Line>();
  const lists = new Map<string, Line>();
  /** Lists of slots beside a sorted one of the same assignments, and that one, by what they are called. */
  const beside = new Map<string, string>();
  const results = new Set<NodeId>();
  const heads = new Map<NodeId, Line>();
  const rows = new Map<NodeId, number>();
  const held = new Set<NodeId>();
  /** Steps whose threads compute several neighbours. */
  const neighbours = new Map<NodeId, number>();
  const lines = linesOf(text);
  for (const line of lines) {
    const fold = /^fold ((?:%\d+ )+)rows/.exec(line.text)?.[1];
    for (const id of idsIn(fold ?? '')) results.add(id);
    const [, name, of] = /^(r\d+) of ((?:%\d+ ?)+)/.exec(line.text) ?? [];
    if (name !== undefined && of !== undefined) {
      const key = idsIn(of).join();
      const sorted = /^r\d+/.exec(lists.get(key)?.text ?? '')?.[0];
      if (sorted === undefined) lists.set(key, line);
      else beside.set(name, sorted);
    }
    const members = membersOf(line);
    const several = /^(?:row [^:]*|%.*), (\d+) a thread(?::|$)/.exec(line.text)?.[1];
    const [first = line] = members ?? [];
    const [key] = idsIn(/^%\d+ /.exec(first.text)?.[0] ?? '');
    if (several !== undefined && key !== undefined) neighbours.set(key, Number(several));
    const through = /^row [^:]*, through ((?:%\d+ ?)+)/.exec(line.text)?.[1];
    for (const id of idsIn(through ?? '')) rows.set(id, line.number);
    for (const member of members ?? [{ ...line, text: line.text.replace(/, \d+ a thread$/, '') }]) {
      const [id] = idsIn(/^%\d+ /.exec(member.text)?.[0] ?? '');
      if (id === undefined) continue;
      if (values.has(id) || results.has(id)) throw new ScheduleTextError(line.number, `%${id} is computed twice`);
      values.set(id, member);
      if (members !== null) rows.set(id, line.number);
      if (member.isHeld === true) held.add(id);
      const inside = /^%\d+ (?:(?:tile|summed) \d+ x \d+|online [^%]*) of ((?:%\d+,? ?)+)/.exec(member.text)?.[1];
      for (const head of idsIn(inside ?? '')) heads.set(head, member);
    }
  }
  const numbers = new Map(lines.map(({ number, text: said }) => [said, number] as const));
  const find = <T>(legal: Options<T>, said: string | undefined, textOf: (one: T) => string): T =>
    (said === undefined ? undefined : legal.find((one) => said === textOf(one))) ?? legal[0];
  /** Heads stand where what they are computed for stands. */
  const placeOf = (id: NodeId): string | undefined =>
    / on (\[[^\]]*\])$/.exec((values.get(id) ?? heads.get(id))?.text ?? '')?.[1];
  /** The name of the list that a place is on. */
  const listIn = (place: string | undefined): string => /^\[(r\d+)/.exec(place ?? '')?.[1] ?? '';
  const howOf = (id: NodeId): string | undefined => /^%\d+ (.*) on \[[^\]]*\]$/.exec(values.get(id)?.text ?? '')?.[1];
  return {
    regime: 'many',
    stored: new Set([...values.keys(), ...results]),
    held,
    heads,
    lineOf: (step) => numbers.get(step) ?? null,
    makesList: ({ presences }) => lists.has(presences.join()),
    space: (id, legal) => {
      const place = placeOf(id);
      const sorted = beside.get(listIn(place));
      return find(legal, sorted === undefined ? place : `[${sorted}]`, (space) => spaceText(space, graph));
    },
    onSlots: (id) => beside.has(listIn(placeOf(id))),
    list: (legal: Options<AssignmentList>) =>
      find(legal, lists.get(legal[0].presences.join())?.text, (list) => listText(list, graph)),
    choice: (id, _, legal: Options<Choice>) => {
      const family = /^\w+/.exec(howOf(id) ?? '')?.[0];
      return find(legal, howOf(id), (choice) =>
        choice.family === 'tile' && family === 'tile' ? (howOf(id) ?? '') : choiceText(choice, graph),
      );
    },
    online: (id, legal) => legal.find((one) => one !== null && howOf(id) === choiceText(one, graph)) ?? null,
    joins: (id, others) => others.every((other) => rows.get(other) !== undefined && rows.get(other) === rows.get(id)),
    tile: (byCost, options) => {
      const line = values.get(byCost.node.id);
      return line === undefined ? byCost : tileOf(line, byCost, options, graph);
    },
    summed: (byCost, classes) => {
      const line = values.get(byCost.node.id);
      return line === undefined ? null : summedOf(line, byCost, classes);
    },
    neighbours: (key, legal) => legal.find((known) => known === (neighbours.get(key) ?? 1)) ?? 1,
    fold: (nodes, legal) => {
      const said = lines.find((line) => line.text.startsWith(`fold ${nodes.map((id) => `%${id}`).join(' ')} rows`));
      return find(legal, said?.text, (layout) => foldText(nodes, layout, graph));
    },
    // Which launches are shared is said of steps that are read already (inOrderOf).
    beside: () => null,
  };
}

/** The values of a row, each as if it had a line of its own; null: the line is no row. */
function membersOf({ number, text }: Line): readonly Line[] | null {
  const said = /^row .*? a row(?:, one on [^:]*?)?(?:, through [^:]*?)?(?:, \d+ a thread)?: (.*)$/.exec(text)?.[1];
  return (
    said?.split(' | ').map((member) => ({
      number,
      text: member.replace(/ in (?:c\d+|memory|nothing| and )+$/, ''),
      isHeld: / in c\d+$/.test(member),
    })) ?? null
  );
}

const idsIn = (text: string): readonly NodeId[] =>
  [...text.matchAll(/%(\d+)/g)].map(([, id]) => idOf<NodeId>(Number(id)));

/** The tiles of classes that a line says. Throws ScheduleTextError. */
function formsIn(text: string, line: number, classes: readonly DeviceClass[]): readonly TileForm[] {
  return [...text.matchAll(/; (\w+): (\d+) x (\d+)/g)].map(([, name, rows, columns]): TileForm => {
    const own = classes.find((known) => known.name === name);
    if (own === undefined) throw new ScheduleTextError(line, `${name} has no tile of this sum`);
    return { class: own, tileRows: Number(rows), tileColumns: Number(columns) };
  });
}

/** The tile that a line says, within what is legal. Throws ScheduleTextError. */
function tileOf({ number, text }: Line, byCost: TileChoice, options: TileOptions, graph: Graph): TileChoice {
  const [, tileRows, tileColumns] = /^%\d+ tile (\d+) x (\d+)\b/.exec(text) ?? [];
  if (tileRows === undefined || tileColumns === undefined) return byCost;
  const forms = formsIn(text, number, options.classes);
  const [, lanes = '1'] = /, loads of (\d+)(?:;| on )/.exec(text) ?? [];
  const said: TileChoice = {
    ...byCost,
    tileRows: Number(tileRows),
    tileColumns: Number(tileColumns),
    lanes: options.lanes.find((known) => known === Number(lanes)) ?? 1,
    forms,
  };
  // The rows that are said: by what a tile of such rows would be printed as.
  const rows = options.rows.find((known) => text.includes(` ${choiceText({ ...said, rows: known }, graph)} on `));
  const tile = { ...said, rows: rows ?? byCost.rows };
  const fault = tileFault(tile, options);
  if (fault !== null) throw new ScheduleTextError(number, fault);
  return tile;
}

/** The sum with its contractions that a line says; null: it says another family. Throws ScheduleTextError. */
function summedOf({ number, text }: Line, byCost: SummedChoice, classes: readonly DeviceClass[]): SummedChoice | null {
  const [, columns] = /^%\d+ summed 1 x (\d+)\b/.exec(text) ?? [];
  return columns === undefined ? null : { ...byCost, tileColumns: Number(columns), forms: formsIn(text, number, classes) };
} // prettier-ignore

/** The steps of a schedule in the order of a text that says the same of each. Throws ScheduleTextError. */
export function inOrderOf(text: string, schedule: Schedule, graph: Graph): Schedule {
  const lines = linesOf(text);
  const [heading, ...rest] = lines;
  const named = /^schedule (\S+):/.exec(heading?.text ?? '')?.[1];
  if (named === undefined) throw new ScheduleTextError(heading?.number ?? null, 'this is no schedule');
  if (named !== schedule.entry)
    throw new ScheduleTextError(heading?.number ?? null, `this is a schedule of ${named}, not of ${schedule.entry}`);
  const steps = new Map<string, ScheduleStep>();
  const texts = stepTexts(schedule, graph);
  schedule.steps.forEach((step, i) => steps.set(at(texts, i, 'schedule: text of a step'), step));
  const listed = new Set(linesOf(printSchedule(schedule, graph)).map((line) => line.text));
  const lists = new Set([...listed].filter((said) => /^r\d+ /.test(said)));
  const ordered: ScheduleStep[] = [];
  const beside = new Map<NodeId, NodeId>();
  for (const { number, text: said, leader } of rest) {
    if (lists.delete(said)) continue;
    const step = steps.get(said);
    if (step === undefined) {
      const near = nearTo(said, [...steps.keys(), ...lists]);
      const remedy = near === null ? null : { help: `here it is ${quoted(near)}`, instead: near };
      throw new ScheduleTextError(number, `${quoted(said)} does not follow from this program and the other lines`, remedy);
    }
    const key = keyOf(step);
    if (leader !== undefined && key === null) throw new ScheduleTextError(number, `${quoted(said)} shares no launch`);
    if (leader !== undefined && key !== null) beside.set(key, leader);
    ordered.push(step);
    steps.delete(said);
  }
  const [missing] = [...lists, ...steps.keys()];
  if (missing !== undefined)
    throw new ScheduleTextError(null, `it lacks ${quoted(missing)}`, {
      help: 'add that line, after what it reads and before what reads it',
    });
  return { ...schedule, steps: ordered, beside };
} // prettier-ignore

const quoted = (said: string): string => `'${said}'`;

/** What stands in place of a line that does not follow: what begins with the same word. */
function nearTo(said: string, texts: readonly string[]): string | null {
  const [first = ''] = said.split(' ');
  return texts.find((other) => first !== '' && other.split(' ')[0] === first) ?? null;
}
