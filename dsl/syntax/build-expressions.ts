/**
 * Expressions: from rows of operands and operators to trees, by the table in precedence.ts, with the checks that the
 * grammar leaves open. Loops rather than recursion along rows and suffixes: only brackets recurse here, and they are
 * limited.
 */
import type { CstElement, CstNode, IToken } from 'chevrotain';
import { CompilerBug } from '../diagnostics/bug.ts';
import type * as ast from './ast.ts';
import type { BuildContext } from './build-context.ts';
import { splitPrimes } from './build-context.ts';
import { buildChain, buildCond } from './build-bodies.ts';
import { elements, extent, isNode, nodeOf, nodes, present, tokenOf } from './cst.ts';
import { indexAdvice } from './foreign-syntax.ts';
import { binaryOperators, levels } from './precedence.ts';
import { joinSpans } from '../diagnostics/source-file.ts';

/** Where an expression stands: only the result of a body may be a record. */
type Position = 'result' | 'value';

export function buildExpr(
  context: BuildContext,
  node: CstNode | undefined,
  position: Position = 'value',
  fallback = 0,
): ast.AstExpr {
  if (node === undefined) return context.hole(node, fallback);
  const targets = nodes(node, 'pipeTarget');
  let input = buildCondition(context, nodeOf(node, 'condition'), targets.length === 0 ? position : 'value', fallback);
  for (const target of targets) {
    const name = tokenOf(target, 'Name');
    if (name === undefined) continue;
    let callee: ast.AstExpr = { kind: 'Name', ...splitPrimes(name.image), span: context.tokenSpan(name) };
    const subscript = nodeOf(target, 'subscript');
    if (subscript) callee = indexInto(context, callee, subscript);
    const args = nodeOf(target, 'args');
    const end = args ? context.spanOf(args) : callee.span;
    const span = joinSpans(input.span, end);
    if (nodeOf(target, 'stray')) {
      const operator = elements(target, 'ConditionOperator').concat(
        elements(target, 'SumOperator'),
        elements(target, 'Point'),
      )[0];
      const written = operator && !isNode(operator) ? operator.image : 'an operator';
      context.report('MOE0115', operator && !isNode(operator) ? context.tokenSpan(operator) : span, {
        message: `only a call stands to the right of \`|>\`, found \`${written}\``,
        labels: [{ span, text: '' }],
        help: 'put the pipe in parentheses, or the value in a `let`',
        fix: [
          { span: { ...span, end: span.start }, replacement: '(' },
          { span: { ...span, start: span.end }, replacement: ')' },
        ],
      });
    }
    const read = args ? buildArgs(context, args) : [];
    if (read === undefined || callee.kind === 'Error') input = { kind: 'Error', span };
    else input = { kind: 'Pipe', input, callee, args: read, span };
  }
  return input;
}

/** An operand or operator of a row, read. */
type Item = { readonly operand: ast.AstExpr } | { readonly operator: IToken };

export function buildCondition(
  context: BuildContext,
  node: CstNode | undefined,
  position: Position = 'value',
  fallback = 0,
): ast.AstExpr {
  if (node === undefined) return context.hole(node, fallback);
  const row = elements(node, 'row');
  const alone = row.length === 1;
  return shapeRow(
    context,
    readRow(row, (sum) => {
      if (!alone) checkBare(context, onlyPostfix(sum));
      return buildSum(context, sum, alone ? position : 'value');
    }),
    context.hole(node, fallback),
  );
}

export function buildSum(
  context: BuildContext,
  node: CstNode | undefined,
  position: Position = 'value',
  fallback = 0,
): ast.AstExpr {
  if (node === undefined) return context.hole(node, fallback);
  const row = elements(node, 'row');
  const alone = row.length === 1;
  return shapeRow(
    context,
    readRow(row, (postfix) => {
      if (!alone) checkBare(context, postfix);
      return buildPostfix(context, postfix, alone ? position : 'value');
    }),
    context.hole(node, fallback),
  );
}

function readRow(row: readonly CstElement[], operand: (node: CstNode) => ast.AstExpr): readonly Item[] {
  return row
    .filter((element) => isNode(element) || element.isInsertedInRecovery !== true)
    .map((element) => (isNode(element) ? { operand: operand(element) } : { operator: element }));
}

