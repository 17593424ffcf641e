/**
 * Random numbers without a state: a draw is a function of the seed, the textual place of the call and, for each axis,
 * the name of its root and the index in that root. It is not a function of any size, so the numbers of a token do not
 * change with the batch, and slices of a draw are draws.
 *
 * All of it is arithmetic on unsigned 32-bit integers (`Math.imul`, `>>>`), word for word what a kernel does:
 *
 *   mix(h)      h ^= h >> 16;  h *= 0x7feb352d;  h ^= h >> 15;  h *= 0x846ca68b;  h ^= h >> 16
 *   fold(h, v)  mix(h ^ mix(v + 0x9e3779b9))
 *   text(s)     FNV-1a over the UTF-16 code units, low byte then high byte
 *
 *   key         fold(fold(mix(seed), text(place)), …)            the same for the whole tensor
 *   point       for each axis in canonical order: fold(fold(h, text(root name)), root index)
 *   bits(n)     fold(point, n)                                   stream n of the point
 *
 *   uniform     (bits(0) >> 8) * 2^-24                            in [0, 1)
 *   normal      sqrt(-2 ln u) cos(2 pi v), u = ((bits(0) >> 8) + 1) * 2^-24, v = (bits(1) >> 8) * 2^-24   (Box, Muller)
 *   gumbel      -ln(-ln u), u = max((bits(0) >> 8) * 2^-24, 2^-25)
 *
 * Canonical order: by root name, then by the axis's own name, then by its number; it does not depend on the order in
 * which an executor happens to keep axes. (A twin is a root of its own: its name has the prime.)
 *
 * Source of mix: the lowest-bias two-round 32-bit function of github.com/skeeto/hash-prospector.
 */
import type { DrawName } from '../types/primitive-names.ts';
import type { Axis } from '../types/axis.ts';
import { apply, zero, type Size } from '../types/size.ts';

export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

export function fold(h: number, v: number): number {
  return mix((h ^ mix((v + 0x9e3779b9) >>> 0)) >>> 0);
}

export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    h = Math.imul(h ^ (unit & 0xff), 0x01000193);
    h = Math.imul(h ^ (unit >>> 8), 0x01000193);
  }
  return h >>> 0;
}

/** The hash before any axis: of the seed (its low 32 bits) and the place. */
export function drawKey(seed: number, seedKey: string): number {
  return fold(mix(seed >>> 0), hashText(seedKey));
}

/** An axis as a draw sees it: what to fold for it, and where its first point is in its root. */
export interface DrawAxis {
  readonly axis: Axis;
  readonly nameHash: number;
  readonly offset: Size;
}

/** The axes a draw folds, in canonical order. */
export function drawAxes(axes: readonly Axis[]): readonly DrawAxis[] {
  const entries = [...new Set(axes)].map((axis) => {
    let offset: Size = zero;
    let root = axis;
    while (root.root !== null) {
      offset = apply('add', offset, root.root.offset);
      root = root.root.axis;
    }
    return { axis, root: root.name, nameHash: hashText(root.name), offset };
  });
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  entries.sort((a, b) => order(a.root, b.root) || order(a.axis.name, b.axis.name) || a.axis.id - b.axis.id);
  return entries;
}

export function foldAxis(h: number, nameHash: number, index: number): number {
  return fold(fold(h, nameHash), index >>> 0);
}

/** The number of a distribution at a point's hash. */
export function drawAt(distribution: DrawName, point: number): number {
  const a = fold(point, 0) >>> 8;
  switch (distribution) {
    case 'uniform':
      return a * 2 ** -24;
    case 'normal': {
      const b = fold(point, 1) >>> 8;
      return Math.sqrt(-2 * Math.log((a + 1) * 2 ** -24)) * Math.cos(2 * Math.PI * (b * 2 ** -24));
    }
    case 'gumbel':
      return -Math.log(-Math.log(Math.max(a * 2 ** -24, 2 ** -25)));
  }
}
