/**
 * Expressions and types as documents; parentheses exactly where precedence.ts needs them. Bodies are printed by
 * `print-ast.ts`, which gives itself as `printBody`.
 */
import { CompilerBug, unreachable } from '../diagnostics/bug.ts';
import type * as ast from './ast.ts';
import { concat, concatAll, fill, align, group, hard, indent, join, line, softline, type Doc } from './text-layout.ts';
import { binaryOperators, levels, prefixOperators } from './precedence.ts';

export interface ExpressionPrinter {
  /** The text that was parsed: where its author broke a pipe, the printer does. */
  readonly text: string;
  readonly printBody: (body: ast.Body) => Doc;
  /** Whether a body is one expression that its author began on the line of the brace. */
  readonly isShort: (body: ast.Body) => boolean;
}

// ------------------------------------------------------------------------------------------------------------ types

export function axisName(axis: { readonly name: string; readonly primes: number }): string {
  return axis.name + "'".repeat(axis.primes);
}

function axisList(axes: readonly ast.AxisName[]): string {
  return axes.map(axisName).join(', ');
}

export function typeText(type: ast.TypeExpr): string {
  if (type.kind === 'RouteType') {
    const arrow = type.sources.length > 0 ? `${axisList(type.sources)} -> ` : '';
    const payload = type.payload.length > 0 ? ` of [${axisList(type.payload)}]` : '';
    return `route[${arrow}${axisList(type.targets)}]${payload}`;
  }
  const element = type.element?.text ?? '';
  const axes = type.axes.length > 0 || element === '' ? `[${axisList(type.axes)}]` : '';
  return element + axes + (type.within ? ` in ${axisName(type.within)}` : '');
}

export function stringText(literal: ast.StringLiteral): string {
  const escapes = new Map([
    ['"', '\\"'],
    ['\\', '\\\\'],
    ['\n', '\\n'],
    ['\t', '\\t'],
  ]);
  return `"${literal.value.replace(/["\\\n\t]/g, (character) => escapes.get(character) ?? character)}"`;
}

// ------------------------------------------------------------------------------------------------------ expressions

/** How tightly an expression holds together; a chain and an if stand alone. */
export function levelOf(expr: ast.AstExpr): number {
  switch (expr.kind) {
    case 'Pipe':
      return levels.pipe;
    case 'Unary':
      return prefixOperators.get(expr.op) ?? levels.postfix;
    case 'Binary':
    case 'Compare':
    case 'Logical':
      return binaryOperators.get(expr.op)?.level ?? levels.postfix;
    case 'Dot':
      return levels.dot;
    default:
      return levels.postfix;
  }
}

const isBlock = (expr: ast.AstExpr): boolean => expr.kind === 'Chain' || expr.kind === 'If';

/** Whether the author put an operation in parentheses; its span includes them. */
function isGrouped(printer: ExpressionPrinter, expr: ast.AstExpr): boolean {
  if (printer.text[expr.span.start] !== '(') return false;
  switch (expr.kind) {
    case 'Binary':
    case 'Compare':
    case 'Logical':
    case 'Dot':
      return expr.span.start < expr.left.span.start;
    case 'Unary':
      return true;
    default:
      return false;
  }
}

/** An operand of an operator, a call or an index. Parentheses that its author found helpful stay. */
function operand(printer: ExpressionPrinter, expr: ast.AstExpr, least: number): Doc {
  return levelOf(expr) < least || isBlock(expr) || isGrouped(printer, expr)
    ? parenthesised(printer, expr)
    : printExpr(printer, expr);
}

/** What stands alone where the grammar has less than a full expression: an index, a size, a condition. */
export function printAlone(printer: ExpressionPrinter, expr: ast.AstExpr, least: number): Doc {
  return levelOf(expr) < least ? parenthesised(printer, expr) : printExpr(printer, expr);
}

