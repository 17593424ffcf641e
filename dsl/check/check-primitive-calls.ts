/**
 * Calls of primitives: written arguments are bound to the parameters of dsl/primitives, open element types settled, the typing
 * rule asked, and the normal form of dsl/types/primitive-names.ts written.
 *
 * A primitive of which all values are static and which has a static form is a static: `max(K, floor(T / E))` stays a size.
 */
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { PrimitiveName } from '../types/primitive-names.ts';
import { axesOfType, hasAxis } from '../types/axes.ts';
import { isProblem, type Parameter, type Primitive } from '../primitives/primitive.ts';
import { primitive, primitivesNamed } from '../primitives/primitive-table.ts';
import { nameHelp, type Context } from './context.ts';
import { behind } from './contraction-help.ts';
import { argumentAdvice } from './foreign-idioms.ts';
import { axesOfExpr, axesOfLabel } from './lookup.ts';
import type { AxisVar, ElementType, Expr, Static, StaticOp, ValueType } from '../types/program.ts';
import { errorValue, type ExprContext, type CheckedValue } from './name-scope.ts';
import { staticOp } from './check-statics.ts';
import { listAxes, listWords } from './types.ts';
import { elementOf, reportFamily, spanOf, toExpr } from './values.ts';

/** An argument as written, or one that is already a value (the left of `|>`). */
export interface Argument {
  readonly label: ast.ArgLabel | null;
  readonly ast: ast.AstExpr | null;
  readonly value: CheckedValue | null;
  readonly span: Span;
}

export function writtenArguments(args: readonly ast.Arg[]): readonly Argument[] {
  return args.map((a) => ({ label: a.label ?? null, ast: a.value, value: null, span: a.value.span }));
}

/** Parameters bound to arguments; `pairs` are the `left: right` arguments of rename and its like. */
interface Bound {
  readonly primitive: Primitive;
  readonly arguments: ReadonlyMap<Parameter, Argument>;
  readonly pairs: readonly Argument[];
}

/** What is wrong with the arguments of a candidate: tells candidates apart before anything is reported. */
interface BindingProblem {
  readonly span: Span;
  readonly message: string;
  readonly help?: string;
  /** An argument that it has not. */
  readonly label?: string;
  readonly rank: number;
}

/** Operations that a static keeps a static, by the name a program calls them by. */
const staticForms: ReadonlyMap<PrimitiveName, StaticOp> = new Map<PrimitiveName, StaticOp>([
  ['neg', 'neg'],
  ['add', 'add'],
  ['sub', 'sub'],
  ['mul', 'mul'],
  ['div', 'div'],
  ['mod', 'mod'],
  ['pow', 'pow'],
  ['minimum', 'min'],
  ['maximum', 'max'],
  ['floor', 'floor'],
  ['ceil', 'ceil'],
  ['abs', 'abs'],
  ['sign', 'sign'],
  ['clamp', 'clamp'],
  ['sqrt', 'sqrt'],
  ['rsqrt', 'rsqrt'],
  ['exp', 'exp'],
  ['log', 'log'],
  ['sin', 'sin'],
  ['cos', 'cos'],
  ['tanh', 'tanh'],
  ['eq', 'eq'],
  ['ne', 'ne'],
  ['lt', 'lt'],
  ['le', 'le'],
  ['gt', 'gt'],
  ['ge', 'ge'],
  ['and', 'and'],
  ['or', 'or'],
  ['not', 'not'],
]);

/** Operations whose result is open when all their values are: of literals, `iota` and the weights 1. */
const passOn: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'where',
  'neg',
  'abs',
  'sign',
  'add',
  'sub',
  'mul',
  'mod',
  'minimum',
  'maximum',
  'clamp',
  'sum',
  'max',
  'min',
  'cumsum',
  'rename',
  'split',
  'merge',
  'concat',
  'at',
  'window',
  'part',
  'gather',
  'keep',
  'limit',
  'stop_gradient',
  'dense',
]);

