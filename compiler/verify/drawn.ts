/** What a draw has at some points: made of the seed, its place in the program and the points, as a kernel makes it. */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { drawAt, drawKey, foldAxis, hashText } from '../../dsl/primitives/draw-hash.ts';
import type { Size } from '../../dsl/types/size.ts';
import { boundOfDraw } from '../graph/error-bound.ts';
import type { Node } from '../graph/graph-ir.ts';
import { indexAt, type BoundedColumn, type Points } from './point-blocks.ts';
import { blank } from './range-flags.ts';

export function drawn(
  node: Extract<Node, { readonly kind: 'draw' }>,
  p: Points,
  seed: number,
  integer: (size: Size) => number,
): BoundedColumn {
  const key = drawKey(seed, node.seedKey);
  const roots = node.roots.map((r) => ({
    index: indexAt(p, r.axis),
    hash: hashText(r.name),
    offset: integer(r.offset),
  }));
  const out = blank(p.count);
  for (let i = 0; i < p.count; i++) {
    let h = key;
    for (const { index, hash, offset } of roots) h = foldAxis(h, hash, offset + (index[i] ?? noNumber()));
    out.v[i] = drawAt(node.distribution, h);
    out.d[i] = boundOfDraw(node.distribution);
  }
  return out;
}
