/**
 * Look-ups that fail only if we are wrong. An index, a key or a name that one part of the compiler hands to another is meant to be
 * there; if it is not, a default (`?? 0`, `?? ''`) would turn our mistake into a wrong number or a wrong text that looks right.
 * So who reads by such an index says what is read, and a miss is a `CompilerBug` that names the stage, the list and the index.
 *
 * What may be absent by design (an optional argument, text with mistakes, a first entry) is no invariant: it stays `?.`, `??` or a
 * test for undefined, at the place that knows what absence means.
 */
import { CompilerBug, spell, stages } from './bug.ts';

/** The stage and what is read there, `graph: node`. */
export type Lookup = `${(typeof stages)[number]}: ${string}`;

/** A look-up that missed. For `list[i] ?? missing(…)` in loops where a call of `at` would cost. */
export function missing(what: Lookup, key: unknown): never {
  const stage = stages.find((name) => what.startsWith(`${name}: `)) ?? 'compile';
  throw new CompilerBug(stage, `there is no ${what.slice(stage.length + 2)} [${spellKey(key)}]`);
}

/** The entry of a list at an index that is valid. */
export function at<T>(list: ArrayLike<T>, index: number, what: Lookup): T {
  const entry: T | undefined = list[index];
  return entry === undefined ? missing(what, `${index} of ${list.length}`) : entry;
}

/** The value of a key that the map has. */
export function get<K, V>(map: Mapping<K, V>, key: K, what: Lookup): V {
  const value = map.get(key);
  return value === undefined ? missing(what, key) : value;
}

interface Mapping<K, V> {
  get(key: K): V | undefined;
}

/** The index of an entry that is in the list. */
export function indexIn<T>(list: readonly T[], entry: T, what: Lookup): number {
  const index = list.indexOf(entry);
  return index < 0 ? missing(what, entry) : index;
}

/**
 * For the inner loops of the interpreters: `numbers[i] ?? noNumber()` costs what `?? 0` costs, and not a call for each number.
 * `what` is left out there: the stack trace tells which loop.
 */
export function noNumber(): never {
  throw new CompilerBug('tensors', 'an index lies outside of the numbers it belongs to');
}

/** What has a name is spelt by it. */
function spellKey(key: unknown): string {
  if (typeof key === 'string') return key;
  return typeof key === 'object' && key !== null && 'name' in key ? String(key.name) : spell(key);
}