/** Types a call by name, `softmax(s, over: E)`. */
export function callPrimitive(
  cx: Context,
  env: ExprContext,
  name: string,
  args: readonly Argument[],
  span: Span,
): CheckedValue {
  const candidates = primitivesNamed(name);
  let best: BindingProblem | null = null;
  for (const candidate of candidates) {
    const bound = bind(candidate, name, args, span);
    if (!('rank' in bound)) return checkBound(cx, env, bound, span);
    if (best === null || bound.rank < best.rank) best = bound;
  }
  if (best === null) return errorValue;
  // The operands are read for their own mistakes, and for what advice has to say of them.
  const inner: ExprContext = { scope: env.scope, points: null };
  const values = args.map((a) => (a.label === null ? valueOf(cx, inner, a) : null));
  const idiom = best.label === undefined ? undefined : idiomAdvice(cx, best.label, args, values[0] ?? null);
  cx.report('MOE0328', best.span, { message: best.message, help: idiom ?? best.help ?? usage(candidates) });
  return errorValue;
}

/** The advice for an argument that other libraries have: `dim: -1`, `keepdim: true`. */
function idiomAdvice(
  cx: Context,
  label: string,
  args: readonly Argument[],
  operand: CheckedValue | null,
): string | undefined {
  const given = args.find((a) => a.label?.kind === 'NameLabel' && a.label.name === label)?.ast;
  const minus = given?.kind === 'Unary' && given.op === '-';
  const number = minus ? given.operand : given;
  const index = number?.kind === 'Number' ? (minus ? -number.value : number.value) : null;
  return argumentAdvice(cx, label, index, operand?.kind === 'value' ? operand.expr.type : null);
}

function usage(candidates: readonly Primitive[]): string | undefined {
  const example = candidates[0]?.documentation.example;
  return example === undefined ? undefined : `for example: ${example}`;
}

function bind(candidate: Primitive, name: string, args: readonly Argument[], span: Span): Bound | BindingProblem {
  const bound = new Map<Parameter, Argument>();
  const pairs: Argument[] = [];
  const positional = candidate.parameters.filter((p) => p.positional);
  let position = 0;
  for (const arg of args) {
    const label = arg.label;
    if (label === null) {
      const parameter = positional[position++];
      if (parameter === undefined) {
        const takes =
          positional.length === 0
            ? 'no argument without a name'
            : `${positional.length} ${positional.length === 1 ? 'argument' : 'arguments'} without a name`;
        return { span: arg.span, message: `${name} takes ${takes}`, rank: 1 };
      }
      bound.set(parameter, arg);
      continue;
    }
    const parameter =
      label.kind === 'NameLabel' && label.primes === 0
        ? candidate.parameters.find((p) => p.name === label.name)
        : undefined;
    if (parameter !== undefined) {
      if (bound.has(parameter)) return { span: label.span, message: `${parameter.name} is given twice`, rank: 2 };
      bound.set(parameter, arg);
    } else if (candidate.syntax === 'pairs') {
      pairs.push(arg);
    } else {
      const named = candidate.parameters.filter((p) => !p.positional).map((p) => p.name);
      const text = label.kind === 'NameLabel' ? label.name : 'axes';
      const near = nameHelp(text, label.span, named).help;
      const takes = named.length === 0 ? undefined : `${name} takes ${listWords(named.map((n) => `${n}:`))}`;
      return {
        span: label.span,
        message: `${name} has no argument called ${text}`,
        help: near ?? takes,
        label: text,
        rank: 3,
      };
    }
  }
  for (const p of candidate.parameters) {
    if (p.optional || bound.has(p)) continue;
    if (candidate.pairs !== undefined && (p.name === candidate.pairs.left || p.name === candidate.pairs.right)) {
      if (pairs.length > 0) continue;
      return { span, message: `${name} needs a pair of axes`, rank: 4 };
    }
    return { span, message: `${name} needs ${p.positional ? `its argument ${p.name}` : `${p.name}:`}`, rank: 4 };
  }
  return { primitive: candidate, arguments: bound, pairs };
}

