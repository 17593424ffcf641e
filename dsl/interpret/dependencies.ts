/**
 * What the result of a primitive depends on: the problems of its operands, at the points of the result that read them
 * (SEMANTICS 7.3). Along axes an operation runs over, or that are gone, a point depends on all of them at once;
 * under a route only on what is present; of several routes each is asked only where those before it are present.
 *
 * The compiler finds the same from the other end: which points of a value are needed (compiler/elaborate/needs.ts).
 */
import type { F64Call, F64Operand } from '../tensors/operand.ts';
import { alongNames, binaryNames, reductionNames, unaryNames, type PrimitiveName } from '../types/primitive-names.ts';
import type { Axis } from '../types/axis.ts';
import { axesOf } from '../tensors/pointwise.ts';
import {
  ofAll,
  ofChoice,
  ofWeights,
  project,
  where,
  whereAllPresent,
  type Deferred,
} from '../tensors/deferred-errors.ts';
import type { F64Route } from '../tensors/route.ts';
import { sizeOf } from '../tensors/tensor.ts';

/** Re-indexings move the problems of their operand along themselves. */
export const reindexings: ReadonlySet<PrimitiveName> = new Set([
  'rename',
  'split',
  'merge',
  'at',
  'window',
  'part',
  'stop_gradient',
]);

const pointwiseNames: ReadonlySet<PrimitiveName> = new Set([
  ...unaryNames,
  ...binaryNames,
  'clamp',
  'where',
  'convert',
] as const);

/** Operations that ask a route for its points and ranks alone. */
const ofPoints: ReadonlySet<PrimitiveName> = new Set(['mask', 'rank', 'slots', 'load', 'count']);

/** Operands that give a route its weights and decide nothing about its points. */
const weightsBy: ReadonlyMap<PrimitiveName, string> = new Map([
  ...[...alongNames, ...reductionNames].map((name) => [name, 'x'] as const),
  ['all', 's'],
  ['keep', 'v'],
  ['limit', 'r'],
  ['normalize', 'r'],
  ['pick', 'weights'],
]);

/** Of these, the operations that leave each weight at its point, whatever they do along their axes. */
const keepsPoints: ReadonlySet<PrimitiveName> = new Set(['all', 'keep', 'limit', 'pick', 'top_k']);

/** Operands that are conditions: a route that is not of bools stands for where it is present. */
const conditions: ReadonlyMap<PrimitiveName, string> = new Map([
  ['where', 'condition'],
  ['keep', 'c'],
  ['top_k', 'where'],
  ['top_p', 'where'],
]);

export const hasPoints = (axes: readonly Axis[]): boolean => axes.every((axis) => sizeOf(axis) > 0);

/** The problems of a result: those that its operation found itself, and its operands' as far as it depends on them. */
export function dependencies(call: F64Call, result: F64Operand, found: readonly Deferred[]): readonly Deferred[] {
  // Of no points nothing is needed.
  if (!hasPoints(axesOf(result))) return [];
  const kept = axesOf(result);
  const over = call.name === 'gather' ? (call.axes.get('axis') ?? []) : (call.axes.get('over') ?? []);
  const inherited = [...call.args].flatMap(([name, operand]) => {
    if (operand.value.problems.length === 0 || !hasPoints(axesOf(operand))) return [];
    const problems = whereAsked(call, name, operand, asRead(call, name, operand, result));
    const gone = axesOf(operand).filter((axis) => !kept.includes(axis));
    return problems.flatMap((deferred) => {
      const stays =
        pointwiseNames.has(call.name) ||
        (call.name === 'gather' && name === 'ids') ||
        (deferred.ofWeights && keepsPoints.has(call.name));
      return project([deferred], stays ? gone : [...gone, ...over]);
    });
  });
  const all = [...found, ...inherited];
  if (result.kind === 'tensor') return all;
  return all.flatMap((deferred) => (deferred.ofWeights ? whereAllPresent([deferred], [result.value]) : [deferred]));
}

/** What the points of these routes together depend on: each is asked only where those before it are present. */
export function choicesInTurn(routes: readonly F64Route[]): readonly Deferred[] {
  return routes.flatMap((route, i) => whereAllPresent(ofChoice(route.problems), routes.slice(0, i)));
}

/** An operand's problems, with those of its weights where the result depends on them: on the result's weights, or on all of it. */
function asRead(call: F64Call, name: string, operand: F64Operand, result: F64Operand): readonly Deferred[] {
  const { problems } = operand.value;
  const isCondition = conditions.get(call.name) === name;
  const scored = call.name === 'top_k' && call.args.has('by') ? 's' : weightsBy.get(call.name);
  const isWeight = !isCondition && (pointwiseNames.has(call.name) || scored === name);
  const toWeights = isWeight && result.kind === 'route';
  if (operand.kind === 'tensor') return toWeights ? ofWeights(problems) : problems;
  if (ofPoints.has(call.name) || (isCondition && operand.value.element !== 'bool')) return ofChoice(problems);
  // A route that is looked up stays what it is: weights that nobody asks for are not asked for.
  return toWeights || (call.name === 'gather' && result.kind === 'route') ? problems : ofAll(problems);
}

/** The problems of an operand at the points where the operation looks at it. */
function whereAsked(
  call: F64Call,
  name: string,
  operand: F64Operand,
  problems: readonly Deferred[],
): readonly Deferred[] {
  const routes = [...call.args].flatMap(([each, other]) =>
    // The condition of a choice between values says which of them is meant, not where there is any.
    other.kind === 'route' && !(call.name === 'where' && each === 'condition')
      ? [{ name: each, route: other.value }]
      : [],
  );
  const all = routes.map(({ route }) => route);
  const index = routes.findIndex((each) => each.name === name);
  const before = routes.slice(0, index < 0 ? routes.length : index).map(({ route }) => route);
  const others = routes.filter((each) => each.name !== name).map(({ route }) => route);
  const inTurn = (): readonly Deferred[] =>
    operand.kind === 'tensor'
      ? whereAllPresent(problems, all)
      : problems.flatMap((d) => whereAllPresent([d], d.ofWeights ? others : before));
  switch (call.name) {
    // Beside an index -1 no weight is read.
    case 'pick': {
      const ids = call.args.get('ids');
      if (name !== 'weights' || ids?.kind !== 'tensor') return problems;
      return where(problems, ids.value.axes, (i) => ids.value.data[i] !== -1);
    }
    // Who competes is said by routes.
    case 'top_k':
    case 'top_p':
      return name === 'k' || name === 'p' || name === 'at_most' ? problems : inTurn();
    case 'limit':
    case 'keep':
    case 'dot':
      return inTurn();
    default:
      return pointwiseNames.has(call.name) ? inTurn() : problems;
  }
}
