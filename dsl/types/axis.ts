/**
 * Concrete axes: what the axis names of a program stand for in one elaboration. Identity is the object; two axes of
 * equal size are different. Twins (T') are made once for each axis and number of primes.
 */
import { idOf, type ConcreteAxisId } from './ids.ts';
import { isConstant, type Size } from './size.ts';

export interface Axis {
  /** Unique in an elaboration. */
  readonly id: ConcreteAxisId;
  /** The program's name, with primes: for messages and labels. */
  readonly name: string;
  readonly size: Size;
  /** Decided by each run: the axis is dynamic, or its size depends on one that is. */
  readonly dynamic: boolean;
  /** Names of the points, for `axis S = (a, b)`. */
  readonly points: readonly string[] | null;
  /** For draws: a window counts its points in the axis it was cut from; all others, twins too, have null and count in themselves. */
  readonly root: { readonly axis: Axis; readonly offset: Size } | null;
}

export class AxisFactory {
  #next = 0;
  readonly #twins = new Map<string, Axis>();

  make(
    name: string,
    size: Size,
    more: { dynamic?: boolean; points?: readonly string[] | null; root?: { axis: Axis; offset: Size } | null } = {},
  ): Axis {
    const { dynamic = !isConstant(size), points = null, root = null } = more;
    return { id: idOf(this.#next++), name, size, dynamic, points, root };
  }

  /** The twin of an axis with so many primes; the axis itself for none. */
  twin(axis: Axis, primes: number): Axis {
    if (primes === 0) return axis;
    const key = `${axis.id}:${primes}`;
    let twin = this.#twins.get(key);
    if (twin === undefined) {
      twin = this.make(axis.name + "'".repeat(primes), axis.size, { dynamic: axis.dynamic, points: axis.points });
      this.#twins.set(key, twin);
    }
    return twin;
  }
}
