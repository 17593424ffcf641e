/**
 * Queues of a route along `over` (sources): for each point of the rest of the support, that is for each target and
 * remaining source, the present points along `over`, sorted by keys (lexicographically, ascending, NaN before
 * everything), then by position, row-major in the order written.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { ascending } from './ascending.ts';
import type { F64Operand } from './operand.ts';
import type { Axis } from '../types/axis.ts';
import { allPresent, axesOf } from './pointwise.ts';
import type { F64Route } from './route.ts';
import { offsets, take, unite, without } from './tensor.ts';

export interface Queues {
  /** The axes everything below is laid out over: rest, then `over`. */
  readonly axes: readonly Axis[];
  readonly rest: readonly Axis[];
  /** For each point of the rest the points of `axes` in its queue, first to last. */
  readonly lines: readonly (readonly number[])[];
  /** Points in a queue with a key that is not a number. */
  readonly notANumber: readonly number[];
}

/** Where a key is a route, only points at which it is present stand in a queue. */
export function queues(route: F64Route, over: readonly Axis[], keys: readonly F64Operand[]): Queues {
  const rest = without(unite(route.support, ...keys.map(axesOf)), over);
  const axes = [...rest, ...over];
  const routes = [route, ...keys.flatMap((key) => (key.kind === 'route' ? [key.value] : []))];
  const present = allPresent(routes, axes);
  const numbers = keys.map((key) => {
    const data = key.kind === 'tensor' ? key.value.data : key.value.weight;
    return take(data, offsets(axes, axesOf(key)));
  });
  const width = offsets(over, over).length;
  const notANumber: number[] = [];
  const lines = Array.from({ length: offsets(rest, rest).length }, (_, g) => {
    const line: number[] = [];
    for (let i = g * width; i < (g + 1) * width; i++) if (present[i] === 1) line.push(i);
    notANumber.push(...line.filter((point) => numbers.some((key) => Number.isNaN(key[point] ?? noNumber()))));
    return line.sort((a, b) => {
      for (const key of numbers) {
        const order = ascending(key[a] ?? noNumber(), key[b] ?? noNumber());
        if (order !== 0) return order;
      }
      return a - b;
    });
  });
  return { axes, rest, lines, notANumber };
}