/** A prefix or binary operator that waits for its right operand. */
interface Waiting {
  readonly token: IToken;
  readonly level: number;
  /** Absent: a prefix operator. */
  readonly left?: ast.AstExpr;
}

/**
 * Operator precedence, with a stack of operators that wait for their right operand. Total: in a recovered row an
 * operand may be missing, then `hole` stands for it.
 */
function shapeRow(context: BuildContext, row: readonly Item[], hole: ast.ErrorExpr): ast.AstExpr {
  const waiting: Waiting[] = [];
  let operand: ast.AstExpr | undefined;

  /** Completes what binds at least as tightly as `level` (for operators to the right: more tightly). */
  const reduce = (level: number, associates: 'left' | 'right' | 'none'): void => {
    for (let top = waiting.at(-1); top !== undefined; top = waiting.at(-1)) {
      if (top.level < level || (top.level === level && associates === 'right')) return;
      waiting.pop();
      const right = operand ?? hole;
      operand =
        top.level === level && associates === 'none' && top.left !== undefined
          ? comparedAgain(context, top.token, top.left, right)
          : applyOperator(context, top, right);
    }
  };

  for (const item of row) {
    if ('operand' in item) {
      operand = item.operand;
      continue;
    }
    const token = item.operator;
    if (operand === undefined) {
      const level = token.image === 'not' ? levels.not : levels.negate;
      const outer = waiting.at(-1);
      // `a == not b`: the right side of a comparison is no `not`.
      if (outer?.left !== undefined && level === levels.not && outer.level > level)
        context.report('MOE0101', context.tokenSpan(token), {
          message: `expected a value, found \`not\``,
          help: 'put the `not` and what it applies to in parentheses',
        });
      waiting.push({ token, level });
      continue;
    }
    const operator = binaryOperators.get(token.image);
    if (operator === undefined)
      throw new CompilerBug('ast', `\`${token.image}\` is in a row but not in the table of operators`);
    reduce(operator.level, operator.associates);
    waiting.push({ token, level: operator.level, left: operand });
    operand = undefined;
  }
  reduce(0, 'left');
  return operand ?? hole;
}

/** `SwiGLU<F>(x)` reads as two comparisons: a template is made an instance by a declaration. */
function comparedHelp(left: ast.AstExpr): string {
  const help = 'join two comparisons with `and`';
  if (left.kind !== 'Name' || !/^[A-Z]\w*[a-z]/.test(left.name)) return help;
  return `${help}; a template is made an instance by a declaration, \`experts f = ${left.name}<…>\` or \`fn f = ${left.name}<…>\`, and called as \`f(x)\``;
}

/** `a < b` before another comparison: a hole, so that of a row of comparisons the first is reported, and nothing of its type. */
function comparedAgain(context: BuildContext, token: IToken, left: ast.AstExpr, right: ast.AstExpr): ast.ErrorExpr {
  if (left.kind !== 'Error') context.report('MOE0118', context.tokenSpan(token), { help: comparedHelp(left) });
  return { kind: 'Error', span: joinSpans(left.span, right.span) };
}

function applyOperator(context: BuildContext, { token, left }: Waiting, right: ast.AstExpr): ast.AstExpr {
  if (left === undefined)
    return {
      kind: 'Unary',
      op: token.image === 'not' ? 'not' : '-',
      operand: right,
      span: joinSpans(context.tokenSpan(token), right.span),
    };
  const span = joinSpans(left.span, right.span);
  const op = token.image;
  switch (op) {
    case '@':
      return { kind: 'Dot', left, right, span };
    case 'and':
    case 'or':
      return { kind: 'Logical', op, left, right, span };
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '**':
      return { kind: 'Binary', op, left, right, span };
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return { kind: 'Compare', op, left, right, span };
    default:
      throw new CompilerBug('ast', `\`${op}\` is not an operator`);
  }
}

/** The postfix expression that a sum consists of, if it has no operator. */
function onlyPostfix(sum: CstNode): CstNode | undefined {
  const row = elements(sum, 'row');
  const first = row[0];
  return row.length === 1 && first && isNode(first) ? first : undefined;
}

