/** Names that are most like one that is not there. */
import { quoteName } from './json.ts';

/** Searches this many times at most, over this many names: a wrong prefix makes every name of a checkpoint missing. */
const MAX_SEARCHES = 10;
const MAX_NAMES = 20_000;

/** A function that tells of the names most like one that is missing, as the tail of a sentence. */
export function nearestNames(names: readonly string[]): (wanted: string) => string {
  let searches = 0;
  const pool = names.slice(0, MAX_NAMES);
  return (wanted) => {
    searches += 1;
    if (searches > MAX_SEARCHES) return '';
    const limit = Math.min(8, Math.max(2, Math.floor(wanted.length / 4)));
    const near = pool
      .map((name) => ({ name, distance: distanceUpTo(wanted, name, limit) }))
      .filter(({ distance }) => distance <= limit)
      .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
      .slice(0, 2)
      .map(({ name }) => quoteName(name));
    return near.length === 0 ? '' : ` (there is ${near.join(' and ')})`;
  };
}

/** Edit distance of two texts, or anything above `most` if it is above. A shared suffix or prefix costs nothing. */
function distanceUpTo(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  // Only the diagonal band within `most` can stay within it.
  const width = endB - start;
  const above = limit + 1;
  let row = Array.from({ length: width + 1 }, (_, j) => Math.min(j, above));
  for (let i = start; i < endA; i++) {
    const line = i - start + 1;
    const next = new Array<number>(width + 1).fill(above);
    if (line <= limit) next[0] = line;
    let least = next[0] ?? above;
    for (let j = Math.max(1, line - limit); j <= Math.min(width, line + limit); j++) {
      const replaced = (row[j - 1] ?? above) + (a[i] === b[start + j - 1] ? 0 : 1);
      const distance = Math.min(replaced, (row[j] ?? above) + 1, (next[j - 1] ?? above) + 1);
      next[j] = distance;
      if (distance < least) least = distance;
    }
    if (least > limit) return above;
    row = next;
  }
  return row.at(-1) ?? 0;
}
