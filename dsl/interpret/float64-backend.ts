/**
 * The reference interpreter: the backend in float64. Dense mathematics over what is present, by definition: no kernels,
 * no layouts, no work saved. What everything else must agree with.
 *
 * - Values at absent points never influence a result. With `poison` they are NaN, and results must be the same.
 * - Errors count only where they are needed: they travel with values (deferred-errors.ts), and `demand` reports those that are
 *   left on a result, update or loss. So the driver calls `demand` for each of these, and for nothing else.
 * - Draws are functions of the seed, place and indices (dsl/primitives/draw-hash.ts).
 */
import { missing, noNumber } from '../diagnostics/invariants.ts';
import type { EvaluationContext } from '../primitives/primitive.ts';
import type { F64Call, F64Operand } from '../tensors/operand.ts';
import { boundsOfJoin } from '../tensors/route-bounds.ts';
import { sumInOrder } from '../tensors/sum-order.ts';
import { primitive } from '../primitives/primitive-table.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { ElementType } from '../types/program.ts';
import type { Backend, ExternCall, Variable } from '../meaning/backend.ts';
import type { Axis } from '../types/axis.ts';
import { TooMuch } from '../types/expansion-limits.ts';
import { asInteger, asNumber, formatSize, type Size } from '../types/size.ts';
import { embedded, stacked, united } from './parts.ts';
import { allPresent, axesOf } from '../tensors/pointwise.ts';
import { choicesInTurn, dependencies, hasPoints, reindexings } from './dependencies.ts';
import {
  ofWeights,
  project,
  reported,
  singlePoint,
  whereAllPresent,
  type Deferred,
  type RunProblem,
} from '../tensors/deferred-errors.ts';
import { renamed } from '../tensors/reindex.ts';
import { axesOfRoute, makeRoute, weightsOf, type F64Route } from '../tensors/route.ts';
import { requireAt } from './required.ts';
import { inStorageOrder, readVariable } from './variables.ts';
import {
  countPoints,
  keepAs,
  makeTensor,
  offsets,
  pointAt,
  spread,
  take,
  unite,
  without,
  type F64Tensor,
} from '../tensors/tensor.ts';

/**
 * A call of an extern for one instance. Results are over [carried, own axes]; so are arguments, but one that does not vary with any
 * carried axis is over its own alone. The reference asks for every point, needed or not.
 */
export interface ExternRun {
  readonly name: string;
  readonly role: 'expert' | 'fn';
  /** Index along each axis of the family. */
  readonly instance: readonly number[];
  readonly family: readonly Axis[];
  readonly carried: readonly Axis[];
  readonly args: readonly (ExternTensor & { readonly name: string; readonly data: Float64Array })[];
  readonly results: readonly ExternTensor[];
  /** Every axis its type mentions. */
  readonly mentions: readonly Axis[];
  /** Of the call. */
  readonly span: Span;
}

export interface ExternTensor {
  readonly element: ElementType;
  /** The carried axes it has, all or none of an expert's, then its own. */
  readonly axes: readonly Axis[];
  /** The axis that integers are points of; null: they are numbers. */
  readonly within: Axis | null;
}

export interface Float64Options {
  /** The numbers of a variable, row-major over its family's root axes and then its declared axes; null if it is not given. */
  readonly variables: (variable: Variable) => Float64Array | null;
  readonly seed: number;
  readonly extern?: (run: ExternRun) => readonly Float64Array[];
  /** Told by `demand` of each error that a demanded value depends on. */
  readonly onProblem: (problem: RunProblem) => void;
  /** Assignments that a `limit` or `slots` dropped (not if none were). */
  readonly onDropped?: (drop: { readonly span: Span; readonly seedKey: string; readonly count: number }) => void;
  /** Puts NaN at absent points, which must not change anything. */
  readonly poison?: boolean;
}

export interface Float64Backend extends Backend<F64Tensor, F64Route> {
  /** Says that a result, update or loss needs this value everywhere: reports the errors it depends on. */
  demand(operand: F64Operand): void;
  /** The errors a value depends on, without reporting them. */
  problemsOf(operand: F64Operand): readonly RunProblem[];
}

