/** Grids of launches: every workgroup has a place, no dimension has more than it may, and few are there for nothing. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { foldGrid, WORKGROUPS_PER_DIMENSION } from '../../runtime/contract/grid.ts';

it('a grid has all workgroups, and less than one row too many', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5_000_000_000 }),
      fc.constantFrom(4, 255, WORKGROUPS_PER_DIMENSION),
      (n, most) => {
        const grid = foldGrid(n, most);
        expect(grid === null).toBe(n > most * most);
        if (grid === null) return;
        const [x, y] = grid;
        expect(x).toBeLessThanOrEqual(most);
        expect(y).toBeLessThanOrEqual(most);
        expect(x * y).toBeGreaterThanOrEqual(n);
        expect(x * y - n).toBeLessThan(Math.max(1, y));
      },
    ),
  );
});

it('one dimension as long as it goes', () => {
  expect(foldGrid(WORKGROUPS_PER_DIMENSION, WORKGROUPS_PER_DIMENSION)).toEqual([65_535, 1]);
  expect(foldGrid(WORKGROUPS_PER_DIMENSION + 1, WORKGROUPS_PER_DIMENSION)).toEqual([32_768, 2]);
  expect(foldGrid(17, 4)).toBe(null);
});
