/**
 * A printed schedule read back (`moec compile --schedule=FILE`). The text decides which values have memory, how large tiles are and in
 * which order the steps come; everything else follows from that by the code that decides, so that nothing can be read that could not have
 * been decided. What follows must then be what the text says, line for line, or it is refused.
 */
import type { Graph, NodeId } from '../../graph/graph-ir.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import { printSchedule, stepTexts } from './print-schedule.ts';
import type { Schedule, ScheduleStep, TileChoice } from './schedule-ir.ts';

/** What is wrong with a schedule that somebody wrote. */
export class ScheduleTextError extends Error {
  /** Of the text, from 1; null where it is about all of it. */
  readonly line: number | null;

  constructor(line: number | null, message: string) {
    super(message);
    this.name = 'ScheduleTextError';
    this.line = line;
  }
}

/** What a text decides. */
export interface SchedulePins {
  readonly stored: ReadonlySet<NodeId>;
  readonly tiles: ReadonlyMap<NodeId, TilePin>;
}

interface TilePin {
  readonly line: number;
  readonly rows: number;
  readonly columns: number;
  readonly lanes: number;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/** The lines that say something: without comments, and without the numbers of steps, which their order gives. */
function linesOf(text: string): readonly Line[] {
  return text.split('\n').flatMap((line, i) => {
    const said = line.trim().replace(/^#\d+ /, '');
    return said === '' || said.startsWith('//') ? [] : [{ number: i + 1, text: said }];
  });
}

/** The largest tile that a thread is asked to compute, each way. */
const LARGEST_TILE = 16;

export function pinsOf(text: string): SchedulePins {
  const stored = new Set<NodeId>();
  const tiles = new Map<NodeId, TilePin>();
  for (const { number: line, text: said } of linesOf(text)) {
    const value = /^%(\d+) (.*)$/.exec(said);
    const fold = /^fold ((?:%\d+ )+)rows/.exec(said);
    const [, results = ''] = fold ?? [];
    for (const [, id] of results.matchAll(/%(\d+)/g)) stored.add(idOf<NodeId>(Number(id)));
    if (value === null) continue;
    const [, id = '', how = ''] = value;
    const node = idOf<NodeId>(Number(id));
    if (stored.has(node)) throw new ScheduleTextError(line, `%${node} is computed twice`);
    stored.add(node);
    const tile = /^tile (\d+) x (\d+)\b/.exec(how);
    if (tile === null) continue;
    const [rows, columns] = [Number(tile[1]), Number(tile[2])];
    if (![rows, columns].every((n) => n >= 1 && n <= LARGEST_TILE))
      throw new ScheduleTextError(
        line,
        `a tile has 1 to ${LARGEST_TILE} rows and columns, this one ${rows} x ${columns}`,
      );
    const [, lanes = '1'] = /, loads of (\d+)(?:;| on )/.exec(said) ?? [];
    tiles.set(node, { line, rows, columns, lanes: Number(lanes) });
  }
  return { stored, tiles };
}

/** A tile as large as a text says; its form stays what the contraction has. */
export function pinnedTile(choice: TileChoice, pins: SchedulePins | null): TileChoice {
  const pin = pins?.tiles.get(choice.node.id);
  if (pin === undefined) return choice;
  const tileRows = choice.rows.kind === 'single' ? 1 : pin.rows;
  if (choice.rows.kind === 'blocks' && choice.rows.blockRows % tileRows !== 0)
    throw new ScheduleTextError(pin.line, `blocks of ${choice.rows.blockRows} rows are no whole tiles of ${tileRows}`);
  const lanes = pin.lanes === 1 ? 1 : choice.lanes;
  // Subgroups load by vectors.
  return { ...choice, tileRows, tileColumns: pin.columns, lanes, forms: lanes === 1 ? [] : choice.forms };
}

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
  for (const { number, text: said } of rest) {
    if (lists.delete(said)) continue;
    const step = steps.get(said);
    if (step === undefined) throw new ScheduleTextError(number, `${quoted(said)} ${instead(said, texts, [...lists])}`);
    ordered.push(step);
    steps.delete(said);
  }
  const [missing] = [...lists, ...steps.keys()];
  if (missing !== undefined) throw new ScheduleTextError(null, `it lacks ${quoted(missing)}`);
  return { ...schedule, steps: ordered };
}

const quoted = (said: string): string => `'${said}'`;

/** What there is in place of a line that does not follow. */
function instead(said: string, texts: readonly string[], lists: readonly string[]): string {
  const [first = ''] = said.split(' ');
  const near = [...texts, ...lists].find((other) => other !== said && other.split(' ')[0] === first && first !== '');
  return near === undefined
    ? 'does not follow from this program with these values in memory'
    : `does not follow: with these values in memory it is ${quoted(near)}`;
}
