/**
 * Elementwise primitives: a map over the union of the operands' axes; of routes, a map of their weights at the points
 * where all of them are present. `and`, `or`, `not` read a route as a condition and give dense bools; the sum of two
 * routes is present where either is.
 */
import { binaryNames, unaryNames, type BinaryName, type UnaryName } from '../../../dsl/types/primitive-names.ts';
import { boundOf, tidyBounds, uniteBounds } from '../../graph/presence-bounds.ts';
import { boundsBehindBoth } from '../../graph/shared-bounds.ts';
import type { MapOp, NodeId } from '../../graph/graph-ir.ts';
import {
  eachOf,
  minus,
  supportAxes,
  union,
  type GraphCall,
  type GraphOperand,
  type GraphRoute,
  type OpLowering,
  type LoweringContext,
} from '../lowering-context.ts';

/** A map of operands: dense if all are, else present where all routes among them are, ranked as the first of them. */
export function pointwise(
  cx: LoweringContext,
  op: MapOp,
  operands: readonly GraphOperand[],
  call: GraphCall,
): GraphOperand {
  const value = cx.b.map(op, operands.map((o) => cx.numbers(o)), call.element); // prettier-ignore
  return present(cx, operands, value);
}

/** A value that was computed from these operands: present where the routes among them are. */
export function present(cx: LoweringContext, operands: readonly GraphOperand[], value: NodeId): GraphOperand {
  const routes = operands.flatMap((o) => (o.kind === 'route' ? [o.value] : []));
  const [first] = routes;
  if (first === undefined) return cx.dense(value);
  const joined = cx.join(routes);
  const payload = minus(cx.axesOf(value), supportAxes(joined));
  return { kind: 'route', value: { ...joined, weight: value, rank: first.rank, payload } };
}

function unary(name: UnaryName): OpLowering {
  return (call, cx) => {
    const x = cx.operand(call, 'x');
    if (name === 'not') return cx.dense(cx.b.map('not', [cx.condition(x)]));
    return pointwise(cx, name, [x], call);
  };
}

function binary(name: BinaryName): OpLowering {
  return (call, cx) => {
    const [x, y] = [cx.operand(call, 'x'), cx.operand(call, 'y')];
    if (name === 'and' || name === 'or') return cx.dense(cx.b.map(name, [cx.condition(x), cx.condition(y)]));
    const additive = name === 'add' || name === 'sub';
    if (additive && x.kind === 'route' && y.kind === 'route') {
      return { kind: 'route', value: sumOfRoutes(cx, name, x.value, y.value, call) };
    }
    return pointwise(cx, name, [x, y], call);
  };
}

/**
 * Present where either is, a missing weight is 0; the choices of y are ranked after all that x may have. One may lack a source that the
 * other has: it is the same along it.
 */
function sumOfRoutes(
  cx: LoweringContext,
  op: 'add' | 'sub',
  x: GraphRoute,
  y: GraphRoute,
  call: GraphCall,
): GraphRoute {
  const { b } = cx;
  const targets = call.axes.get('over') ?? x.targets;
  const own = cx.idsOf(supportAxes(x));
  const bound = boundOf(x.bounds, cx.idsOf(minus(supportAxes(x), targets)), own, b.sizeOf);
  const later = b.map('add', [y.rank, b.size(bound, 'i32')]);
  const rank = b.map('where', [x.presence, x.rank, later]);
  const weight = b.map(op, [cx.filled(x, 0), cx.filled(y, 0)], call.element);
  const sources = minus(union(x.sources, y.sources), x.targets);
  const axes = cx.idsOf([...sources, ...x.targets]);
  const shared = boundsBehindBoth(x.presence, y.presence, b);
  const bounds = tidyBounds([...uniteBounds(cx.bounded(x), cx.bounded(y), b.sizeOf), ...shared], axes, b.sizeOf);
  return cx.route(b.map('or', [x.presence, y.presence]), { sources, targets: x.targets, bounds }, weight, rank);
}

const where: OpLowering = (call, cx) => {
  const [then, other] = [cx.operand(call, 'then'), cx.operand(call, 'else')];
  const condition = cx.condition(cx.operand(call, 'condition'));
  const value = cx.b.map('where', [condition, cx.numbers(then), cx.numbers(other)], call.element);
  return present(cx, [then, other], value);
};

const clamp: OpLowering = (call, cx) =>
  pointwise(cx, 'clamp', [cx.operand(call, 'x'), cx.operand(call, 'low'), cx.operand(call, 'high')], call);

const convert: OpLowering = (call, cx) => pointwise(cx, 'convert', [cx.operand(call, 'x')], call);

/** No gradients exist here: nothing to stop. */
const stopGradient: OpLowering = (call, cx) => cx.operand(call, 'x');

export const elementwise: Record<UnaryName | BinaryName | 'where' | 'clamp' | 'convert' | 'stop_gradient', OpLowering> =
  {
    ...eachOf(unaryNames, unary),
    ...eachOf(binaryNames, binary),
    where,
    clamp,
    convert,
    stop_gradient: stopGradient,
  };
