/**
 * Changes: decisions that are taken otherwise than costs take them, one by one and as text, so that a file can keep them and several of
 * them can be put together (`moec tune`, cli/tuning). They are a decider in front of another one (decider.ts), so whatever they say is
 * among what is legal, and everything else follows from it as ever.
 *
 * None of them changes in which order a sum is added up, and so no number:
 *
 *   %35 tile 4 x 2, rows in blocks of 16, loads of 4   a thread has accumulators of its own for each row, head and column, and visits the
 *                                                      terms in the order of sums, vectors component by component (kernels/tile.ts)
 *   %35 simd8 8 x 4                                    so does a lane of a subgroup (kernels/subgroup-tile.ts)
 *   %6 apart                                           a row computes its values as a launch of their own does (emitting/value-at.ts)
 *   list of %22 by 64 threads, in blocks of 16         slots are sorted stably, whoever counts them (kernels/group-slots.ts)
 *   fold %7 one                                        a point of a step is one thread's in either way (kernels/row.ts)
 *   %17 choose_long                                    what is chosen depends on keys and positions alone (kernels/choose-long.ts)
 *
 * Not among them: whether a sum goes over everything, over slots or along a list (its blocks end elsewhere), what has memory, where it
 * stands, and which lists are made.
 */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { AssignmentList } from '../memory/memory.ts';
import type { FoldLayout } from './choose-fold.ts';
import type { Decider, Options } from './decider.ts';
import { tileFault, type TileOptions, type TileRows } from './legality-tiles.ts';
import type { Choice, Schedule, TileChoice, TileForm } from './schedule-ir.ts';

/** How rows of a tile go: one by one, in blocks along dense axes, or in blocks of so many of a list. */
export type RowsOfTile = 'one by one' | 'dense' | number;

export type Change =
  | {
      readonly kind: 'tile';
      readonly node: NodeId;
      readonly tileRows: number;
      readonly tileColumns: number;
      readonly rows: RowsOfTile;
      readonly lanes: 1 | 4;
    }
  | {
      readonly kind: 'form';
      readonly node: NodeId;
      readonly class: string;
      readonly tileRows: number;
      readonly tileColumns: number;
    }
  | { readonly kind: 'apart'; readonly node: NodeId }
  | {
      readonly kind: 'list';
      readonly presences: readonly NodeId[];
      readonly threads: number;
      readonly blockRows: number | null;
    }
  /** By the first result of the recurrence. */
  | { readonly kind: 'fold'; readonly node: NodeId; readonly lanes: FoldLayout['lanes'] }
  | { readonly kind: 'choose'; readonly node: NodeId; readonly family: 'choose' | 'choose_long' };

/** Changes to the schedule of a graph. */
export interface GraphChanges {
  /** The hash of the graph. */
  readonly graph: string;
  readonly changes: readonly Change[];
}

/** A change that a schedule cannot have. */
export class IllegalChange extends Error {
  readonly change: Change;
  /** Of the graph, its hash. */
  readonly graph: string;

  constructor(change: Change, why: string, graph: string) {
    super(`'${changeText(change)}': ${why}`);
    this.name = 'IllegalChange';
    this.change = change;
    this.graph = graph;
  }
}

export function changeText(change: Change): string {
  switch (change.kind) {
    case 'tile': {
      const { node, tileRows, tileColumns, rows, lanes } = change;
      const by = typeof rows === 'number' ? `in blocks of ${rows}` : rows;
      return `%${node} tile ${tileRows} x ${tileColumns}, rows ${by}, loads of ${lanes}`;
    }
    case 'form':
      return `%${change.node} ${change.class} ${change.tileRows} x ${change.tileColumns}`;
    case 'apart':
      return `%${change.node} apart`;
    case 'list': {
      const blocks = change.blockRows === null ? '' : `, in blocks of ${change.blockRows}`;
      return `list of ${change.presences.map((id) => `%${id}`).join(' ')} by ${change.threads} threads${blocks}`;
    }
    case 'fold':
      return `fold %${change.node} ${change.lanes}`;
    case 'choose':
      return `%${change.node} ${change.family}`;
    default:
      return unreachable(change, 'schedule');
  }
}

/** The change that a text says; null: none. */
export function readChange(text: string): Change | null {
  const found = forms.map(([form, make]) => [form.exec(text), make] as const).find(([match]) => match !== null);
  if (found === undefined) return null;
  const [match, make] = found;
  const change = make((match ?? []).slice(1));
  // What is read has to be what would be printed: a number is written in one way.
  return changeText(change) === text ? change : null;
}

