/** What an executor gives, under the names and in the shapes `moec run` writes (execution.ts). */
import { at, noNumber } from '../../../dsl/diagnostics/invariants.ts';
import type { ElementType } from '../../../dsl/types/program.ts';
import type { InterpretedValue } from '../../../dsl/interpret/interpret-entry.ts';
import { RunError } from '../../../runtime/contract/errors.ts';
import type { ResultValue } from '../../../runtime/running/results.ts';
import { evaluateShape } from '../../../runtime/contract/sizes.ts';
import type { SimulatedResult } from '../../schedule/executing/simulate.ts';
import type { ExecuteRequest, NamedTensor, Prepared } from './execution.ts';

/** How many points of one source a route result has at most, by the result's name. */
export function maxOf(prepared: Prepared, sizes: ReadonlyMap<string, number>): (name: string) => number {
  const results = at(prepared.manifest.entries, 0, 'cli: entry').full.results;
  const specs = new Map(results.filter((r) => r.group === 'result' || r.group === 'output').map((r) => [r.name, r]));
  return (name) => {
    const spec = specs.get(name);
    return spec?.kind === 'route' ? (evaluateShape([{ name, size: spec.most }], sizes)[0] ?? noNumber()) : 0;
  };
}

export function addInterpreted(
  out: Map<string, NamedTensor>,
  name: string,
  value: InterpretedValue,
  most: (name: string) => number,
): void {
  if (value.kind === 'tensor') {
    out.set(name, {
      element: value.element,
      shape: value.axes.map((a) => a.size),
      data: cast(value.element, value.data),
    });
    return;
  }
  const shape = (axes: readonly { readonly size: number }[]): number[] => axes.map((a) => a.size);
  addRoute(out, name, {
    sources: shape(value.sources),
    targets: shape(value.targets),
    payload: shape(value.payload),
    element: value.element,
    most: most(name),
    present: value.present,
    rank: value.rank,
    weight: value.weight,
  });
}

interface RouteNumbers {
  /** Of the weights. */
  readonly element: ElementType;
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  readonly payload: readonly number[];
  readonly most: number;
  readonly present: ArrayLike<number>;
  readonly rank: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function addRoute(out: Map<string, NamedTensor>, name: string, route: RouteNumbers): void {
  const { sources, targets, payload, element, most, present, rank, weight } = route;
  const [s, x, y] = [product(sources), product(targets), product(payload)];
  const dense = new Float64Array(s * x * y);
  const indices = new Int32Array(s * most).fill(-1);
  const weights = new Float64Array(s * most * y);
  for (let source = 0; source < s; source++) {
    const chosen: number[] = [];
    for (let t = 0; t < x; t++) {
      const at = source * x + t;
      if ((present[at] ?? noNumber()) === 0) continue;
      chosen.push(t);
      for (let p = 0; p < y; p++) dense[at * y + p] = weight[at * y + p] ?? noNumber();
    }
    chosen.sort((a, b) => (rank[source * x + a] ?? noNumber()) - (rank[source * x + b] ?? noNumber()) || a - b);
    if (chosen.length > most) {
      const told = `the route ${name} has ${chosen.length} present points where ${most} are the most`;
      throw new RunError('MOE0700', told, name, new Map());
    }
    chosen.forEach((t, k) => {
      indices[source * most + k] = t;
      for (let p = 0; p < y; p++) weights[(source * most + k) * y + p] = weight[(source * x + t) * y + p] ?? noNumber();
    });
  }
  out.set(name, { element, shape: [...sources, ...targets, ...payload], data: cast(element, dense) });
  out.set(`${name}.indices`, { element: 'i32', shape: [...sources, most], data: indices });
  out.set(`${name}.weights`, { element, shape: [...sources, most, ...payload], data: cast(element, weights) });
}

function cast(element: ElementType, data: ArrayLike<number>): NamedTensor['data'] {
  return element === 'i32'
    ? Int32Array.from(data)
    : element === 'bool'
      ? Uint8Array.from(data)
      : Float32Array.from(data);
}

export function addSimulated(
  out: Map<string, NamedTensor>,
  name: string,
  value: SimulatedResult,
  request: ExecuteRequest,
  most: (name: string) => number,
  sources: number,
): void {
  const { want } = request;
  if (value.group === 'loss' && !want.losses) return;
  if (value.group === 'output' && !want.outputs) return;
  if (value.group === 'update' && want.updates !== true) return;
  if (value.kind === 'tensor') {
    const { element, shape } = value;
    out.set(name, { element, shape, data: cast(element, value.data) });
    return;
  }
  const rankAxes = value.present.shape.length;
  addRoute(out, name, {
    sources: value.present.shape.slice(0, sources),
    targets: value.present.shape.slice(sources),
    payload: value.weight.shape.slice(rankAxes),
    element: value.weight.element,
    most: most(name),
    present: value.present.data,
    rank: value.rank.data,
    weight: value.weight.data,
  });
}

export function addValue(out: Map<string, NamedTensor>, name: string, value: ResultValue): void {
  if (value.kind === 'tensor') {
    out.set(name, { element: value.element, shape: value.shape, data: value.data });
    return;
  }
  const { present, rank, weight, indices } = value;
  const sources = indices.shape.length - 1;
  addRoute(out, name, {
    sources: present.shape.slice(0, sources),
    targets: present.shape.slice(sources),
    payload: weight.shape.slice(present.shape.length),
    element: weight.element,
    most: indices.shape[sources] ?? noNumber(),
    present: present.data,
    rank: rank.data,
    weight: weight.data,
  });
}
