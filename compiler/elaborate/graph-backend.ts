/**
 * The backend of the compiler: what instantiation (dsl/meaning/instantiate.ts) calls while it goes through a program, every
 * operation becoming nodes of a graph. The reference interpreter is the other backend; both see the same calls.
 *
 * Nothing is computed that nobody asks for: a rank that is never read is a node without users, and goes.
 */
import type { Backend, ExternCall, Selection, Variable } from '../../dsl/meaning/backend.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import type { Size } from '../../dsl/types/size.ts';
import type { ElementType } from '../../dsl/types/program.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { exact } from '../../dsl/types/size.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { Check, NodeId } from '../graph/graph-ir.ts';
import {
  minus,
  supportAxes,
  type GraphOperand,
  type GraphRoute,
  type GraphTensor,
  type LoweringContext,
} from './lowering-context.ts';
import { meanPresent } from './lower/lower-reductions.ts';
import { lowerings } from './lower/lowering-table.ts';
import { renameAxes } from './lower/lower-views.ts';
import { elaborateFold } from './elaborate-fold.ts';
import { embed, stackRoutes, unite } from './reindex-routes.ts';

export type { GraphRoute, GraphTensor } from './lowering-context.ts';

export function graphBackend(cx: LoweringContext): Backend<GraphTensor, GraphRoute> {
  const builder = cx.b;

  const broadcast = (operand: GraphOperand, axes: readonly Axis[], payload: readonly Axis[] = []): GraphOperand => {
    if (operand.kind === 'tensor') return cx.dense(builder.broadcast(operand.value.node, cx.idsOf(axes)));
    const route = operand.value;
    const lacking = minus(axes, [...supportAxes(route), ...route.payload]);
    const missing = minus(lacking, payload);
    const weight = builder.broadcast(route.weight, cx.idsOf(minus(lacking, missing)));
    if (missing.length === 0) return lacking.length === 0 ? operand : cx.withWeight(route, weight);
    const ids = cx.idsOf(missing);
    const bounds = route.bounds.map(({ per, atMost }) => ({ per: [...per, ...ids], atMost }));
    const orientation = { sources: [...missing, ...route.sources], targets: route.targets, bounds };
    const node = builder.node(route.presence);
    const mask = node.kind === 'presence' ? node.mask : route.presence;
    return { kind: 'route', value: cx.route(mask, orientation, weight, route.rank) };
  };

  const fullWeight = (route: GraphRoute): NodeId =>
    builder.broadcast(route.weight, cx.idsOf([...supportAxes(route), ...route.payload]));

  return {
    axesOf: (tensor) => tensor.axes,
    elementOf: (tensor) => cx.elementOf(tensor.node),
    supportOf: supportAxes,
    payloadOf: (route) => route.payload,

    scalar(value: Size | boolean, element: ElementType): GraphTensor {
      return cx.tensor(
        typeof value === 'boolean' ? builder.constant(value ? 1 : 0, element) : builder.size(value, element),
      );
    },

    variable(variable: Variable, selection: readonly Selection[], defaultValue: GraphTensor | null): GraphTensor {
      const { role } = variable.declaration;
      const axes = cx.idsOf([...variable.family, ...variable.declared]);
      const within = variable.within === null ? null : cx.id(variable.within);
      const index = builder.addInput({
        role,
        name: variable.path,
        element: variable.element,
        axes,
        within,
        default: null,
      });
      builder.at(variable.declaration.span);
      let node = builder.input(index);
      if (defaultValue !== null) builder.setDefault(index, inElement(builder, defaultValue.node, variable.element));
      variable.family.forEach((axis, i) => {
        const chosen = selection[i];
        if (chosen === undefined)
          throw new CompilerBug('elaborate', `${variable.path} is read without saying where along ${axis.name}`);
        const id = cx.id(axis);
        if (chosen.kind === 'at') node = builder.slice(node, id, exact(chosen.index), null);
        else if (chosen.kind === 'window') node = builder.slice(node, id, exact(chosen.from), cx.id(chosen.as));
        else if (chosen.axis !== axis) node = builder.rename(node, [id], [cx.id(chosen.axis)]);
      });
      return cx.tensor(node);
    },

    primitive(call) {
      cx.at(call.span);
      return lowerings[call.name](call, cx);
    },

    rename: (operand, renaming) => renameAxes(cx, operand, renaming),
    broadcast,

    stack(operands, axis) {
      const routes = operands.flatMap((o) => (o.kind === 'route' ? [o.value] : []));
      const stacked = routes.length === operands.length ? stackRoutes(cx, routes, axis) : null;
      if (stacked !== null) return { kind: 'route', value: stacked };
      const parts = operands.map((o) => ({ node: cx.numbers(o), axis: null }));
      if (parts.length > 0) return cx.dense(builder.concat(parts, cx.id(axis)));
      return cx.dense(builder.broadcast(builder.constant(0), [cx.id(axis)]));
    },

    // The builder makes equal nodes once.
    same: (a, b) => a.node === b.node,

    unite: (parts, axis) =>
      cx.tensor(unite(cx, parts.map((p) => ({ node: p.value.node, axes: p.axes })), axis)), // prettier-ignore
    embed: (route, part, axis, offset) => embed(cx, route, part, axis, offset),

    orient(route, sources, targets) {
      const node = builder.node(route.presence);
      const mask = node.kind === 'presence' ? node.mask : route.presence;
      return cx.route(mask, { sources, targets, bounds: route.bounds }, route.weight, route.rank);
    },

    weights: (route) => cx.tensor(fullWeight(route)),

    present(routes, value) {
      const joined = cx.join(routes);
      const [first] = routes;
      if (first === undefined) throw new CompilerBug('elaborate', 'a call lifted over no route');
      return { ...joined, weight: value.node, rank: first.rank, payload: minus(value.axes, supportAxes(joined)) };
    },

    meanPresent: (value, over, routes) => cx.tensor(meanPresent(cx, value.node, over, routes)),

    requires(operand, { condition, message, span }) {
      cx.at(span);
      const shown: Check['shown'][number][] = [];
      const text = message.map((part) => {
        if (typeof part === 'string') return part;
        // What differs from point to point is shown by its name.
        if ('name' in part && part.value.axes.length > 0) return part.name;
        shown.push('size' in part ? { size: part.size } : { node: part.value.node });
        return `{${shown.length - 1}}`;
      });
      const at = builder.apart(operand.kind === 'tensor' ? operand.value.node : operand.value.presence);
      const said = text.length === 0 ? 'what the program requires does not hold' : text.join('');
      cx.demanded.push({ at: [at], holds: condition.node, code: 'MOE0723', message: said, shown, span });
      return operand.kind === 'tensor'
        ? { kind: 'tensor', value: { ...operand.value, node: at } }
        : { kind: 'route', value: { ...operand.value, presence: at } };
    },

    extern(call: ExternCall<GraphTensor>) {
      cx.at(call.span);
      const around = [...call.family, ...call.carried];
      const within = (of: ExternCall<GraphTensor>['results'][number] | ExternCall<GraphTensor>['args'][number]) =>
        of.within === null ? null : cx.id(of.within);
      const index = builder.addExtern({
        name: call.name,
        role: call.role,
        operands: call.args.map((a) => ({
          name: a.name,
          node: a.value.node,
          axes: cx.idsOf(a.axes),
          within: within(a),
        })),
        results: call.results.map((r) => ({
          element: r.element,
          axes: cx.idsOf([...around, ...minus(r.axes, around)]),
          within: within(r),
        })),
        family: cx.idsOf(call.family),
        carried: cx.idsOf(minus(call.carried, call.family)),
        mentions: cx.idsOf(call.mentions),
        span: call.span,
      });
      return call.results.map((_, i) => cx.tensor(builder.extern(index, i)));
    },

    fold: (call) => elaborateFold(cx, call),
  };
}

/** A control's default as the control's element type has it. */
function inElement(builder: GraphBuilder, node: NodeId, element: ElementType): NodeId {
  return builder.node(node).element === element ? node : builder.map('convert', [node], element);
}
