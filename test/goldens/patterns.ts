/**
 * Names with holes: `expected.layer{l}.scores` stands for `expected.layer0.scores`, `expected.layer1.scores`, … A hole holds a
 * whole number, one with decimals too if its name ends in `#` (`{p#}`), or anything without a point if it ends in `*` (`{p*}`).
 */

/** What the holes hold. */
export type Holes = ReadonlyMap<string, string>;

const HOLE = /\{(\w+)([*#]?)\}/g;
const HOLDS: Readonly<Record<string, string>> = { '': '(\\d+)', '#': '(\\d+(?:\\.\\d+)?)', '*': '([^.]+)' };

/** All names that fit, with what their holes hold, in the order of the numbers. */
export function matches(
  pattern: string,
  names: Iterable<string>,
): readonly { readonly name: string; readonly holes: Holes }[] {
  const keys: string[] = [];
  let source = '';
  let last = 0;
  for (const hole of pattern.matchAll(HOLE)) {
    const [text, key, sort = ''] = hole;
    source += escaped(pattern.slice(last, hole.index)) + (HOLDS[sort] ?? '');
    keys.push(key ?? '');
    last = hole.index + text.length;
  }
  const expression = new RegExp(`^${source}${escaped(pattern.slice(last))}$`);
  const found: { readonly name: string; readonly holes: Holes }[] = [];
  for (const name of names) {
    const match = expression.exec(name);
    if (match !== null) found.push({ name, holes: new Map(keys.map((key, i) => [key, match[i + 1] ?? ''])) });
  }
  const order = (holes: Holes): readonly number[] => [...holes.values()].map(Number);
  return found.sort((a, b) => compareLists(order(a.holes), order(b.holes)));
}

/** The name a pattern stands for. Holes that hold nothing stay. */
export function fill(pattern: string, holes: Holes): string {
  return pattern.replace(HOLE, (text, key: string) => holes.get(key) ?? text);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
