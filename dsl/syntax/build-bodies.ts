/**
 * Bodies, their statements, and the two expressions that have bodies: chains and ifs.
 */
import type { CstNode, IToken } from 'chevrotain';
import type * as ast from './ast.ts';
import { buildDecl } from './build-ast.ts';
import type { BuildContext } from './build-context.ts';
import { buildCondition, buildExpr } from './build-expressions.ts';
import { buildType } from './build-types.ts';
import { extent, nodeOf, nodes, present, tokenOf, tokens } from './cst.ts';
import { foreignWords } from './foreign-syntax.ts';

/** `at` is where a missing body would stand. */
export function buildBody(context: BuildContext, node: CstNode | undefined, at: number): ast.Body {
  if (node === undefined)
    return { kind: 'Body', items: [], result: context.hole(node, at), span: context.hole(node, at).span };
  const children = nodes(node, 'items');
  const span = context.spanOf(node, at);
  const closer = tokenOf(node, 'RCurly');
  const last = children.at(-1);
  const resultNode = last?.name === 'expr' ? last : undefined;
  for (const [i, child] of children.entries())
    if (child.name === 'expr' && child !== resultNode) reportUnused(context, child, children[i + 1]);
  const items = present(children.map((child) => (child.name === 'expr' ? undefined : buildStmt(context, child))));
  if (resultNode !== undefined) return { kind: 'Body', items, result: buildExpr(context, resultNode, 'result'), span };
  const unused = children.some((child) => child.name === 'expr');
  if (node.recoveredNode !== true && closer !== undefined && !unused) reportNoResult(context, items, closer);
  const end = closer?.startOffset ?? span.end;
  return { kind: 'Body', items, result: { kind: 'Error', span: { ...span, start: end, end } }, span };
}

/** A value in the middle of a body: most often two things on one line, or a statement of another language. */
function reportUnused(context: BuildContext, node: CstNode, next: CstNode | undefined): void {
  const span = context.spanOf(node);
  const nextSpan = next && context.spanOf(next, span.end);
  const written = buildExpr(context, node, 'result');
  const foreign = written.kind === 'Name' ? foreignWords.get(written.name) : undefined;
  context.report('MOE0124', foreign === undefined && nextSpan ? { ...nextSpan, end: nextSpan.start + 1 } : span, {
    message:
      foreign === undefined
        ? 'the body goes on after its result'
        : `\`${written.kind === 'Name' ? written.name : ''}\` is no statement`,
    labels: foreign === undefined ? [{ span, text: 'this would be the result' }] : [],
    help: foreign ?? 'give the first value a name with `let`, or join the two with an operator',
  });
}

function reportNoResult(context: BuildContext, items: readonly ast.BodyItem[], closer: IToken): void {
  const last = items.at(-1);
  // `let a = b ⏎ -c }` reads as b - c; the author meant -c as the result.
  const swallowed = last?.kind === 'Let' && last.value.kind === 'Binary' && last.value.op === '-';
  context.report('MOE0102', context.tokenSpan(closer), {
    label: 'a value is expected before this',
    help: swallowed
      ? 'a line that begins with `-` continues the one above: put the result in parentheses, `(-x)`'
      : 'end the body with the expression that is its result',
  });
}

function buildStmt(context: BuildContext, node: CstNode): ast.BodyItem | undefined {
  const span = context.spanOf(node);
  const declNode = nodeOf(node, 'decl');
  if (declNode !== undefined) return buildDecl(context, declNode);
  const letNode = nodeOf(node, 'letStmt');
  if (letNode !== undefined) {
    const pattern = buildPattern(context, nodeOf(letNode, 'pattern'));
    if (pattern === undefined) return undefined;
    const type = buildType(context, nodeOf(letNode, 'type'));
    return { kind: 'Let', pattern, type, value: buildExpr(context, nodeOf(letNode, 'expr'), 'value', span.end), span };
  }
  const required = nodeOf(node, 'requireStmt');
  if (required !== undefined) {
    const condition = buildExpr(context, nodeOf(required, 'expr'), 'value', span.end);
    const message = context.string(tokenOf(required, 'String'));
    return { kind: 'Require', condition, ...(message === undefined ? {} : { message }), span };
  }
  const assign = nodeOf(node, 'assign');
  if (assign === undefined) return undefined;
  const name = context.ident(tokenOf(assign, 'Name'));
  if (name === undefined) return undefined;
  const value = buildExpr(context, nodeOf(assign, 'expr'), 'value', span.end);
  if (tokenOf(assign, 'Update')) return { kind: 'Update', name, value, span };
  return { kind: tokenOf(assign, 'Loss') ? 'Loss' : 'Output', name, value, span };
}

export function buildPattern(context: BuildContext, node: CstNode | undefined): ast.Pattern | undefined {
  if (node === undefined) return undefined;
  const names = context.idents(tokens(node, 'Name'));
  return names.length === 0 ? undefined : { names, span: context.spanOf(node) };
}

export function buildChain(context: BuildContext, node: CstNode): ast.AstExpr {
  const span = context.spanOf(node);
  const index = context.ident(tokenOf(node, 'Name'));
  const axis = context.axis(tokenOf(node, 'axis'));
  const carries = present(nodes(node, 'carry').map((carry) => buildCarry(context, carry)));
  if (index === undefined || axis === undefined || carries.length === 0) return context.hole(node);
  const collecting = buildPattern(context, nodeOf(node, 'pattern'));
  return {
    kind: 'Chain',
    index,
    axis,
    carries,
    collecting,
    body: buildBody(context, nodeOf(node, 'body'), span.end),
    span,
  };
}

function buildCarry(context: BuildContext, node: CstNode): ast.Carry | undefined {
  const name = context.ident(tokenOf(node, 'Name'));
  if (name === undefined) return undefined;
  const initial = tokenOf(node, 'Equal')
    ? buildExpr(context, nodeOf(node, 'expr'), 'value', extent(node).end)
    : undefined;
  return { name, type: buildType(context, nodeOf(node, 'type')), initial, span: context.spanOf(node) };
}

/** `if a {…} else if b {…} else {…}`: the rule has the branches in a row, the tree nests them to the right. */
export function buildCond(context: BuildContext, node: CstNode): ast.If {
  const span = context.spanOf(node);
  const conditions = nodes(node, 'condition');
  const bodies = nodes(node, 'body');
  const ifs = tokens(node, 'If');
  let otherwise: ast.Body | ast.If = buildBody(context, nodeOf(node, 'otherwise'), span.end);
  const branch = (i: number): ast.If => ({
    kind: 'If',
    condition: buildCondition(context, conditions[i], 'value', span.end),
    then: buildBody(context, bodies[i], span.end),
    otherwise,
    span: { ...span, start: ifs[i]?.startOffset ?? span.start },
  });
  for (let i = conditions.length - 1; i > 0; i--) otherwise = branch(i);
  return branch(0);
}
