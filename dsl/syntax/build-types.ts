/**
 * Types and signatures. `route` is an ordinary name with a meaning that no program can change, so a route type is told
 * apart here.
 */
import type { CstNode } from 'chevrotain';
import type * as ast from './ast.ts';
import type { BuildContext } from './build-context.ts';
import { nodeOf, nodes, present, tokenOf, tokens } from './cst.ts';

interface Axes {
  readonly before: readonly ast.AxisName[];
  readonly after: readonly ast.AxisName[];
  readonly arrow: boolean;
}

const noAxes: Axes = { before: [], after: [], arrow: false };

function buildAxes(context: BuildContext, node: CstNode | undefined): Axes {
  if (node === undefined) return noAxes;
  return {
    before: context.axes(tokens(node, 'before')),
    after: context.axes(tokens(node, 'after')),
    arrow: tokenOf(node, 'Arrow') !== undefined,
  };
}

export function buildType(context: BuildContext, node: CstNode | undefined): ast.TypeExpr | undefined {
  if (node === undefined) return undefined;
  const name = tokenOf(node, 'Name');
  const axesNode = nodeOf(node, 'axes');
  if (name === undefined && axesNode === undefined) return undefined;
  const span = context.spanOf(node);
  const axes = buildAxes(context, axesNode);
  const within = context.axis(tokenOf(node, 'within'));
  const payloadNode = nodeOf(node, 'payload');
  const payload = buildAxes(context, payloadNode);
  const clean = node.recoveredNode !== true && axesNode?.recoveredNode !== true;
  if (payload.arrow && payloadNode)
    context.report('MOE0112', context.spanOf(payloadNode), {
      message: 'the axes after `of` have no arrow: they are dense',
    });

  if (name?.image === 'route') {
    if (within) context.report('MOE0113', within.span, { message: 'a route indexes no axis: `in` follows `i32[…]`' });
    if (axes.before.length + axes.after.length === 0 && clean)
      context.report('MOE0113', span, { message: 'a route has axes', help: 'write the targets, as in `route[E]`' });
    return {
      kind: 'RouteType',
      sources: axes.arrow ? axes.before : [],
      targets: axes.arrow ? axes.after : axes.before,
      payload: payload.before,
      span,
    };
  }
  if (axes.arrow && axesNode)
    context.report('MOE0112', context.spanOf(axesNode), {
      help: 'write `route` before it',
      fix: name ? undefined : [{ span: { ...span, end: span.start }, replacement: 'route' }],
    });
  if (payloadNode)
    context.report('MOE0113', context.spanOf(payloadNode), {
      message: 'only a route has a payload: `of` follows `route[…]`',
      help: 'list all axes in one pair of brackets',
    });
  return { kind: 'TensorType', element: context.ident(name), axes: [...axes.before, ...axes.after], within, span };
}

export function buildSignature(context: BuildContext, node: CstNode | undefined): ast.Signature | undefined {
  if (node === undefined) return undefined;
  const span = context.spanOf(node);
  const formals = present(
    nodes(node, 'formal').map((formal): ast.AstFormal | undefined => {
      const name = context.ident(tokenOf(formal, 'Name'));
      const type = buildType(context, nodeOf(formal, 'type'));
      return name && type && { name, type, span: context.spanOf(formal) };
    }),
  );
  const plain = buildType(context, nodeOf(node, 'type'));
  if (plain) return { formals, results: [{ type: plain, span: plain.span }], span };
  const results = present(
    nodes(node, 'resultType').map((result): ast.ResultType | undefined => {
      const type = buildType(context, nodeOf(result, 'type'));
      return type && { name: context.ident(tokenOf(result, 'Name')), type, span: context.spanOf(result) };
    }),
  );
  if (results.length === 0) return undefined;
  const unnamed = results.find((result) => result.name === undefined);
  if (unnamed && results.some((result) => result.name !== undefined))
    context.report('MOE0123', unnamed.span, { help: 'write `name: type` for each result, or for none' });
  return { formals, results, span };
}
