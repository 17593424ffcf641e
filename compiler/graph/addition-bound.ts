/**
 * Additions in one another: `a + b + c` where no part has memory. WGSL lets a driver add them up in any order (section 15.7.3, on
 * reassociation), and drivers do, so as to add constants first; then `(a + b) + 1` is `(a + 1) + b`, which rounds elsewhere. Whatever
 * the order, n additions of terms t err by at most n roundings of Σ |t| and by what the terms bring (Higham 2002, section 4.2).
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { LARGEST } from './infinity.ts';
import type { Node } from './graph-ir.ts';
import { u } from './scalar-bound.ts';

/** The terms of a sum at each point. */
export interface Terms {
  /** What they come to without their signs. */
  readonly sizes: Float64Array;
  /** The sum of their bounds. */
  readonly errors: Float64Array;
  readonly additions: number;
}

/** An operand of an addition; `terms` where it is one itself. */
export interface Addend {
  readonly values: Float64Array;
  readonly bounds: Float64Array;
  readonly terms: (() => Terms) | undefined;
}

/** Whether a map adds in f32. Other elements are rounded by their bits, or wrap and come to the same. */
function adds(node: Node & { kind: 'map' }): boolean {
  return node.element === 'f32' && (node.op === 'add' || node.op === 'sub' || node.op === 'neg');
}

/** What a map of these operands adds up, when somebody asks; undefined: it is no sum. `at` is where an operand has a point's number. */
export function termsOf(
  node: Node & { kind: 'map' },
  operands: readonly Addend[],
  count: number,
  at: (operand: number, point: number) => number,
): (() => Terms) | undefined {
  if (!adds(node)) return undefined;
  let known: Terms | null = null;
  return () => (known ??= addedUp(operands, count, at));
}

function addedUp(operands: readonly Addend[], count: number, at: (operand: number, point: number) => number): Terms {
  const [sizes, errors] = [new Float64Array(count), new Float64Array(count)];
  let additions = operands.length - 1;
  operands.forEach(({ values, bounds, terms }, k) => {
    const inner = terms?.();
    additions += inner?.additions ?? 0;
    for (let i = 0; i < count; i++) {
      const p = at(k, i);
      sizes[i] = (sizes[i] ?? noNumber()) + Math.abs((inner?.sizes ?? values)[p] ?? noNumber());
      errors[i] = (errors[i] ?? noNumber()) + ((inner?.errors ?? bounds)[p] ?? noNumber());
    }
  });
  return { sizes, errors, additions };
}

/** Widens the bounds of a map whose operands are sums themselves to what any order of the additions may give. */
export function inAnyOrder(
  operands: readonly Addend[],
  terms: (() => Terms) | undefined,
  values: Float64Array,
  bounds: Float64Array,
): void {
  if (terms === undefined || operands.every((o) => o.terms === undefined)) return;
  const { sizes, errors, additions } = terms();
  if (additions < 2) return;
  for (let i = 0; i < bounds.length; i++) {
    const size = sizes[i] ?? noNumber();
    // What is infinite or NaN is so in every order.
    if (!Number.isFinite(values[i] ?? noNumber()) || !Number.isFinite(size)) continue;
    const any = size > LARGEST ? Infinity : (errors[i] ?? noNumber()) + additions * u * size;
    bounds[i] = Math.max(bounds[i] ?? noNumber(), any);
  }
}

/** The terms of a value that has others' numbers: point i has those at `offsets[i]`. */
export function termsAt({ sizes, errors, additions }: Terms, offsets: Int32Array): Terms {
  const at = (data: Float64Array): Float64Array => Float64Array.from(offsets, (p) => data[p] ?? noNumber());
  return { sizes: at(sizes), errors: at(errors), additions };
}
