/**
 * Makes a failing case small: delta debugging on the syntax tree. Whatever keeps the finding is kept, whatever does not
 * is tried another way; a text that is no program any more simply fails to keep it.
 *
 * Candidates, from large to small: without a declaration or a line; a `let` put where it is used; an expression replaced
 * by a part of itself, by an input or a number; smaller sizes; plainer values. A schedule goes first, if the finding does
 * without, then kinds of decisions; of those that are left each change by itself goes last, since nodes have other numbers
 * in another program.
 */
import { parseFile } from '../../dsl/syntax/parse-file.ts';
import { printFile } from '../../dsl/syntax/print-ast.ts';
import type { File } from '../../dsl/syntax/ast.ts';
import { changesOf, type Case } from './examine.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Path = readonly (string | number)[];

export interface ShrinkOptions {
  /** Whether a case still has the finding. */
  readonly keeps: (candidate: Case) => Promise<boolean>;
  /** Milliseconds. */
  readonly limit: number;
  readonly now: () => number;
  /** Whether the program stays as it is, and only its schedule gets simpler. */
  readonly sameProgram?: boolean;
}

export interface Shrunk {
  readonly case: Case;
  readonly tried: number;
}

export async function shrink(given: Case, options: ShrinkOptions): Promise<Shrunk> {
  const start = options.now();
  /** Of a case with a schedule, time is left for the changes of that. */
  let end = start + (given.schedule === null || given.schedule === undefined ? 1 : 0.75) * options.limit;
  let best = given;
  let tried = 0;
  const seen = new Set<string>();
  const attempt = async (candidate: Case): Promise<boolean> => {
    const key = `${candidate.text}\0${[...candidate.sizes].join()}\0${candidate.profile}\0${JSON.stringify(candidate.schedule)}`;
    if (options.now() > end || seen.has(key)) return false;
    seen.add(key);
    for (const drawn of otherDraws(candidate)) {
      tried += 1;
      if (options.now() > end) return false;
      if (!(await options.keeps(drawn))) continue;
      best = drawn;
      return true;
    }
    return false;
  };
  const tidy = async (): Promise<void> => {
    for (const what of ['all', 'declarations', 'lines'] as const) {
      for (let less = tidied(best, what); less !== null && (await attempt(less)); less = tidied(best, what));
    }
  };
  /** One walk through the candidates of a step, which goes on where it was after one was accepted. */
  const sweep = async (step: Step): Promise<boolean> => {
    let changed = false;
    for (let from = 0, again = true; again && options.now() < end;) {
      again = false;
      let i = 0;
      for (const candidate of step(best)) {
        if (i++ < from) continue;
        const made = candidate();
        if (made === null || !(await attempt(made))) continue;
        if (options.sameProgram !== true) await tidy();
        from = Math.max(0, i - 2);
        [again, changed] = [true, true];
        break;
      }
    }
    return changed;
  };
  /** Without some of the changes of its schedule, from the largest pieces down. */
  const fewerChanges = async (): Promise<void> => {
    let changes = changesOf(best);
    for (let size = Math.ceil(changes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < changes.length;) {
        const only = changes.filter((_, i) => i < from || i >= from + size);
        const { schedule } = best;
        if (schedule === null || schedule === undefined) return;
        if (await attempt({ ...best, schedule: { ...schedule, only } })) changes = only;
        else from += size;
      }
    }
  };
  await sweep(simplerSchedule);
  if (options.sameProgram !== true) await tidy();
  for (let changed = options.sameProgram !== true; changed && options.now() < end;) {
    changed = false;
    for (const step of [oneResult, withoutItems, withSmallerSizes, inlined, simplerExpressions]) {
      if (await sweep(step)) changed = true;
    }
  }
  end = start + options.limit;
  await sweep(simplerSchedule);
  await fewerChanges();
  return { case: best, tried };
}

/** A case with a schedule is tried with others as well: in a smaller program the same numbers decide something else. */
function otherDraws(given: Case): readonly Case[] {
  const { schedule } = given;
  if (schedule === null || schedule === undefined || schedule.only !== null) return [given];
  return [0, 1, 2].map((more) => ({ ...given, schedule: { ...schedule, seed: schedule.seed + more } }));
}

/** Candidates, not yet made: most are passed over. */
type Step = (given: Case) => Iterable<() => Case | null>;

// ------------------------------------------------------------------------------------------------------ the tree as data

/** The tree as plain data, which a reduction may change anywhere. */
const treeOf = (text: string): Json => JSON.parse(JSON.stringify(parseFile({ name: 'model.moe', text }).file));

/** Text of a changed tree; null if it is no file any more. */
function textOf(tree: Json): string | null {
  try {
    const file: File = JSON.parse(JSON.stringify(tree));
    return printFile(file, { name: 'model.moe', text: '' }, []);
  } catch {
    return null;
  }
}

const isObject = (x: Json | undefined): x is { readonly [key: string]: Json } =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

