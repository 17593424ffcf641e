/**
 * "Did you mean": the candidate that is nearest to a name that was not found.
 */

/** More candidates than this are not looked at: a file of unknown names stays linear. */
const candidatesLimit = 500;
const lengthLimit = 64;

/**
 * The nearest candidate by edit distance (insert, delete, replace, swap of neighbours; another case costs nothing
 * first), if it is near enough to be a slip: at most a third of the name's length, at least 1. Ties go to the earlier
 * candidate.
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length === 0 || name.length > lengthLimit) return undefined;
  const allowed = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let bestDistance = allowed + 1;
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > candidatesLimit) break;
    if (candidate === name || candidate.length > lengthLimit || Math.abs(candidate.length - name.length) > allowed)
      continue;
    const sameLetters = candidate.toLowerCase() === name.toLowerCase();
    // One letter for one letter is no likeness: `T` is not a slip for `E`.
    if (!sameLetters && name.length === 1) continue;
    const distance = sameLetters ? 0.5 : editDistance(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance. O(a.length × b.length). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j - 1] ?? 0) + 1, (previous[j] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** `did you mean \`top_k\`?`, for a help line; undefined if nothing is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = suggest(name, candidates);
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}