/** Reads the bound arguments and finishes the call. */
function checkBound(cx: Context, env: ExprContext, bound: Bound, span: Span): CheckedValue {
  const inner: ExprContext = { scope: env.scope, points: null };
  const values = new Map<string, CheckedValue>();
  const axes = new Map<string, readonly AxisVar[]>();
  const attributes = new Map<string, Static>();
  const spans = new Map<string, Span>();
  let whole = true;
  const fail = () => {
    whole = false;
  };
  for (const [parameter, argument] of bound.arguments) {
    spans.set(parameter.name, argument.span);
    if (parameter.kind === 'axes') {
      const found = argument.ast === null ? null : axesOfExpr(cx, env.scope, argument.ast);
      if (argument.ast === null) cx.report('MOE0204', argument.span, { message: 'an axis is wanted here' });
      if (found === null) fail();
      else axes.set(parameter.name, found);
      continue;
    }
    const parts = parameter.many === true && argument.ast?.kind === 'Tuple' ? argument.ast.items : null;
    const read = parts === null ? [valueOf(cx, inner, argument)] : parts.map((part) => cx.expr(inner, part));
    read.forEach((value, i) => {
      const key = parameter.many === true ? `${parameter.name}${i}` : parameter.name;
      const where = parts?.[i]?.span ?? argument.span;
      spans.set(key, where);
      if (value.kind === 'error') return fail();
      if (value.kind === 'family') {
        reportFamily(cx, value.family, where);
        return fail();
      }
      if (value.kind === 'static' && parameter.kind !== 'value') return void attributes.set(key, value.value);
      if (parameter.kind === 'static') {
        cx.report('MOE0305', where, {
          message: `${parameter.name} must be known when compiling, this is computed at a run`,
          help: 'a number made of literals, consts and sizes is known',
        });
        return fail();
      }
      values.set(key, value);
    });
  }
  const pairs = bound.primitive.pairs;
  if (pairs !== undefined && bound.pairs.length > 0) {
    const left: AxisVar[] = [];
    const right: AxisVar[] = [];
    for (const pair of bound.pairs) {
      const from = pair.label === null ? null : axesOfLabel(cx, env.scope, pair.label);
      const to = pair.ast === null ? null : axesOfExpr(cx, env.scope, pair.ast);
      if (from === null || to === null) fail();
      else {
        left.push(...from);
        right.push(...to);
      }
    }
    axes.set(pairs.left, left);
    axes.set(pairs.right, right);
    const [first] = bound.pairs;
    if (first !== undefined) {
      spans.set(pairs.left, first.label?.span ?? first.span);
      spans.set(pairs.right, first.span);
    }
  }
  if (!whole) return errorValue;
  return applyPrimitive(cx, bound.primitive.name, { values, axes, attributes, spans }, span);
}

function valueOf(cx: Context, env: ExprContext, argument: Argument): CheckedValue {
  if (argument.value !== null) return argument.value;
  return argument.ast === null ? errorValue : cx.expr(env, argument.ast);
}

/** The parts of a call, bound to parameters; operands are values of no settled element type yet. */
export interface Operands {
  readonly values: ReadonlyMap<string, CheckedValue>;
  readonly axes?: ReadonlyMap<string, readonly AxisVar[]>;
  readonly attributes?: ReadonlyMap<string, Static>;
  readonly spans?: ReadonlyMap<string, Span>;
  /** Only for `convert`: the element type named. */
  readonly element?: ElementType;
}