function at(tree: Json, path: Path): Json | undefined {
  let here: Json | undefined = tree;
  for (const key of path) {
    if (Array.isArray(here) && typeof key === 'number') here = here[key];
    else if (isObject(here)) here = here[String(key)];
    else return undefined;
  }
  return here;
}

/** The tree with another value at a path; `undefined` removes an element of a list. */
function put(tree: Json, path: Path, value: Json | undefined): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? null;
  if (Array.isArray(tree)) {
    const list: readonly Json[] = tree;
    if (rest.length === 0 && value === undefined) return list.filter((_, i) => i !== key);
    return list.map((x, i) => (i === key ? put(x, rest, value) : x));
  }
  if (!isObject(tree)) return tree;
  const name = String(key);
  if (rest.length === 0 && value === undefined)
    return Object.fromEntries(Object.entries(tree).filter(([k]) => k !== name));
  return { ...tree, [name]: put(tree[name] ?? null, rest, value) };
}

/** Every place of the tree, outer ones first. */
function* places(tree: Json, path: Path = []): Generator<readonly [Path, Json]> {
  yield [path, tree];
  if (Array.isArray(tree)) {
    const list: readonly Json[] = tree;
    for (const [i, x] of list.entries()) yield* places(x, [...path, i]);
  } else if (isObject(tree)) {
    for (const [key, x] of Object.entries(tree)) if (key !== 'span') yield* places(x, [...path, key]);
  }
}

const expressionKinds = new Set([
  'Number', 'String', 'Bool', 'Name', 'Call', 'Index', 'Path', 'Unary', 'Binary', 'Compare', 'Logical', 'Dot', 'Pipe', 'Tuple', 'Chain', 'If',
]); // prettier-ignore

const isExpression = (x: Json | undefined): x is { readonly [key: string]: Json } =>
  isObject(x) && typeof x['kind'] === 'string' && expressionKinds.has(x['kind']);

const span: Json = { source: 'model.moe', start: 0, end: 0 };
const numberLiteral = (text: string): Json => ({ kind: 'Number', text, value: Number(text), span });
const nameLiteral = (name: string): Json => ({ kind: 'Name', name, primes: 0, span });

const withText = (given: Case, tree: Json): Case | null => {
  const text = textOf(tree);
  return text === null || text === given.text ? null : { ...given, text };
};

// ------------------------------------------------------------------------------------------------------------ reductions

/** Without all declarations, lines and imports whose names nobody says; null if there are none. */
function tidied(given: Case, what: 'all' | 'declarations' | 'lines'): Case | null {
  const tree = treeOf(given.text);
  const words = new Map<string, number>();
  for (const [word] of given.text.matchAll(/[A-Za-z_][A-Za-z0-9_]*/g)) words.set(word, (words.get(word) ?? 0) + 1);
  const unread = (name: Json | undefined): boolean => typeof name === 'string' && words.get(name) === 1;
  const gone: Path[] = [];
  for (const [path, x] of places(tree)) {
    if (!isObject(x) || typeof path.at(-1) !== 'number') continue;
    const names = x['kind'] === 'Let' ? at(x, ['pattern', 'names']) : undefined;
    if (what !== 'declarations' && Array.isArray(names) && names.every((n: Json) => unread(at(n, ['text']))))
      gone.push(path);
    if (what === 'lines') continue;
    const list = path.at(-2);
    if (list === 'bindings' || list === 'slots' || (list === 'names' && path.includes('imports')))
      if (unread(at(x, list === 'names' ? ['text'] : ['name', 'text']))) gone.push(path);
    if (x['kind'] === 'Callable' && unread(at(x, ['name', 'text']))) gone.push(path);
  }
  if (gone.length === 0) return null;
  // From the end, so that the places before stay what they are.
  const less = gone.toReversed().reduce((t, path) => put(t, path, undefined), tree);
  return withText(given, withoutEmpty(less));
}

/** Without declarations that declare nothing any more. */
function withoutEmpty(tree: Json): Json {
  const gone = [...places(tree)].filter(
    ([path, x]) =>
      isObject(x) &&
      typeof path.at(-1) === 'number' &&
      ['bindings', 'slots', 'names'].some(
        (list) =>
          (path.includes('imports') || list !== 'names') && at(x, [list, 0]) === undefined && Array.isArray(x[list]),
      ),
  );
  return gone.toReversed().reduce((t, [path]) => put(t, path, undefined), tree);
}

/** Of several results only one. */
function* oneResult(given: Case): Generator<() => Case | null> {
  const tree = treeOf(given.text);
  for (const [path, x] of places(tree)) {
    if (path.at(-1) !== 'results' || path.at(-2) !== 'signature' || !Array.isArray(x) || x.length < 2) continue;
    const fields: Path = [...path.slice(0, -2), 'body', 'result', 'fields'];
    const list: readonly Json[] = x;
    for (const [i, result] of list.entries()) {
      const field = at(tree, [...fields, i]);
      if (field !== undefined) yield () => withText(given, put(put(tree, path, [result]), fields, [field]));
    }
  }
}

