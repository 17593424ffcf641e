/**
 * The one ordered table of all primitives. To add one: its file, its name in primitive-names.ts, its line here; `tsc` then names
 * every `switch` over names that lacks it, and a test compares this table with primitive-names.ts.
 */
import { all } from './all.ts';
import { alongPrimitives } from './along.ts';
import { clamp } from './clamp.ts';
import { concat } from './concat.ts';
import { convert } from './convert.ts';
import { dot } from './dot.ts';
import { drawPrimitives } from './draws.ts';
import { binaryPrimitives } from './elementwise-binary.ts';
import { unaryPrimitives } from './elementwise-unary.ts';
import { gather } from './gather.ts';
import { at, is, part, window } from './indexing.ts';
import { keep } from './keep.ts';
import { limit } from './limit.ts';
import { count, load } from './load.ts';
import { iota, ones, zeros } from './made.ts';
import { merge } from './merge.ts';
import type { PrimitiveName } from '../types/primitive-names.ts';
import { normalize } from './normalize.ts';
import { oneHot } from './one-hot.ts';
import { pick } from './pick.ts';
import type { Primitive } from './primitive.ts';
import { reductionPrimitives } from './reductions.ts';
import { rename } from './rename.ts';
import { denseOf, mask, rank } from './route-views.ts';
import { slots } from './slots.ts';
import { split } from './split.ts';
import { stopGradient } from './stop-gradient.ts';
import { topK } from './top-k.ts';
import { topP } from './top-p.ts';
import { where } from './where.ts';
import { CompilerBug } from '../diagnostics/bug.ts';

export type { PrimitiveName };

export const primitives: readonly Primitive[] = [
  ...unaryPrimitives,
  ...binaryPrimitives,
  clamp,
  where,
  convert,
  ...reductionPrimitives,
  ...alongPrimitives,
  dot,
  rename,
  split,
  merge,
  concat,
  at,
  window,
  part,
  is,
  gather,
  iota,
  zeros,
  ones,
  oneHot,
  ...drawPrimitives,
  topK,
  topP,
  keep,
  pick,
  all,
  limit,
  slots,
  load,
  count,
  normalize,
  mask,
  rank,
  denseOf,
  stopGradient,
];

const byName = new Map(primitives.map((primitive) => [primitive.name, primitive]));

const bySurface = new Map<string, readonly Primitive[]>();
for (const primitive of primitives) {
  for (const name of primitive.surface) bySurface.set(name, [...(bySurface.get(name) ?? []), primitive]);
}

export function primitive(name: PrimitiveName): Primitive {
  const found = byName.get(name);
  if (found === undefined) throw new CompilerBug('check', `the table of primitives lacks ${name}`);
  return found;
}

/**
 * What a name or operator of the language can be: `max` is `max` (with `over:`) or `maximum` (of two), `-` is `neg` or
 * `sub`. Empty if it is no primitive. The checker tells them apart by the arguments that are given.
 */
export function primitivesNamed(surface: string): readonly Primitive[] {
  return bySurface.get(surface) ?? [];
}

/** Every name a program may not declare: the names of primitives that are written as names. */
export const predefinedNames: readonly string[] = [...bySurface.keys()].filter((name) => /^[a-z]/.test(name));
