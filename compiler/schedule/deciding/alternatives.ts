/**
 * What else a schedule might decide without a sum being added up in another order (changes.ts): for each decision of it the changes that
 * are worth a try, the most promising first. Decisions of equal shape, as equal layers have, are changed together.
 */
import { sizeKey } from '../../../dsl/types/size.ts';
import { get } from '../../../dsl/diagnostics/invariants.ts';
import type { AxisId, Graph, NodeId } from '../../graph/graph-ir.ts';
import type { DeviceClass } from '../../target.ts';
import type { AssignmentList } from '../memory/memory.ts';
import { rowsOfTile, type Change } from './changes.ts';
import type { FoldLayout } from './choose-fold.ts';
import type { Decider } from './decider.ts';
import { LANES, LARGEST_TILE, pointsAlong, tileFault, type TileOptions, type TileRows } from './legality-tiles.ts';
import type { Choice, Schedule, TileChoice } from './schedule-ir.ts';

/** A decision, or several of equal shape, and what may be tried instead. */
export interface Site {
  /** For people: `tile of %35`. */
  readonly name: string;
  readonly alternatives: readonly (readonly Change[])[];
}

/** What a decider was asked, and could have said. */
export interface Asked {
  readonly tiles: ReadonlyMap<NodeId, TileOptions>;
  readonly lists: ReadonlyMap<string, readonly AssignmentList[]>;
  readonly choices: ReadonlyMap<NodeId, readonly Choice[]>;
  readonly folds: ReadonlyMap<NodeId, readonly FoldLayout[]>;
  readonly joined: ReadonlySet<NodeId>;
}

/** A decider that decides as another one does, and what it is asked meanwhile: the last time counts. */
export function noting(before: Decider): { readonly decider: Decider; readonly asked: Asked } {
  const asked = {
    tiles: new Map<NodeId, TileOptions>(),
    lists: new Map<string, readonly AssignmentList[]>(),
    choices: new Map<NodeId, readonly Choice[]>(),
    folds: new Map<NodeId, readonly FoldLayout[]>(),
    joined: new Set<NodeId>(),
  };
  const decider: Decider = {
    ...before,
    list: (legal) => {
      asked.lists.set(legal[0].presences.join(), legal);
      return before.list(legal);
    },
    choice: (id, space, legal) => {
      asked.choices.set(id, legal);
      return before.choice(id, space, legal);
    },
    joins: (id, others) => {
      asked.joined.add(id);
      return before.joins(id, others);
    },
    tile: (byCost, options) => {
      asked.tiles.set(byCost.node.id, options);
      return before.tile(byCost, options);
    },
    fold: (results, legal) => {
      const [first] = results;
      if (first !== undefined) asked.folds.set(first, legal);
      return before.fold(results, legal);
    },
  };
  return { decider, asked };
}

/** What may be tried for devices of a class (or of none: `portable`). */
export function sitesOf(schedule: Schedule, graph: Graph, asked: Asked, className: string): readonly Site[] {
  return [
    ...tileSites(schedule, graph, asked, className),
    ...listSites(schedule, asked),
    ...rowSites(schedule, asked),
    ...foldSites(schedule, asked),
    ...choiceSites(schedule, asked),
  ].filter(({ alternatives }) => alternatives.length > 0);
}

// ----------------------------------------------------------------------------------------------------------------- tiles

/** Alternatives of a tile that are tried at most: each is a kernel that a driver takes its time for. */
const MOST_TILES = 12;
/** Accumulators from which on registers run out, and a tile costs the more the more it has. */
const REGISTERS = 64;
/** What loading a vector costs, in multiply-adds of one: what software drivers take; a GPU takes less and ranks the same. */
const LOAD = 8;

/** Sizes of tiles that are tried. */
const sides = [1, 2, 3, 4, 6, 8, 12, 16].filter((n) => n <= LARGEST_TILE);

interface FoundTile {
  readonly choice: TileChoice;
  readonly options: TileOptions;
  readonly inRow: boolean;
}

