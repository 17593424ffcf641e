/**
 * Offsets: where the numbers of a tensor stand, row-major, as seen from the points of other axes. All lengths are known
 * here: those of one run.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { asNumber, substitute } from '../../dsl/types/size.ts';
import type { Terms } from './addition-bound.ts';
import type { AxisId, Graph } from './graph-ir.ts';

/** A value and its error bound at every point of the axes, row-major. δ of a bool is 1 where it is undecided. */
export interface NumbersWithBounds {
  readonly axes: readonly AxisId[];
  readonly value: Float64Array;
  readonly delta: Float64Array;
  /** What it adds up, where it is a sum that has no memory. */
  readonly terms?: (() => Terms) | undefined;
}

export class RowMajorOffsets {
  readonly #graph: Graph;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #lengths = new Map<AxisId, number>();

  constructor(graph: Graph, sizes: ReadonlyMap<string, number>) {
    this.#graph = graph;
    this.#sizes = sizes;
  }

  length(axis: AxisId): number {
    const known = this.#lengths.get(axis);
    if (known !== undefined) return known;
    const size = this.#graph.axes.get(axis)?.size;
    const n = size === undefined ? null : asNumber(substitute(size, this.#sizes));
    if (n === null) throw new CompilerBug('graph', `axis ${axis} has no size`);
    this.#lengths.set(axis, n);
    return n;
  }

  /** How many points some axes have. */
  count(axes: readonly AxisId[]): number {
    return axes.reduce((n, a) => n * this.length(a), 1);
  }

  /** For every point of `loop`, the place in a tensor over `axes` (axes that `loop` lacks stand at 0, as does `still`). */
  of(loop: readonly AxisId[], axes: readonly AxisId[], still: AxisId | null = null): Int32Array {
    const strides = axes.map((_, i) => this.count(axes.slice(i + 1)));
    const steps = loop.map((a) => {
      const i = a === still ? -1 : axes.indexOf(a);
      return i < 0 ? 0 : (strides[i] ?? noNumber());
    });
    const lengths = loop.map((a) => this.length(a));
    const out = new Int32Array(this.count(loop));
    const at = loop.map(() => 0);
    let offset = 0;
    for (let p = 0; p < out.length; p++) {
      out[p] = offset;
      for (let i = loop.length - 1; i >= 0; i--) {
        offset += steps[i] ?? noNumber();
        const next = (at[i] ?? noNumber()) + 1;
        if (next < (lengths[i] ?? noNumber())) {
          at[i] = next;
          break;
        }
        offset -= (steps[i] ?? noNumber()) * (lengths[i] ?? noNumber());
        at[i] = 0;
      }
    }
    return out;
  }

  /** The numbers of a tensor over `from` in the order of `to`: the same axes. */
  permuted(data: Float64Array, from: readonly AxisId[], to: readonly AxisId[]): Float64Array {
    const offsets = this.of(to, from);
    return Float64Array.from(offsets, (p) => data[p] ?? noNumber());
  }

  /** Offsets in a tensor over `axes` whose points are addressed by `names` (same positions), for points of `loop`. */
  named(loop: readonly AxisId[], names: readonly AxisId[], axes: readonly AxisId[], byLoop = false): Int32Array {
    const own = byLoop ? axes : names;
    const strides = axes.map((_, i) => this.count(axes.slice(i + 1)));
    const steps = loop.map((a, i) => {
      const at = own.indexOf(byLoop ? (names[i] ?? a) : a);
      return at < 0 ? 0 : (strides[at] ?? noNumber());
    });
    const out = new Int32Array(this.count(loop));
    const lengths = loop.map((a) => this.length(a));
    for (let p = 0; p < out.length; p++) {
      let rest = p;
      let offset = 0;
      for (let i = loop.length - 1; i >= 0; i--) {
        const n = lengths[i] ?? noNumber();
        offset += (rest % n) * (steps[i] ?? noNumber());
        rest = Math.floor(rest / n);
      }
      out[p] = offset;
    }
    return out;
  }
}
