/** What an executor gives, under the names and in the shapes `moec run` writes (execution.ts). */
import { at, noNumber } from '../../../dsl/diagnostics/invariants.ts';
import type { ElementType } from '../../../dsl/types/program.ts';
import type { InterpretedValue } from '../../../dsl/interpret/interpret-entry.ts';
import type { ResultSpec } from '../../../runtime/contract/manifest.ts';
import { forEachRanked, rankedTargets } from '../../../runtime/contract/routes.ts';
import type { ResultValue } from '../../../runtime/contract/results.ts';
import { elementCount, evaluateShape } from '../../../runtime/contract/sizes.ts';
import type { NamedTensor, Prepared } from './execution.ts';

/** How many points of one source a route result has at most, by the result's name. */
export function maxOf(prepared: Prepared, sizes: ReadonlyMap<string, number>): (name: string) => number {
  const results = at(prepared.manifest.entries, 0, 'cli: entry').full.results;
  const specs = new Map(results.filter((r) => r.group === 'result' || r.group === 'output').map((r) => [r.name, r]));
  return (name) => {
    const spec = specs.get(name);
    return spec?.kind === 'route' ? (evaluateShape([{ name, size: spec.most }], sizes)[0] ?? noNumber()) : 0;
  };
}

/** What a result is called beside all others of a run: `loss.PATH`, `state.PATH`, results and outputs by their own name. */
export function shownName({ group, name }: Pick<ResultSpec, 'group' | 'name'>): string {
  return group === 'loss' ? `loss.${name}` : group === 'update' ? `state.${name}` : name;
}

/** A value of the reference interpreter; `most` gives the bound of a route. */
export function addInterpreted(
  out: Map<string, NamedTensor>,
  name: string,
  value: InterpretedValue,
  maxPresentOf: (name: string) => number,
): void {
  if (value.kind === 'tensor') {
    out.set(name, {
      element: value.element,
      shape: value.axes.map((a) => a.size),
      data: cast(value.element, value.data),
    });
    return;
  }
  const { element, present, rank, weight } = value;
  const shape = (axes: readonly { readonly size: number }[]): number[] => axes.map((a) => a.size);
  const [sources, targets, payload] = [shape(value.sources), shape(value.targets), shape(value.payload)];
  const counts = { sources: elementCount(sources), targets: elementCount(targets), maxPresent: maxPresentOf(name) };
  const indices = rankedTargets(name, present, rank, counts);
  const width = elementCount(payload);
  const weights = new Float64Array(indices.length * width);
  forEachRanked(indices, counts, (point, position) => {
    for (let i = 0; i < width; i++) weights[position * width + i] = weight[point * width + i] ?? noNumber();
  });
  addRoute(out, name, {
    sources,
    targets,
    payload,
    maxPresent: counts.maxPresent,
    element,
    present,
    weight,
    indices,
    weights,
  });
}

/** A value as the runtime has it, of a device or of the kernels on the CPU. */
export function addValue(out: Map<string, NamedTensor>, name: string, value: ResultValue): void {
  if (value.kind === 'tensor') {
    out.set(name, { element: value.element, shape: value.shape, data: value.data });
    return;
  }
  const { present, weight, indices, weights } = value;
  const sources = indices.shape.length - 1;
  addRoute(out, name, {
    sources: present.shape.slice(0, sources),
    targets: present.shape.slice(sources),
    payload: weight.shape.slice(present.shape.length),
    maxPresent: indices.shape[sources] ?? noNumber(),
    element: weight.element,
    present: present.data,
    weight: weight.data,
    indices: indices.data,
    weights: weights.data,
  });
}

interface RouteNumbers {
  /** Of the weights. */
  readonly element: ElementType;
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  readonly payload: readonly number[];
  readonly maxPresent: number;
  /** Over sources and targets; `weight` over the payload too. */
  readonly present: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
  /** In order of rank, over sources; `weights` over the payload too. */
  readonly indices: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** A route as a dense tensor, 0 where it is absent, and as lists. */
function addRoute(out: Map<string, NamedTensor>, name: string, route: RouteNumbers): void {
  const { sources, targets, payload, maxPresent, element, present, weight, indices, weights } = route;
  const width = elementCount(payload);
  const dense = Float64Array.from(weight, (n, i) => (present[Math.floor(i / width)] === 0 ? 0 : n));
  out.set(name, { element, shape: [...sources, ...targets, ...payload], data: cast(element, dense) });
  out.set(`${name}.indices`, { element: 'i32', shape: [...sources, maxPresent], data: Int32Array.from(indices) });
  out.set(`${name}.weights`, { element, shape: [...sources, maxPresent, ...payload], data: cast(element, weights) });
}

function cast(element: ElementType, data: ArrayLike<number>): NamedTensor['data'] {
  return element === 'i32'
    ? Int32Array.from(data)
    : element === 'bool'
      ? Uint8Array.from(data)
      : Float32Array.from(data);
}