export function float64Backend(options: Float64Options): Float64Backend {
  const absent = options.poison === true ? NaN : 0;
  return {
    axesOf: (tensor) => tensor.axes,
    elementOf: (tensor) => tensor.element,
    supportOf: (route) => route.support,
    payloadOf: (route) => route.payload,
    scalar(value, element) {
      return makeTensor(
        element,
        [],
        Float64Array.of(keepAs(element, typeof value === 'boolean' ? Number(value) : known(value))),
      );
    },
    variable(variable, selection, defaultValue) {
      const values =
        options.variables(variable) ?? (defaultValue === null ? null : inStorageOrder(variable, defaultValue));
      return readVariable(variable, values, selection);
    },
    // Orientation says what `@` and `normalize` run over, and there calls name the axes: nothing to keep here.
    orient: (route) => route,
    primitive: (call) => runPrimitive(call, options, absent),
    rename: renamed,
    broadcast,
    stack: stacked,
    unite: united,
    embed(route, part, axis, offset) {
      const start = asInteger(offset);
      if (start === null) throw new CompilerBug('interpret', 'the offset of a part is not bound');
      return embedded(route, part, axis, start, absent);
    },
    weights: weightsOf,
    present: (routes, value) => presentWhere(routes, value, absent),
    meanPresent,
    requires: requireAt,
    extern: (call) => runExtern(call, options),
    same: sameNumbers,
    demand(operand) {
      if (hasPoints(axesOf(operand)))
        for (const problem of reported(operand.value.problems)) options.onProblem(problem);
    },
    problemsOf: (operand) => reported(operand.value.problems),
  };
}

/** Equal at every point of the union of their axes. */
function sameNumbers(a: F64Tensor, b: F64Tensor): boolean {
  const axes = unite(a.axes, b.axes);
  const [left, right] = [spread(a, axes).data, spread(b, axes).data];
  return left.every((value, i) => Object.is(value, right[i] ?? noNumber()));
}

function known(size: Size): number {
  const number = asNumber(size);
  if (number === null) throw new CompilerBug('interpret', `the number ${formatSize(size)} is not bound`);
  return number;
}

// ---------------------------------------------------------------------------------------------------------------
// Primitives, and what their results depend on

/** How many wrong points of one call are told apart; the others are one problem together. */
const toldApart = 64;

function runPrimitive(call: F64Call, options: Float64Options, absent: number): F64Operand {
  const found: Deferred[] = [];
  const evaluation: EvaluationContext = {
    seed: options.seed,
    absent,
    problem(code, message, axes, point) {
      const where = axes.map((axis, i) => ({
        axis: axis.name,
        index: point[i] ?? missing('interpret: index of a point', i),
      }));
      const deferred = singlePoint({ code, message, span: call.span, point: where }, axes, point);
      const last = found[toldApart];
      if (last === undefined) found.push(deferred);
      else found[toldApart] = { ...last, at: last.at.map((wrong, i) => wrong | (deferred.at[i] ?? noNumber())) };
    },
    dropped(count) {
      if (count > 0) options.onDropped?.({ span: call.span, seedKey: call.seedKey, count });
    },
  };
  const result = atSpan(call.span, () => primitive(call.name).evaluate(call, evaluation));
  // A re-indexing has moved its operand's problems along itself: they are on the result already.
  const problems = reindexings.has(call.name) ? result.value.problems : dependencies(call, result, found);
  if (result.kind === 'tensor') return { kind: 'tensor', value: { ...result.value, problems } };
  return { kind: 'route', value: { ...result.value, problems } };
}

/** What is too much for the interpreter is too much at the place of the call. */
function atSpan<T>(span: Span, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TooMuch) || error.diagnostic.span !== undefined) throw error;
    throw new TooMuch({ ...error.diagnostic, span });
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Values under calls

function broadcast(operand: F64Operand, axes: readonly Axis[], inPayload: readonly Axis[] = []): F64Operand {
  const missing = without(axes, axesOf(operand));
  if (missing.length === 0) return operand;
  if (operand.kind === 'tensor') {
    return { kind: 'tensor', value: spread(operand.value, [...missing, ...operand.value.axes]) };
  }
  const route = operand.value;
  const more = without(missing, inPayload);
  const support = [...more, ...route.support];
  const payload = [...without(missing, more), ...route.payload];
  const at = offsets(support, route.support);
  return {
    kind: 'route',
    value: makeRoute({
      ...route,
      support,
      payload,
      present: Uint8Array.from(at, (i) => route.present[i] ?? noNumber()),
      rank: Int32Array.from(at, (i) => route.rank[i] ?? noNumber()),
      weight: take(route.weight, offsets([...support, ...payload], axesOfRoute(route))),
      facts: route.facts.map((fact) => ({ per: [...more, ...fact.per], atMost: fact.atMost })),
    }),
  };
}

