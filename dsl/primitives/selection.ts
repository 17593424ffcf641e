/**
 * What the selections share in typing: scores, keys and conditions may be tensors or routes (of a route only what is
 * present competes), their axes are united, those named by `over:` become the targets and the rest the batch.
 */
import type { AxisVar, RouteType } from '../types/program.ts';
import { axesOfType, uniteAxes } from '../types/axes.ts';
import { isProblem, type TypeCall, type TypeProblem } from './primitive.ts';
import {
  computable,
  computed,
  conditionArgument,
  format,
  over,
  selected,
  wants,
  type Computable,
} from './operand-typing.ts';

/** Scores: numbers at points; a route that has a payload has more than one number there. */
export function scores(call: TypeCall, name: string, what: string): Computable | TypeProblem {
  const type = computable(call, name);
  if (isProblem(type)) return type;
  const problem = wants(what, type.element, 'number', name);
  if (problem !== null) return problem;
  if (type.kind === 'tensor' || type.payload.length === 0) return type;
  return {
    code: 'MOE0438',
    message: `${format(call, type)} has a payload: ${what} wants one number at each point`,
    at: name,
    help: 'reduce the payload first, for instance with dot or sum',
  };
}

/** The type of a selection of the scores in `main`, with further operands; conditions are given by name. */
export function selection(
  call: TypeCall,
  what: string,
  main: string,
  others: readonly string[] = [],
  conditions: readonly string[] = [],
):
  | {
      readonly type: RouteType;
      readonly axes: ReadonlyMap<string, readonly AxisVar[]>;
      readonly rest: readonly AxisVar[];
    }
  | TypeProblem {
  const first = scores(call, main, what);
  if (isProblem(first)) return first;
  let axes = axesOfType(first);
  for (const name of others) {
    if (!call.args.has(name)) continue;
    const type = scores(call, name, what);
    if (isProblem(type)) return type;
    axes = uniteAxes(axes, axesOfType(type));
  }
  for (const name of conditions) {
    if (!call.args.has(name)) continue;
    const type = conditionArgument(call, name);
    if (isProblem(type)) return type;
    axes = uniteAxes(axes, type.axes);
  }
  const whole: Computable =
    first.kind === 'route' && axes.length === axesOfType(first).length
      ? first
      : { kind: 'tensor', element: first.element, axes };
  const targets = over(call, what, whole, main);
  if (isProblem(targets)) return targets;
  const result = selected(axes, targets, computed(first.element));
  return { ...result, axes: new Map([['over', targets]]), rest: result.type.sources };
}

/** A number of choices made at run time is a whole number and says how many there can be. */
export function needsAtMost(call: TypeCall, name: string): TypeProblem | null {
  if (!call.args.has(name) || call.attributes.has('at_most')) return null;
  return {
    code: 'MOE0436',
    message: `this ${name} is known only when the model runs`,
    at: name,
    help: 'say how many there can be: at_most: 8',
  };
}