function tilesOf({ steps }: Schedule, asked: Asked): readonly FoundTile[] {
  const found = (choice: Choice, inRow: boolean): readonly FoundTile[] => {
    const options = asked.tiles.get(choice.node.id);
    return choice.family === 'tile' && options !== undefined ? [{ choice, options, inRow }] : [];
  };
  return steps.flatMap((step) => {
    if (step.kind === 'value') return found(step.choice, false);
    return step.kind === 'row' ? step.phases.flat().flatMap(({ choice }) => found(choice, true)) : [];
  });
}

function tileSites(schedule: Schedule, graph: Graph, asked: Asked, className: string): readonly Site[] {
  const groups = new Map<string, FoundTile[]>();
  for (const tile of tilesOf(schedule, asked)) {
    const key = shapeOf(tile, graph);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [tile]);
    else group.push(tile);
  }
  return [...groups.values()].map((group): Site => {
    const names = group.map(({ choice }) => `%${choice.node.id}`);
    const [first] = group;
    const shapes = first === undefined ? [] : tileShapes(first, className, pointsAlong(graph, first.choice.columns));
    return {
      name: `tile of ${names.slice(0, 3).join(' ')}${names.length > 3 ? ` and ${names.length - 3} like it` : ''}`,
      alternatives: shapes.map((shape) => group.flatMap(({ choice }) => shape(choice.node.id))),
    };
  });
}

/** The same for tiles that do the same work in the same way. */
function shapeOf({ choice, options, inRow }: FoundTile, graph: Graph): string {
  const sizes = (axes: readonly AxisId[]): string =>
    axes.map((a) => sizeKey(get(graph.axes, a, 'schedule: axis').size)).join(' ');
  const { heads, over, columns, rows, tileRows, tileColumns, lanes, forms, node } = choice;
  const ways = [options.rows.map(rowsOfTile), options.lanes, options.classes.map(({ name }) => name)];
  const own = [heads.length, sizes(over), sizes(columns), sizes(node.axes), rowsOfTile(rows), inRow, ways];
  return JSON.stringify([own, tileRows, tileColumns, lanes, forms]);
}

type Shape = (node: NodeId) => readonly Change[];

interface Ranked {
  readonly cost: number;
  readonly shape: Shape;
}

/** The tiles that a tile may be instead, cheapest first. */
function tileShapes({ choice, options, inRow }: FoundTile, className: string, width: number | null): readonly Shape[] {
  const known = options.classes.find(({ name }) => name === className);
  if (known !== undefined && !inRow && choice.rows.kind !== 'single' && choice.lanes === LANES)
    return formShapes({ choice, options }, known, width);
  // A row goes one by one, whatever a tile by itself might do; and other classes have forms of rows and loads as they are.
  const isFixed = inRow || choice.forms.length > 0;
  const ways = isFixed ? [choice.rows] : sameKindOfRows(choice.rows, options.rows);
  const ranked = ways.flatMap((rows) =>
    (isFixed ? [choice.lanes] : options.lanes).flatMap((lanes) => [
      ...allSizes(width).flatMap(([tileRows, tileColumns]) =>
        portable({ choice, options }, { rows, lanes, tileRows, tileColumns }),
      ),
      ...(known === undefined || isFixed ? [] : withForm({ choice, options }, known, rows, lanes)),
    ]),
  );
  return cheapest(ranked, MOST_TILES);
}