function presentWhere(routes: readonly F64Route[], value: F64Tensor, absent: number): F64Route {
  const [first, ...others] = routes;
  if (first === undefined) throw new CompilerBug('interpret', 'a lifted call without a route');
  const support = unite(...routes.map((route) => route.support));
  const payload = without(value.axes, support);
  const present = allPresent(routes, support);
  const width = countPoints(payload);
  const weight = spread(value, [...support, ...payload]).data.map((each, i) =>
    present[Math.floor(i / width)] === 1 ? each : absent,
  );
  const ranks = offsets(support, first.support);
  const rank = Int32Array.from(present, (here, i) =>
    here === 1 ? (first.rank[ranks[i] ?? noNumber()] ?? noNumber()) : 0,
  );
  const { facts } = others.reduce(
    (joined, route) => ({ support: unite(joined.support, route.support), facts: boundsOfJoin(joined, route) }),
    { support: first.support, facts: first.facts },
  );
  const problems = [...ofWeights(whereAllPresent(value.problems, routes)), ...choicesInTurn(routes)];
  return makeRoute({ support, payload, present, rank, weight, element: value.element, facts, problems });
}

function meanPresent(value: F64Tensor, over: readonly Axis[], routes: readonly F64Route[]): F64Tensor {
  const all = unite(value.axes, over, ...routes.map((route) => route.support));
  const rest = without(all, over);
  const read = offsets(all, value.axes);
  const write = offsets(all, rest);
  const present: number[][] = Array.from({ length: countPoints(rest) }, () => []);
  allPresent(routes, all).forEach((here, i) => {
    if (here !== 1) return;
    const to = write[i] ?? noNumber();
    (present[to] ?? missing('interpret: mean', to)).push(value.data[read[i] ?? noNumber()] ?? noNumber());
  });
  const problems = [...project(whereAllPresent(value.problems, routes), over), ...project(choicesInTurn(routes), over)];
  const data = Float64Array.from(
    present,
    (terms) => sumInOrder(terms.length, (k) => terms[k] ?? missing('interpret: term', k)) / Math.max(terms.length, 1),
  );
  return makeTensor('f32', rest, data, problems);
}

function runExtern(call: ExternCall<F64Tensor>, options: Float64Options): readonly F64Tensor[] {
  const { extern } = options;
  if (extern === undefined) throw new CompilerBug('interpret', `nobody computes the extern ${call.name}`);
  const carried = without(call.carried, call.family);
  const instances = countPoints(call.family);
  const args = call.args.map(({ name, value, axes, within }) => {
    const has = carried.filter((a) => value.axes.includes(a));
    const own = [...(call.role === 'expert' && has.length > 0 ? carried : has), ...axes];
    const data = spread(value, [...call.family, ...own]).data;
    return { name, element: value.element, within, own, length: countPoints(own), data };
  });
  const results = call.results.map(({ element, axes, within }) => {
    const own = [...carried, ...axes];
    return { element, within, own, length: countPoints(own), data: new Float64Array(instances * countPoints(own)) };
  });
  for (let n = 0; n < instances; n++) {
    const given = extern({
      name: call.name,
      role: call.role,
      instance: pointAt(call.family, n),
      family: call.family,
      carried,
      args: args.map(({ name, element, within, own, length, data }) => ({
        name,
        element,
        within,
        axes: own,
        data: data.slice(n * length, (n + 1) * length),
      })),
      results: results.map(({ element, within, own }) => ({ element, within, axes: own })),
      mentions: call.mentions,
      span: call.span,
    });
    results.forEach(({ element, length, data }, r) => {
      const values = given[r];
      if (values === undefined || values.length !== length) {
        throw new CompilerBug(
          'interpret',
          `the extern ${call.name} gave ${values?.length ?? 'no'} numbers, not ${length}`,
        );
      }
      data.set(
        values.map((value) => keepAs(element, value)),
        n * length,
      );
    });
  }
  const problems = call.args.flatMap(({ value, axes }) => project(value.problems, axes));
  return results.map(({ element, own, data }) => makeTensor(element, [...call.family, ...own], data, problems));
}