function parenthesised(printer: ExpressionPrinter, expr: ast.AstExpr): Doc {
  if (isBlock(expr)) return concat('(', printExpr(printer, expr), ')');
  return group(concat('(', indent(concat(softline, printExpr(printer, expr))), softline, ')'));
}

function bracketed(open: string, items: readonly Doc[], close: string): Doc {
  if (items.length === 0) return open + close;
  const separated = items.flatMap((item, i) => (i === items.length - 1 ? [item] : [concat(item, ','), line]));
  return group(concat(open, indent(concat(softline, fill(separated))), softline, close));
}

export function printExpr(printer: ExpressionPrinter, expr: ast.AstExpr): Doc {
  switch (expr.kind) {
    case 'Number':
      return expr.text;
    case 'String':
      return stringText(expr);
    case 'Bool':
      return String(expr.value);
    case 'Name':
      return axisName(expr);
    case 'Call':
      return concat(operand(printer, expr.callee, levels.postfix), printArgs(printer, expr.args));
    case 'Index':
      return concat(operand(printer, expr.target, levels.postfix), printIndices(printer, expr.indices));
    case 'Path':
      return concat(operand(printer, expr.target, levels.postfix), '.', expr.name.text);
    case 'Unary':
      return concat(expr.op === 'not' ? 'not ' : '-', operand(printer, expr.operand, levelOf(expr)));
    case 'Binary':
    case 'Compare':
    case 'Logical':
    case 'Dot':
      return printOperators(printer, expr);
    case 'Pipe':
      return printPipe(printer, expr);
    case 'Tuple':
      return bracketed(
        '(',
        expr.items.map((item) => printExpr(printer, item)),
        ')',
      );
    case 'Record':
      return bracketed(
        '(',
        expr.fields.map((field) => concat(`${field.name.text}: `, printExpr(printer, field.value))),
        ')',
      );
    case 'Chain':
      return printChain(printer, expr);
    case 'If':
      return printIf(printer, expr);
    case 'Error':
      throw new CompilerBug('print', 'only a file without syntax errors can be printed');
    default:
      return unreachable(expr, 'print');
  }
}

function printArgs(printer: ExpressionPrinter, args: readonly ast.Arg[]): Doc {
  const label = (arg: ast.Arg): string => {
    if (arg.label === undefined) return '';
    return arg.label.kind === 'NameLabel' ? `${axisName(arg.label)}: ` : `(${axisList(arg.label.axes)}): `;
  };
  return bracketed(
    '(',
    args.map((arg) => concat(label(arg), printExpr(printer, arg.value))),
    ')',
  );
}

export function printIndices(printer: ExpressionPrinter, indices: readonly ast.Index[]): Doc {
  const sum = (expr: ast.AstExpr): Doc => printAlone(printer, expr, levels.sum);
  return bracketed(
    '[',
    indices.map(({ axis, index, range }) =>
      concat(
        axis ? `${axisName(axis)}: ` : '',
        sum(index),
        range ? concat(' .. ', sum(range.to), ` as ${axisName(range.as)}`) : '',
      ),
    ),
    ']',
  );
}

type Operation = ast.Binary | ast.Compare | ast.Logical | ast.Dot;

const operatorOf = (expr: Operation): string => (expr.kind === 'Dot' ? '@' : expr.op);