/** What a class may do, whatever others do: where it has no tile of its own, one of its own. */
function formShapes({ choice, options }: TileOf, known: DeviceClass, width: number | null): readonly Shape[] {
  const own = choice.forms.find((form) => form.class.name === known.name);
  const others = choice.forms.filter((form) => form !== own);
  const columns = width === null ? null : Math.ceil(width / known.subgroupSize);
  const ranked = allSizes(columns).flatMap(([tileRows, tileColumns]): readonly Ranked[] => {
    if (tileRows === own?.tileRows && tileColumns === own.tileColumns) return [];
    const form = { class: known, tileRows, tileColumns };
    if (tileFault({ ...choice, forms: [...others, form] }, options) !== null) return [];
    const cost = tileCost(tileRows, tileColumns, choice.heads.length, known.subgroupSize, 1);
    return [{ cost, shape: (node) => [{ kind: 'form', node, class: known.name, tileRows, tileColumns }] }];
  });
  return cheapest(ranked, MOST_TILES);
}

type TileOf = Pick<FoundTile, 'choice' | 'options'>;
type TileSizes = Pick<TileChoice, 'rows' | 'lanes' | 'tileRows' | 'tileColumns'>;

/** A tile of other sizes as devices of no class compute it. */
function portable({ choice, options }: TileOf, sizes: TileSizes): readonly Ranked[] {
  const { tileRows, tileColumns, lanes } = sizes;
  if (isAlready(choice, sizes) || tileFault({ ...choice, ...sizes, forms: [] }, options) !== null) return [];
  const cost = tileCost(tileRows, tileColumns, choice.heads.length, 1, lanes === 4 ? 1 : 4);
  return [{ cost, shape: (node) => [tileChange(node, sizes)] }];
}

/** A tile whose rows or loads go otherwise, so that a class may have one of its own, of the size that its tiles have. */
function withForm({ choice, options }: TileOf, own: DeviceClass, rows: TileRows, lanes: 1 | 4): readonly Ranked[] {
  if (rows.kind === 'single' || lanes === 1) return [];
  const heads = choice.heads.length;
  const sizes: TileSizes = { tileRows: 4, tileColumns: Math.max(1, Math.floor(4 / heads)), rows, lanes };
  const [tileRows, tileColumns] = [own.tile.rows, Math.max(1, Math.floor(own.tile.columns / heads))];
  const form = { class: own, tileRows, tileColumns };
  if (tileFault({ ...choice, ...sizes, forms: [form] }, options) !== null) return [];
  return [
    {
      cost: tileCost(tileRows, tileColumns, heads, own.subgroupSize, 1),
      shape: (node) => [tileChange(node, sizes), { kind: 'form', node, class: own.name, tileRows, tileColumns }],
    },
  ];
}

const tileChange = (node: NodeId, { rows, lanes, tileRows, tileColumns }: TileSizes): Change => ({
  kind: 'tile',
  node,
  tileRows,
  tileColumns,
  rows: rowsOfTile(rows),
  lanes,
});

const isAlready = (choice: TileChoice, sizes: TileSizes): boolean =>
  choice.tileRows === sizes.tileRows &&
  choice.tileColumns === sizes.tileColumns &&
  choice.lanes === sizes.lanes &&
  rowsOfTile(choice.rows) === rowsOfTile(sizes.rows);

/** Tiles no wider than there are columns. */
function allSizes(width: number | null): readonly (readonly [number, number])[] {
  const columns = sides.filter((n) => width === null || n <= Math.max(1, width));
  return sides.flatMap((a) => columns.map((b) => [a, b] as const));
}

/** Rows that go in blocks of a list do so as the list is cut (`listSites`); else every way may be tried. */
const sameKindOfRows = (own: TileRows, all: readonly TileRows[]): readonly TileRows[] =>
  own.kind === 'blocks'
    ? all.filter((rows) => rowsOfTile(rows) === rowsOfTile(own))
    : all.filter(({ kind }) => kind !== 'blocks');

/** Loads that a multiply-add of a tile takes its share of, and accumulators beyond registers. */
function tileCost(rows: number, columns: number, heads: number, subgroup: number, loadsOfVector: number): number {
  const sums = rows * columns * heads;
  const loads = loadsOfVector * (rows / subgroup + columns * heads);
  return (1 + (LOAD * loads) / (4 * sums)) * Math.max(1, sums / REGISTERS);
}