/** Finishes a call of a primitive from its operands: folds statics, settles element types, asks the typing rule. */
export function applyPrimitive(cx: Context, name: PrimitiveName, operands: Operands, span: Span): CheckedValue {
  const { values } = operands;
  for (const value of values.values()) if (value.kind === 'error') return errorValue;
  const form = staticForms.get(name);
  const given = [...values.values()].flatMap((v) => (v.kind === 'static' ? [v.value] : []));
  if (form !== undefined && given.length === values.size && given.length > 0) {
    const folded = staticOp(cx, form, given, span);
    return folded === null ? errorValue : { kind: 'static', value: folded };
  }
  const rule = primitive(name);
  const parameters = new Map(rule.parameters.map((p) => [p.name, p]));
  const parameterOf = (key: string) => parameters.get(key) ?? parameters.get(key.replace(/\d+$/, ''));
  const settledElement = (key: string): ElementType | undefined => parameterOf(key)?.element;

  // Operands without an element type of their own adopt that of the others.
  let met: ElementType | null = null;
  let open = true;
  for (const [key, value] of values) {
    if (settledElement(key) !== undefined || parameterOf(key)?.apart === true || value.kind !== 'value') continue;
    const element = elementOf(value.expr.type);
    if (value.typedAs === null && element !== 'bool') {
      open = false;
      met ??= element === 'f16' ? 'f32' : element;
    }
  }
  const build = (element: ElementType | null): Expr | null => finish(cx, rule, operands, settledElement, element, span);
  const expr = build(operands.element ?? met);
  if (expr === null) return errorValue;
  const untyped =
    operands.element === undefined &&
    ((rule.untyped && !(rule.unless !== undefined && values.has(rule.unless))) ||
      (open && passOn.has(name) && given.every((s) => s.type !== 'string')));
  if (!untyped || elementOf(expr.type) === 'bool') return { kind: 'value', expr, typedAs: null };
  return {
    kind: 'value',
    expr,
    typedAs: (element) => (elementOf(expr.type) === element ? expr : (build(element) ?? expr)),
  };
}

function finish(
  cx: Context,
  rule: Primitive,
  operands: Operands,
  settledElement: (key: string) => ElementType | undefined,
  element: ElementType | null,
  span: Span,
): Expr | null {
  const args = new Map<string, Expr>();
  for (const [key, value] of operands.values) {
    const wanted = settledElement(key) ?? (rule.name === 'convert' ? null : element);
    // A route is a condition as it is, where it is present: its weights are numbers and stay numbers.
    const present = wanted === 'bool' && value.kind === 'value' && value.expr.type.kind === 'route';
    const expr = toExpr(cx, value, present ? null : wanted, operands.spans?.get(key) ?? spanOf(value, span));
    if (expr === null) return null;
    args.set(key, expr);
  }
  const types = new Map<string, ValueType>([...args].map(([key, expr]) => [key, expr.type]));
  const axes = operands.axes ?? new Map<string, readonly AxisVar[]>();
  const attributes = operands.attributes ?? new Map<string, Static>();
  const answer = rule.infer({ args: types, axes, attributes: new Set(attributes.keys()), element, nameOf: cx.nameOf });
  if (isProblem(answer)) {
    const where =
      answer.at === undefined ? span : (operands.spans?.get(answer.at) ?? args.get(answer.at)?.span ?? span);
    const closed = answer.code === 'MOE0332' ? closedHelp(cx, args.get('x'), axes.get('over') ?? []) : undefined;
    cx.report(answer.code, where, { message: answer.message, help: closed ?? answer.help });
    return null;
  }
  const full = answer.axes === undefined ? axes : new Map([...axes, ...answer.axes]);
  return { kind: 'primitive', name: rule.name, args, axes: full, attributes, type: answer.type, span };
}

/** An axis that the function called has taken whole is gone from its result: what is left can still be reduced. */
function closedHelp(cx: Context, x: Expr | undefined, over: readonly AxisVar[]): string | undefined {
  if (x === undefined) return undefined;
  const call = behind(cx, x);
  const family = cx.called.get(call);
  if (call.kind !== 'call' || family === undefined) return undefined;
  const left = axesOfType(call.type);
  const gone = over.filter((axis) => !hasAxis(left, axis));
  if (!gone.every((axis) => call.args.some((arg) => hasAxis(axesOfType(arg.type), axis)))) return undefined;
  const rest = over.filter((axis) => hasAxis(left, axis)).map(cx.nameOf);
  const says = `${family.name} takes ${listAxes(gone, cx.nameOf)} whole, so its result has it no more`;
  if (rest.length === 0) return says;
  return `${says}: \`over: ${rest.length === 1 ? rest.join('') : `(${rest.join(', ')})`}\``;
}