/** Operators of one level in a row break together, each at the head of its line. */
function printOperators(printer: ExpressionPrinter, expr: Operation): Doc {
  const operator = binaryOperators.get(operatorOf(expr));
  if (operator === undefined) throw new CompilerBug('print', `no precedence for ${operatorOf(expr)}`);
  const { level, associates } = operator;
  const isSame = (e: ast.AstExpr): e is Operation =>
    (e.kind === 'Binary' || e.kind === 'Compare' || e.kind === 'Logical' || e.kind === 'Dot') &&
    levelOf(e) === level &&
    (e === expr || !isGrouped(printer, e));
  const rest: { readonly op: string; readonly right: ast.AstExpr }[] = [];
  let left: ast.AstExpr = expr;
  if (associates === 'left')
    for (; isSame(left); left = left.left) rest.unshift({ op: operatorOf(left), right: left.right });
  else {
    left = expr.left;
    let at: Operation = expr;
    // `a @ (b @ c)` is a row: what is right of an operator gives its own left to the row. Comparisons make no rows.
    for (; associates === 'right' && isSame(at.right); at = at.right)
      rest.push({ op: operatorOf(at), right: at.right.left });
    rest.push({ op: operatorOf(at), right: at.right });
  }
  // A minus sign may stand right of `**`, not left of it.
  const leftLevel = associates === 'left' ? level : level + 1;
  const rightLevel = level === levels.power ? levels.negate : level + 1;
  const last = rest.at(-1);
  // A block at the end goes on from where it begins: `h + (if c { a }`, with its own lines below.
  const hugged = last && isBlock(last.right) ? rest.pop() : undefined;
  const parts = rest.map(({ op, right }) => concat(line, `${op} `, operand(printer, right, rightLevel)));
  const row = group(concat(operand(printer, left, leftLevel), indent(concatAll(parts))));
  return hugged ? concat(row, ` ${hugged.op} `, operand(printer, hugged.right, rightLevel)) : row;
}

function printPipe(printer: ExpressionPrinter, expr: ast.Pipe): Doc {
  const steps: ast.Pipe[] = [];
  let input: ast.AstExpr = expr;
  for (; input.kind === 'Pipe'; input = input.input) steps.unshift(input);
  const broken = steps.some((step) => /[\n\r]/.test(printer.text.slice(step.input.span.end, step.callee.span.start)));
  const parts = steps.map((step) => {
    const args = step.args.length > 0 ? printArgs(printer, step.args) : '';
    return concat(broken ? hard : line, '|> ', printExpr(printer, step.callee), args);
  });
  return group(concat(printExpr(printer, input), indent(concatAll(parts))));
}

function printChain(printer: ExpressionPrinter, expr: ast.Chain): Doc {
  const carries = expr.carries.map(({ name, type, initial }) =>
    concat(name.text, type ? `: ${typeText(type)}` : '', initial ? concat(' = ', printExpr(printer, initial)) : ''),
  );
  const [only] = carries;
  const carried = carries.length === 1 && only !== undefined ? only : bracketed('(', carries, ')');
  const collecting = expr.collecting ? ` collecting ${patternText(expr.collecting)}` : '';
  const head = concat(`chain ${expr.index.text} in ${axisName(expr.axis)} carrying `, carried, `${collecting} `);
  return concat(head, printer.printBody(expr.body));
}

export function patternText(pattern: ast.Pattern): string {
  const names = pattern.names.map((name) => name.text).join(', ');
  return pattern.names.length === 1 ? names : `(${names})`;
}

/**
 * Short branches stand on one line, or each on its own under the `if` (a ladder); longer ones go on after the brace.
 * The braces of a ladder do not break: what is printed must look as short to the next printing.
 */
function printIf(printer: ExpressionPrinter, expr: ast.If): Doc {
  const heads: Doc[] = [];
  const bodies: ast.Body[] = [];
  let at: ast.If | ast.Body = expr;
  for (; at.kind === 'If'; at = at.otherwise) {
    heads.push(concat('if ', printAlone(printer, at.condition, levels.or), ' '));
    bodies.push(at.then);
  }
  heads.push('');
  bodies.push(at);
  const branches = (print: (body: ast.Body) => Doc): readonly Doc[] =>
    bodies.map((body, i) => concat(heads[i] ?? '', print(body)));
  if (!bodies.every((body) => printer.isShort(body))) return join(' else ', branches(printer.printBody));
  const isLadder = bodies.some(
    (body, i) => i > 0 && /[\n\r]/.test(printer.text.slice(bodies[i - 1]?.span.end, body.span.start)),
  );
  const rungs = branches((body) => concat('{ ', printExpr(printer, body.result), ' }'));
  return align(group(join(concat(isLadder ? hard : line, 'else '), rungs)));
}