/** Without one or several neighbouring elements of a list, from the largest pieces down. */
function* withoutItems(given: Case): Generator<() => Case | null> {
  const tree = treeOf(given.text);
  const lists = [...places(tree)].filter(([, x]) => Array.isArray(x) && x.length > 0);
  for (const share of [1, 2, 4, Infinity]) {
    for (const [path, x] of lists) {
      const list: readonly Json[] = Array.isArray(x) ? x : [];
      const size = share === Infinity ? 1 : Math.floor(list.length / share);
      if (size < 1 || (share !== Infinity && size < 2)) continue;
      // What is declared last is read least: from the end.
      for (let start = list.length - size; start >= 0; start -= size) {
        const rest = list.filter((_, i) => i < start || i >= start + size);
        yield () => withText(given, withPartners(put(tree, path, rest), tree, path, start, size));
      }
    }
  }
}

/** A result of a signature goes together with the field of the record that is returned. */
function withPartners(changed: Json, tree: Json, path: Path, start: number, size: number): Json {
  if (path.at(-1) !== 'results' || path.at(-2) !== 'signature') return changed;
  const fields: Path = [...path.slice(0, -2), 'body', 'result', 'fields'];
  const list = at(tree, fields);
  if (!Array.isArray(list)) return changed;
  const rest: readonly Json[] = list.filter((_: Json, i: number) => i < start || i >= start + size);
  return put(changed, fields, rest);
}

/** Without another schedule than costs decide, or without decisions of a kind. */
function* simplerSchedule(given: Case): Generator<() => Case | null> {
  const { schedule } = given;
  if (schedule === null || schedule === undefined) return;
  yield () => ({ ...given, schedule: null });
  for (const kind of schedule.kinds)
    yield () => ({ ...given, schedule: { ...schedule, kinds: schedule.kinds.filter((other) => other !== kind) } });
}

/** Smaller dynamic sizes, smaller numbers, plainer values. */
function* withSmallerSizes(given: Case): Generator<() => Case | null> {
  if (given.values === undefined) {
    if (given.profile !== 'normal') yield () => ({ ...given, profile: 'normal' });
    if (given.profile === 'edges' || given.profile === 'wide') yield () => ({ ...given, profile: 'ties' });
  }
  for (const [name, size] of given.sizes) {
    for (const smaller of [1, 2, Math.floor(size / 2), size - 1]) {
      if (smaller < size && smaller >= 1) yield () => ({ ...given, sizes: new Map([...given.sizes, [name, smaller]]) });
    }
  }
  const tree = treeOf(given.text);
  for (const [path, x] of places(tree)) {
    if (!isObject(x) || x['kind'] !== 'Number' || typeof x['value'] !== 'number') continue;
    const n = x['value'];
    const tries = Number.isInteger(n) ? [1, 2, Math.floor(n / 2), n - 1] : [1];
    for (const smaller of tries) {
      if (smaller >= n && Number.isInteger(n)) continue;
      if (smaller < 0) continue;
      yield () => withText(given, put(tree, path, numberLiteral(String(smaller))));
    }
  }
}

/** A `let` of one name put where it is read. */
function* inlined(given: Case): Generator<() => Case | null> {
  const tree = treeOf(given.text);
  for (const [path, x] of places(tree)) {
    if (!isObject(x) || x['kind'] !== 'Let') continue;
    const name = at(x, ['pattern', 'names', 0, 'text']);
    const value = x['value'];
    if (typeof name !== 'string' || value === undefined || at(x, ['pattern', 'names', 1]) !== undefined) continue;
    const uses = [...places(tree)].filter(([, y]) => isObject(y) && y['kind'] === 'Name' && y['name'] === name);
    if (uses.length > 2) continue;
    yield () =>
      withText(
        given,
        put(
          uses.reduce((t, [where]) => put(t, where, value), tree),
          path,
          undefined,
        ),
      );
  }
}

/** An expression replaced by a part of itself, by a name of the scope or by a number. */
function* simplerExpressions(given: Case): Generator<() => Case | null> {
  const tree = treeOf(given.text);
  for (const [path, x] of places(tree)) {
    if (!isExpression(x)) continue;
    const kind = x['kind'];
    if (kind === 'Number' || kind === 'String' || kind === 'Bool') continue;
    const inside = [...places(x)].filter(([p, y]) => p.length > 0 && isExpression(y)).map(([, y]) => y);
    const parts = kind === 'Name' ? [] : inside;
    const body = kind === 'If' ? [at(x, ['then', 'result']), at(x, ['otherwise', 'result'])] : [];
    const carried = kind === 'Chain' ? at(x, ['carries', 0, 'initial']) : undefined;
    const candidates: (Json | undefined)[] = [...body, carried, ...parts.slice(0, 12)];
    if (kind !== 'Name') candidates.push(nameLiteral('x'), numberLiteral('1'));
    else if (x['primes'] === 0 && x['name'] !== 'x' && path.at(-1) !== 'callee') candidates.push(nameLiteral('x'));
    for (const candidate of candidates) {
      if (candidate === undefined) continue;
      yield () => withText(given, put(tree, path, candidate));
    }
  }
}