/** A chain or an if, not in parentheses, beside an operator or before a suffix. */
function checkBare(context: BuildContext, postfix: CstNode | undefined): void {
  const primary = postfix && nodeOf(postfix, 'primary');
  const bare = primary && (nodeOf(primary, 'chain') ?? nodeOf(primary, 'cond'));
  if (bare === undefined) return;
  const span = context.spanOf(bare);
  const word = bare.name === 'chain' ? 'a chain' : 'an if';
  context.report(
    'MOE0114',
    { ...span, end: span.start + (bare.name === 'chain' ? 5 : 2) },
    {
      message: `${word} beside an operator needs parentheses`,
      help: 'put it in parentheses, or give it a name with `let`',
      fix: [
        { span: { ...span, end: span.start }, replacement: '(' },
        { span: { ...span, start: span.end }, replacement: ')' },
      ],
    },
  );
}

function buildPostfix(context: BuildContext, node: CstNode, position: Position): ast.AstExpr {
  const suffixes = nodes(node, 'suffix');
  let value = buildPrimary(
    context,
    nodeOf(node, 'primary'),
    suffixes.length === 0 ? position : 'value',
    extent(node).start,
  );
  if (suffixes.length > 0) checkBare(context, node);
  for (const suffix of suffixes) {
    const span = joinSpans(value.span, context.spanOf(suffix, value.span.end));
    if (suffix.name === 'args') {
      const args = buildArgs(context, suffix);
      value = args === undefined ? { kind: 'Error', span } : { kind: 'Call', callee: value, args, span };
    } else if (suffix.name === 'subscript') value = indexInto(context, value, suffix);
    else {
      const name = context.ident(tokenOf(suffix, 'Name'));
      if (name !== undefined) value = { kind: 'Path', target: value, name, span };
    }
  }
  return value;
}

function buildPrimary(
  context: BuildContext,
  node: CstNode | undefined,
  position: Position,
  fallback: number,
): ast.AstExpr {
  if (node === undefined) return context.hole(node, fallback);
  const span = context.spanOf(node, fallback);
  const number = tokenOf(node, 'Number');
  if (number) return { kind: 'Number', text: number.image, value: Number(number.image), span };
  const string = context.string(tokenOf(node, 'String'));
  if (string) return string;
  if (tokenOf(node, 'True')) return { kind: 'Bool', value: true, span };
  if (tokenOf(node, 'False')) return { kind: 'Bool', value: false, span };
  const name = tokenOf(node, 'Name');
  if (name) return { kind: 'Name', ...splitPrimes(name.image), span };
  const group = nodeOf(node, 'group');
  if (group) return buildGroup(context, group, position);
  const chain = nodeOf(node, 'chain');
  if (chain) return buildChain(context, chain);
  const cond = nodeOf(node, 'cond');
  if (cond) return buildCond(context, cond);
  return context.hole(node, fallback);
}

/** `(e)` groups, `(a, b)` is a tuple, `(a: x)` a record. */
function buildGroup(context: BuildContext, node: CstNode, position: Position): ast.AstExpr {
  const span = context.spanOf(node);
  const argNodes = nodes(node, 'arg');
  const labelled = argNodes.filter((arg) => tokenOf(arg, 'Colon') !== undefined);
  if (labelled.length > 0) return buildRecord(context, node, position);
  const items = argNodes.map((arg) => buildExpr(context, nodeOf(arg, 'expr'), 'value', span.end));
  const [first] = items;
  if (first === undefined) return context.hole(node);
  if (items.length > 1) return { kind: 'Tuple', items, span };
  if (tokenOf(node, 'Comma')) context.report('MOE0111', span, { help: 'leave out the comma' });
  return { ...first, span };
}