function cheapest(ranked: readonly Ranked[], most: number): readonly Shape[] {
  return ranked
    .toSorted((a, b) => a.cost - b.cost)
    .slice(0, most)
    .map(({ shape }) => shape);
}

// --------------------------------------------------------------------------------------------------- lists, rows, the rest

/** Slots that are sorted by other threads, and cut into other blocks, with the tiles that go by them. */
function listSites(schedule: Schedule, asked: Asked): readonly Site[] {
  return schedule.assignmentLists.flatMap((list): readonly Site[] => {
    const { form, presences } = list;
    if (form.kind !== 'grouped') return [];
    const tiles = tilesOn(schedule, list);
    const legal = (asked.lists.get(presences.join()) ?? []).flatMap((other) => (other.form.kind === 'grouped' && other.form.queue?.place === form.queue?.place ? [other.form] : []));
    const others = legal.filter(({ threads, blockRows }) =>
      threads === form.threads ? blockRows !== form.blockRows && blockRows !== null : blockRows === form.blockRows,
    );
    const alternatives = others.map(({ threads, blockRows }): readonly Change[] => [
      { kind: 'list', presences, threads, blockRows },
      ...(blockRows === form.blockRows || blockRows === null ? [] : tiles.map((tile) => inBlocks(tile, blockRows))),
    ]);
    return [{ name: `list of ${presences.map((id) => `%${id}`).join(' ')}`, alternatives }];
  });
} // prettier-ignore

function tilesOn({ steps }: Schedule, list: AssignmentList): readonly TileChoice[] {
  return steps.flatMap((step) =>
    step.kind === 'value' &&
    step.choice.family === 'tile' &&
    step.choice.rows.kind === 'blocks' &&
    step.space.assignmentList === list
      ? [step.choice]
      : [],
  );
}

function inBlocks({ node, tileRows, tileColumns, lanes }: TileChoice, rows: number): Change {
  return { kind: 'tile', node: node.id, tileRows: Math.min(tileRows, rows), tileColumns, rows, lanes };
}

/** A value of a row that has a launch of its own; first all of them. */
function rowSites({ steps }: Schedule, asked: Asked): readonly Site[] {
  return steps.flatMap((step): readonly Site[] => {
    if (step.kind !== 'row') return [];
    const members = step.phases.flat().map(({ choice }) => choice.node.id).filter((id) => asked.joined.has(id));
    const apart = (node: NodeId): Change => ({ kind: 'apart', node });
    const alternatives = [...(members.length > 1 ? [members.map(apart)] : []), ...members.map((id) => [apart(id)])];
    return [{ name: `row of ${members.map((id) => `%${id}`).join(' ')}`, alternatives }];
  });
} // prettier-ignore

function foldSites({ steps }: Schedule, asked: Asked): readonly Site[] {
  return steps.flatMap((step): readonly Site[] => {
    const [node] = step.kind === 'fold' ? step.nodes : [];
    if (step.kind !== 'fold' || node === undefined) return [];
    const others = (asked.folds.get(node) ?? []).filter(({ lanes }) => lanes !== step.layout.lanes);
    return [{ name: `fold %${node}`, alternatives: others.map(({ lanes }) => [{ kind: 'fold', node, lanes }]) }];
  });
}

function choiceSites({ steps }: Schedule, asked: Asked): readonly Site[] {
  const all = steps.flatMap((step) =>
    step.kind === 'value' ? [step.choice] : step.kind === 'row' ? step.phases.flat().map(({ choice }) => choice) : [],
  );
  return all.flatMap((choice): readonly Site[] => {
    if (choice.family !== 'choose' && choice.family !== 'choose_long') return [];
    const node = choice.node.id;
    const other = choice.family === 'choose' ? 'choose_long' : 'choose';
    const may = (asked.choices.get(node) ?? []).some(({ family }) => family === other);
    return [{ name: `choice of %${node}`, alternatives: may ? [[{ kind: 'choose', node, family: other }]] : [] }];
  });
}