const node = (text: string | undefined): NodeId => idOf<NodeId>(Number(text));

const forms: readonly (readonly [RegExp, (parts: readonly (string | undefined)[]) => Change])[] = [
  [
    /^%(\d+) tile (\d+) x (\d+), rows (one by one|dense|in blocks of (\d+)), loads of ([14])$/,
    ([id, tileRows, tileColumns, rows, blocks, lanes]) => ({
      kind: 'tile',
      node: node(id),
      tileRows: Number(tileRows),
      tileColumns: Number(tileColumns),
      rows: blocks !== undefined ? Number(blocks) : rows === 'dense' ? 'dense' : 'one by one',
      lanes: lanes === '4' ? 4 : 1,
    }),
  ],
  [/^%(\d+) apart$/, ([id]) => ({ kind: 'apart', node: node(id) })],
  [/^%(\d+) choose(_long)?$/, ([id, long]) => ({ kind: 'choose', node: node(id), family: long === undefined ? 'choose' : 'choose_long' })],
  [/^fold %(\d+) (one|group)$/, ([id, lanes]) => ({ kind: 'fold', node: node(id), lanes: lanes === 'one' ? 'one' : 'group' })],
  [
    /^list of ((?:%\d+ )+)by (\d+) threads(?:, in blocks of (\d+))?$/,
    ([ids = '', threads, blocks]) => ({
      kind: 'list',
      presences: [...ids.matchAll(/%(\d+)/g)].map(([, id]) => node(id)),
      threads: Number(threads),
      blockRows: blocks === undefined ? null : Number(blocks),
    }),
  ],
  [
    /^%(\d+) ([a-z]+\d+) (\d+) x (\d+)$/,
    ([id, name = '', tileRows, tileColumns]) => ({
      kind: 'form',
      node: node(id),
      class: name,
      tileRows: Number(tileRows),
      tileColumns: Number(tileColumns),
    }),
  ],
]; // prettier-ignore

/** The same for changes of one decision, of which a schedule has one. */
export function decisionOf(change: Change): string {
  switch (change.kind) {
    case 'tile':
    case 'apart':
    case 'fold':
    case 'choose':
      return `${change.kind} ${change.node}`;
    case 'form':
      return `form ${change.node} ${change.class}`;
    case 'list':
      return `list ${change.presences.join()}`;
    default:
      return unreachable(change, 'schedule');
  }
}

/** Changes one after another: of one decision the last. */
export function together(...all: readonly (readonly Change[])[]): readonly Change[] {
  return [...new Map(all.flat().map((change) => [decisionOf(change), change] as const)).values()];
}

export const rowsOfTile = (rows: TileRows): RowsOfTile =>
  rows.kind === 'blocks' ? rows.blockRows : rows.kind === 'dense' ? 'dense' : 'one by one';

/** A decider that changes what another one decides. */
export class ChangedDecider implements Decider {
  readonly regime: Decider['regime'];
  readonly stored: Decider['stored'];
  readonly summed: Decider['summed'];
  readonly makesList: Decider['makesList'];
  readonly space: Decider['space'];
  readonly onSlots: Decider['onSlots'];
  readonly beside: Decider['beside'];
  readonly neighbours: Decider['neighbours'];
  readonly #before: Decider;
  readonly #graph: string;
  readonly #byDecision: ReadonlyMap<string, Change>;
  /** Of the changes that were asked for, what was wrong with them when they were last. */
  readonly #faults = new Map<Change, string | null>();

  constructor(before: Decider, { graph, changes }: GraphChanges) {
    this.#before = before;
    this.#graph = graph;
    this.regime = before.regime;
    this.stored = before.stored;
    this.summed = before.summed;
    this.makesList = before.makesList;
    this.space = before.space;
    this.onSlots = before.onSlots;
    this.beside = before.beside;
    this.neighbours = before.neighbours;
    this.#byDecision = new Map(changes.map((change) => [decisionOf(change), change] as const));
  }

