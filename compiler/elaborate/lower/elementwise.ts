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
  type GraphCall,
  type GraphOperand,
  type GraphRoute,
  type OpLowering,
  type LoweringContext,
} from '../lowering-context.ts';

/** A map of operands: dense if all are, else present where all routes among them are, ranked as the first of them. */
export function pointwise(
  shop: LoweringContext,
  op: MapOp,
  operands: readonly GraphOperand[],
  call: GraphCall,
): GraphOperand {
  const value = shop.b.map(op, operands.map((o) => shop.numbers(o)), call.element); // prettier-ignore
  return present(shop, operands, value);
}

/** A value that was computed from these operands: present where the routes among them are. */
export function present(shop: LoweringContext, operands: readonly GraphOperand[], value: NodeId): GraphOperand {
  const routes = operands.flatMap((o) => (o.kind === 'route' ? [o.value] : []));
  const [first] = routes;
  if (first === undefined) return shop.dense(value);
  const joined = shop.join(routes);
  const payload = minus(shop.axesOf(value), supportAxes(joined));
  return { kind: 'route', value: { ...joined, weight: value, rank: first.rank, payload } };
}

function unary(name: UnaryName): OpLowering {
  return (call, shop) => {
    const x = shop.operand(call, 'x');
    if (name === 'not') return shop.dense(shop.b.map('not', [shop.condition(x)]));
    return pointwise(shop, name, [x], call);
  };
}

function binary(name: BinaryName): OpLowering {
  return (call, shop) => {
    const [x, y] = [shop.operand(call, 'x'), shop.operand(call, 'y')];
    if (name === 'and' || name === 'or') return shop.dense(shop.b.map(name, [shop.condition(x), shop.condition(y)]));
    const additive = name === 'add' || name === 'sub';
    if (additive && x.kind === 'route' && y.kind === 'route') {
      return { kind: 'route', value: sumOfRoutes(shop, name, x.value, y.value, call) };
    }
    return pointwise(shop, name, [x, y], call);
  };
}

/** Present where either is, a missing weight is 0; the choices of y are ranked after all that x may have. */
function sumOfRoutes(
  shop: LoweringContext,
  op: 'add' | 'sub',
  x: GraphRoute,
  y: GraphRoute,
  call: GraphCall,
): GraphRoute {
  const { b } = shop;
  const targets = call.axes.get('over') ?? x.targets;
  const axes = shop.idsOf(supportAxes(x));
  const most = boundOf(x.bounds, shop.idsOf(minus(supportAxes(x), targets)), axes, b.sizeOf);
  const later = b.map('add', [y.rank, b.size(most, 'i32')]);
  const rank = b.map('where', [x.presence, x.rank, later]);
  const weight = b.map(op, [shop.filled(x, 0), shop.filled(y, 0)], call.element);
  const shared = boundsBehindBoth(x.presence, y.presence, b);
  const bounds = tidyBounds([...uniteBounds(shop.bounded(x), shop.bounded(y), b.sizeOf), ...shared], axes, b.sizeOf);
  return shop.route(
    b.map('or', [x.presence, y.presence]),
    { sources: x.sources, targets: x.targets, bounds },
    weight,
    rank,
  );
}

const where: OpLowering = (call, shop) => {
  const [then, other] = [shop.operand(call, 'then'), shop.operand(call, 'else')];
  const condition = shop.condition(shop.operand(call, 'condition'));
  const value = shop.b.map('where', [condition, shop.numbers(then), shop.numbers(other)], call.element);
  return present(shop, [then, other], value);
};

const clamp: OpLowering = (call, shop) =>
  pointwise(shop, 'clamp', [shop.operand(call, 'x'), shop.operand(call, 'low'), shop.operand(call, 'high')], call);

const convert: OpLowering = (call, shop) => pointwise(shop, 'convert', [shop.operand(call, 'x')], call);

/** No gradients exist here: nothing to stop. */
const stopGradient: OpLowering = (call, shop) => shop.operand(call, 'x');

export const elementwise: Record<UnaryName | BinaryName | 'where' | 'clamp' | 'convert' | 'stop_gradient', OpLowering> =
  {
    ...eachOf(unaryNames, unary),
    ...eachOf(binaryNames, binary),
    where,
    clamp,
    convert,
    stop_gradient: stopGradient,
  };
