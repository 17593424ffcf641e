/** Facts about how many points are present: what stays known when points are put among others, and of both together. */
import { idOf } from '../../dsl/types/ids.ts';
import { describe, expect, it } from 'vitest';
import { boundOf, embedInBounds, uniteBounds } from '../../compiler/graph/presence-bounds.ts';
import type { AxisId } from '../../compiler/graph/graph-ir.ts';
import { exact, formatSize, type Size } from '../../dsl/types/size.ts';

const [T, E, U, X] = [idOf<AxisId>(0), idOf<AxisId>(1), idOf<AxisId>(2), idOf<AxisId>(3)];
const sizes: readonly Size[] = [{ kind: 'dynamic', axis: 'T' }, exact(12), exact(2), exact(14)];
const sizeOf = (axis: AxisId): Size => sizes[axis] ?? exact(1);

describe('bounds of parts of a union', () => {
  const near = { axes: [T, X], bounds: embedInBounds([{ per: [T], atMost: exact(1) }], [T, E], [E], [X], sizeOf) };
  // Nothing is written of all points of the small part: there are at most as many as it has.
  const far = { axes: [T, X], bounds: embedInBounds([], [T, U], [U], [X], sizeOf) };

  it('know in the union how many points the part has', () => {
    expect(formatSize(boundOf(far.bounds, [T], far.axes, sizeOf))).toBe('2');
    expect(formatSize(boundOf(near.bounds, [T], near.axes, sizeOf))).toBe('1');
  });

  it('add up where parts of a union are together', () => {
    const both = uniteBounds(near, far, sizeOf);
    expect(formatSize(boundOf(both, [T], [T, X], sizeOf))).toBe('3');
    expect(formatSize(boundOf(both, [], [T, X], sizeOf))).toBe('3 * T');
  });

  it('of a part without axes is one point for each of the others', () => {
    const single = embedInBounds([], [T], [], [X], sizeOf);
    expect(formatSize(boundOf(single, [T], [T, X], sizeOf))).toBe('1');
  });
});