  /** The first change that the schedule that was decided last has not; null: it has all of them. */
  illegal({ steps }: Schedule): IllegalChange | null {
    const choices = steps.flatMap((step) =>
      step.kind === 'value' ? [step.choice] : step.kind === 'row' ? step.phases.flat().map(({ choice }) => choice) : [],
    );
    for (const change of this.#byDecision.values()) {
      // Whose operands are in no row is not asked whether it joins one.
      const isAlone = change.kind === 'apart' && choices.some((choice) => choice.node.id === change.node);
      const fault =
        this.#faults.get(change) ?? (isAlone || this.#faults.has(change) ? null : 'there is no such decision');
      if (fault !== null) return new IllegalChange(change, fault, this.#graph);
    }
    return null;
  }

  readonly list = (legal: Options<AssignmentList>): AssignmentList => {
    const wanted = this.#before.list(legal);
    const change = this.#byDecision.get(`list ${wanted.presences.join()}`);
    if (change?.kind !== 'list') return wanted;
    const { threads, blockRows } = change;
    const queue = wanted.form.kind === 'grouped' ? wanted.form.queue : null;
    const isSaid = ({ form }: AssignmentList): boolean =>
      form.kind === 'grouped' &&
      form.threads === threads &&
      form.blockRows === blockRows &&
      form.queue?.place === queue?.place;
    return this.#taken(change, legal.find(isSaid), 'the list may not be made so') ?? wanted;
  };

  readonly choice: Decider['choice'] = (id, space, legal: Options<Choice>) => {
    const wanted = this.#before.choice(id, space, legal);
    const change = this.#byDecision.get(`choose ${id}`);
    if (change?.kind !== 'choose') return wanted;
    const said = legal.find(({ family }) => family === change.family);
    return this.#taken(change, said, 'it may not be chosen so') ?? wanted;
  };

  readonly online: Decider['online'] = (id, legal) => this.#before.online(id, legal);

  readonly joins: Decider['joins'] = (id, others) => {
    const change = this.#byDecision.get(`apart ${id}`);
    if (change === undefined) return this.#before.joins(id, others);
    this.#faults.set(change, null);
    return false;
  };

  readonly fold: Decider['fold'] = (results, legal) => {
    const wanted = this.#before.fold(results, legal);
    const change = this.#byDecision.get(`fold ${results[0]}`);
    if (change?.kind !== 'fold') return wanted;
    const said = legal.find(({ lanes }) => lanes === change.lanes);
    return this.#taken(change, said, 'nobody else may go through a row') ?? wanted;
  };

  readonly tile: Decider['tile'] = (byCost, options) => {
    const wanted = this.#before.tile(byCost, options);
    const own = this.#byDecision.get(`tile ${wanted.node.id}`);
    const base = own?.kind === 'tile' ? this.#sized(own, wanted, options) : wanted;
    const ofClasses = options.classes.flatMap(({ name }) => {
      const change = this.#byDecision.get(`form ${wanted.node.id} ${name}`);
      return change?.kind === 'form' ? [change] : [];
    });
    return ofClasses.reduce((tile, change) => this.#formed(change, tile, options), base);
  };

  #taken<T>(change: Change, said: T | undefined, otherwise: string): T | undefined {
    this.#faults.set(change, said === undefined ? otherwise : null);
    return said;
  }

  #sized(change: Extract<Change, { readonly kind: 'tile' }>, wanted: TileChoice, options: TileOptions): TileChoice {
    const rows = options.rows.find((known) => rowsOfTile(known) === change.rows);
    if (rows === undefined) return this.#taken(change, undefined, 'rows do not go so here') ?? wanted;
    const { tileRows, tileColumns, lanes } = change;
    const hasForms = rows.kind !== 'single' && lanes !== 1;
    // A form that has more rows than a block now has its own change, or is as large as a block.
    const forms = hasForms ? wanted.forms.map((form) => within(form, rows)) : [];
    return this.#legal(change, { ...wanted, rows, tileRows, tileColumns, lanes, forms }, options) ?? wanted;
  }

  #formed(change: Extract<Change, { readonly kind: 'form' }>, tile: TileChoice, options: TileOptions): TileChoice {
    const own = options.classes.find(({ name }) => name === change.class);
    if (own === undefined) return tile;
    const { tileRows, tileColumns } = change;
    const form: TileForm = { class: own, tileRows, tileColumns };
    const has = tile.forms.some((other) => other.class.name === own.name);
    const forms = has
      ? tile.forms.map((other) => (other.class.name === own.name ? form : other))
      : [...tile.forms, form];
    return this.#legal(change, { ...tile, forms }, options) ?? tile;
  }

  #legal(change: Change, tile: TileChoice, options: TileOptions): TileChoice | undefined {
    const fault = tileFault(tile, options);
    this.#faults.set(change, fault);
    return fault === null ? tile : undefined;
  }
}

const within = (form: TileForm, rows: TileRows): TileForm =>
  rows.kind === 'blocks' ? { ...form, tileRows: Math.min(form.tileRows, rows.blockRows) } : form;
