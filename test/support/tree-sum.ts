/** The order of sums by its definition, in f32: 32 neighbours are added one after the other, then what they come to, and so on. */
export function treeSum(terms: readonly number[]): number {
  let level = terms;
  while (level.length > 1) {
    const blocks: number[] = [];
    for (let i = 0; i < level.length; i += 32)
      blocks.push(level.slice(i, i + 32).reduce((sum, term) => Math.fround(sum + term), 0));
    level = blocks;
  }
  return level[0] ?? 0;
}