function buildRecord(context: BuildContext, node: CstNode, position: Position): ast.AstExpr {
  const span = context.spanOf(node);
  const argNodes = nodes(node, 'arg');
  if (position !== 'result') {
    context.report('MOE0110', span, {
      help: 'give the parts names with `let`, or return the record as the result of the body',
    });
    return { kind: 'Error', span };
  }
  const unlabelled = argNodes.find((arg) => tokenOf(arg, 'Colon') === undefined);
  if (unlabelled) {
    const message = 'in a record every member has a name';
    context.report('MOE0110', context.spanOf(unlabelled), { message, help: 'write `name: value`' });
  }
  const fields = argNodes.map((arg): ast.RecordField | undefined => {
    const key = buildExpr(context, nodeOf(arg, 'expr'));
    const value = buildExpr(context, nodeOf(arg, 'value'), 'value', span.end);
    if (key.kind === 'Name' && key.primes === 0)
      return { name: { text: key.name, span: key.span }, value, span: context.spanOf(arg) };
    if (arg !== unlabelled && key.kind !== 'Error')
      context.report('MOE0108', key.span, { message: 'the left of `:` in a record is a name' });
    return undefined;
  });
  return { kind: 'Record', fields: present(fields), span };
}

/** Undefined where a label cannot be read: what is called is then not known by its arguments, and the call is a hole. */
function buildArgs(context: BuildContext, node: CstNode): readonly ast.Arg[] | undefined {
  const args = nodes(node, 'arg').map((arg): ast.Arg | undefined => {
    const span = context.spanOf(arg);
    const first = buildExpr(context, nodeOf(arg, 'expr'), 'value', span.start);
    if (tokenOf(arg, 'Colon') === undefined) return { value: first, span };
    const label = argLabel(context, first);
    const value = buildExpr(context, nodeOf(arg, 'value'), 'value', span.end);
    return label && { label, value, span };
  });
  return args.every((arg) => arg !== undefined) ? args : undefined;
}

function argLabel(context: BuildContext, left: ast.AstExpr): ast.ArgLabel | undefined {
  if (left.kind === 'Name') return { kind: 'NameLabel', name: left.name, primes: left.primes, span: left.span };
  if (left.kind === 'Tuple') {
    const axes = present(left.items.map(asAxis));
    if (axes.length === left.items.length) return { kind: 'AxesLabel', axes, span: left.span };
  }
  if (left.kind !== 'Error') context.report('MOE0108', left.span, { help: 'such as `over: E` or `(A, B): C`' });
  return undefined;
}

function asAxis(value: ast.AstExpr): ast.AxisName | undefined {
  return value.kind === 'Name' ? { name: value.name, primes: value.primes, span: value.span } : undefined;
}

function indexInto(context: BuildContext, target: ast.AstExpr, subscript: CstNode): ast.IndexExpr | ast.ErrorExpr {
  const span = joinSpans(target.span, context.spanOf(subscript, target.span.end));
  const indices = buildIndices(context, subscript);
  return indices === undefined ? { kind: 'Error', span } : { kind: 'Index', target, indices, span };
}

/** Undefined where the axis of one cannot be read. */
export function buildIndices(context: BuildContext, subscript: CstNode): readonly ast.Index[] | undefined {
  const indices = nodes(subscript, 'index').map((node): ast.Index | undefined => {
    const span = context.spanOf(node);
    const first = buildSum(context, nodeOf(node, 'sum'), 'value', span.start);
    const labelled = tokenOf(node, 'Colon') !== undefined;
    const index = labelled ? buildSum(context, nodeOf(node, 'value'), 'value', span.end) : first;
    const axis = labelled ? asAxis(first) : undefined;
    if (labelled && axis === undefined) {
      const bracket = tokenOf(subscript, 'LSquare')?.startOffset;
      const opener = context.tokens.findIndex((token) => token.startOffset === bracket);
      const help = opener < 0 ? 'such as `x[T: 0]`' : indexAdvice(context.tokens, opener);
      if (first.kind !== 'Error') context.report('MOE0109', first.span, { help });
      return undefined;
    }
    const to = nodeOf(node, 'to');
    if (to === undefined) return { axis, index, span };
    const as = context.axis(tokenOf(node, 'Name'));
    if (as !== undefined) return { axis, index, range: { to: buildSum(context, to), as }, span };
    if (tokenOf(node, 'As') === undefined && node.recoveredNode !== true)
      context.report('MOE0121', span, {
        message: 'a range names the axis it makes',
        help: 'add `as` and the name of a declared axis',
      });
    return { axis, index: { kind: 'Error', span }, span };
  });
  return indices.every((index) => index !== undefined) ? indices : undefined;
}
