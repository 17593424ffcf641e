/**
 * Errors by need. An error counts only at a point that something the run was asked for needs (SEMANTICS 7.2), but the
 * interpreter computes whole tensors. So an error found at a point of a value is not reported: it is kept with the
 * value as a *deferred* problem, the set of points that depend on it, and moves along with what is computed from the
 * value: a reduction depends on all it reads, a contraction with a route only on what is present, a lifted call only
 * on its present points. What is left on a value when it is demanded is reported.
 *
 * A route tells two kinds apart: what its weights are made of, and what decides where it is present and in which order. Who asks a
 * route for its points alone (`mask`, `count`, a lifted call) does not need its weights.
 *
 * The sets may be too large (an index into a table that holds an error counts for the whole table), never too small.
 */
import { missing, noNumber, at } from '../diagnostics/invariants.ts';
import { compareByText, compareTexts, type Code, type Span } from '../diagnostics/diagnostic.ts';
import type { Axis } from '../types/axis.ts';
import type { F64Route } from './route.ts';
import { countPoints, offsets, unite, without } from './tensor.ts';

/** An error of a run, with the first point at which it showed. */
export interface RunProblem {
  readonly code: Code;
  readonly message: string;
  readonly span: Span;
  readonly point: readonly { readonly axis: string; readonly index: number }[];
}

export interface Deferred {
  readonly problem: RunProblem;
  readonly axes: readonly Axis[];
  /** 1 at the points of `axes` (row-major) that are wrong; not all 0. */
  readonly at: Uint8Array;
  /** On a route: its weights depend on them, its points and ranks do not. */
  readonly ofWeights: boolean;
}

/** The set of one point. */
export function singlePoint(problem: RunProblem, axes: readonly Axis[], point: readonly number[]): Deferred {
  const at = new Uint8Array(countPoints(axes));
  const n = axes.reduce(
    (sum, axis, i) => sum * countPoints([axis]) + (point[i] ?? missing('tensors: index of a point', i)),
    0,
  );
  at[n] = 1;
  return { problem, axes, at, ofWeights: false };
}

/** What becomes the weights of a route that is chosen by something else. */
export function ofWeights(problems: readonly Deferred[]): readonly Deferred[] {
  return problems.map((deferred) => ({ ...deferred, ofWeights: true }));
}

/** What the points and ranks of a route depend on. */
export function ofChoice(problems: readonly Deferred[]): readonly Deferred[] {
  return problems.filter((deferred) => !deferred.ofWeights);
}

/** What a value depends on that reads the weights of a route too. */
export function ofAll(problems: readonly Deferred[]): readonly Deferred[] {
  return problems.map((deferred) => (deferred.ofWeights ? { ...deferred, ofWeights: false } : deferred));
}

/** What depends on all points along `gone` at once. */
export function project(problems: readonly Deferred[], gone: readonly Axis[]): readonly Deferred[] {
  return problems.map((deferred) => {
    const axes = without(deferred.axes, gone);
    if (axes.length === deferred.axes.length) return deferred;
    const to = offsets(deferred.axes, axes);
    const at = new Uint8Array(countPoints(axes));
    deferred.at.forEach((wrong, i) => {
      if (wrong === 1) at[to[i] ?? noNumber()] = 1;
    });
    return { ...deferred, axes, at };
  });
}

/** What is read only where all these routes are present; sets that become empty are gone. */
export function whereAllPresent(problems: readonly Deferred[], routes: readonly F64Route[]): readonly Deferred[] {
  if (problems.length === 0 || routes.length === 0) return problems;
  return problems.flatMap((deferred) => {
    const axes = unite(deferred.axes, ...routes.map((route) => route.support));
    const own = offsets(axes, deferred.axes);
    const ofRoutes = routes.map((route) => offsets(axes, route.support));
    const at = new Uint8Array(countPoints(axes));
    let any = false;
    for (let i = 0; i < at.length; i++) {
      if (deferred.at[own[i] ?? noNumber()] !== 1) continue;
      if (
        !routes.every((route, r) => route.present[(ofRoutes[r] ?? missing('tensors: route', r))[i] ?? noNumber()] === 1)
      )
        continue;
      at[i] = 1;
      any = true;
    }
    return any ? [{ ...deferred, axes, at }] : [];
  });
}

/** What is read only at these points of some axes; sets that become empty are gone. */
export function where(
  problems: readonly Deferred[],
  over: readonly Axis[],
  isRead: (point: number) => boolean,
): readonly Deferred[] {
  return problems.flatMap((deferred) => {
    const axes = unite(deferred.axes, over);
    const [own, read] = [offsets(axes, deferred.axes), offsets(axes, over)];
    const at = Uint8Array.from(own, (from, i) => (deferred.at[from] === 1 && isRead(read[i] ?? noNumber()) ? 1 : 0));
    return at.includes(1) ? [{ ...deferred, axes, at }] : [];
  });
}

/**
 * What to report of a value that is needed everywhere: each problem once, at the first of its points. Points are ordered by the
 * names of their axes, since in what order axes are stored nobody wrote.
 */
export function reported(problems: readonly Deferred[]): readonly RunProblem[] {
  const first = new Map<string, RunProblem>();
  for (const { problem } of problems) {
    const key = `${problem.code}:${problem.span.start}:${problem.span.source}`;
    const named = { ...problem, point: [...problem.point].sort((a, b) => compareTexts(a.axis, b.axis)) };
    const known = first.get(key);
    if (known === undefined || isBefore(named, known)) first.set(key, named);
  }
  return [...first.values()];
}

function isBefore(a: RunProblem, b: RunProblem): boolean {
  const differs = a.point.findIndex(({ index }, i) => index !== b.point[i]?.index);
  // Of two calls one may have fewer axes: where there is none stands the first point.
  return differs >= 0 && at(a.point, differs, 'interpret: index of a problem').index < (b.point[differs]?.index ?? 0);
}

/** In the order of the text, which is the order in which a run tells them. */
export function inOrderOfText(problems: readonly RunProblem[]): readonly RunProblem[] {
  return [...problems].sort(compareByText);
}
