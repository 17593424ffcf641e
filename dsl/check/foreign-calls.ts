/**
 * Calls and members that another library has: `torch.softmax(x)`, `matmul(a, b)`, `x.view(T, D)`, `w.T`. They are told with the form
 * of this language (foreign-idioms.ts), and what stands in their arguments is still checked.
 */
import type * as ast from '../syntax/ast.ts';
import { axesOfType } from '../types/axes.ts';
import { primitivesNamed } from '../primitives/primitive-table.ts';
import type { Context } from './context.ts';
import { adviceFor, isForeignModule, shown } from './foreign-idioms.ts';
import type { Argument } from './check-primitive-calls.ts';
import { errorValue, type ExprContext, type CheckedValue } from './name-scope.ts';

/** An error value after the diagnostic, if the callee is a name of another library; else null. */
export function foreignCall(
  cx: Context,
  env: ExprContext,
  callee: ast.AstExpr,
  args: readonly Argument[],
): CheckedValue | null {
  const unknown = (name: string): boolean => env.scope.lookup(name) === null && primitivesNamed(name).length === 0;
  const operands = args.flatMap((a) => (a.ast === null ? [] : [a.ast]));
  if (callee.kind === 'Name') {
    if (callee.primes > 0 || !unknown(callee.name) || adviceFor(callee.name, operands, null) === undefined) return null;
    const axis = checkArguments(cx, env, args);
    cx.report('MOE0201', callee.span, {
      message: `nothing is called ${callee.name}`,
      help: adviceFor(callee.name, operands, axis),
    });
    return errorValue;
  }
  if (callee.kind !== 'Path') return null;
  const { root, last } = endsOf(callee);
  const modules = root.kind === 'Name' && isForeignModule(root.name);
  if (root.kind === 'Name' && (unknown(root.name) || (modules && isAxis(env, root.name)))) {
    if (!modules) return null;
    const axis = checkArguments(cx, env, args);
    cx.report('MOE0201', callee.span, {
      message: `nothing is called ${shown(callee)}`,
      help: helpFor(last, operands, axis, operands) ?? 'operations are called by their names: `softmax(x, over: D)`',
    });
    return errorValue;
  }
  const target = cx.expr({ ...env, points: null }, callee.target);
  // What is no value has been told, or is a family, whose members are params.
  if (target.kind === 'family') return null;
  checkArguments(cx, env, args);
  if (target.kind !== 'error') reportMember(cx, callee, target, operands);
  return errorValue;
}

/** `F` is also what many call an axis. */
function isAxis(env: ExprContext, name: string): boolean {
  return env.scope.lookup(name)?.binding.entity.kind === 'axis';
}

/** `x.T`: a value has no members. */
export function reportMember(
  cx: Context,
  path: ast.PathExpr,
  target: CheckedValue,
  operands: readonly ast.AstExpr[] = [],
): void {
  const all = [path.target, ...operands];
  cx.report('MOE0214', path.span, {
    message: `a value has no members: nothing is called .${path.name.text}`,
    help:
      helpFor(path.name.text, all, lastAxis(cx, target), all) ??
      'operations are called by their names, `f(x)`; only a function has params to name, `ffn.w1`',
  });
}

function helpFor(
  name: string,
  operands: readonly ast.AstExpr[],
  axis: string | null,
  all: readonly ast.AstExpr[],
): string | undefined {
  const advice = adviceFor(name, operands, axis);
  if (advice !== undefined) return advice;
  const own = name.replace(/_$/, '');
  const [rule] = primitivesNamed(own);
  if (rule === undefined) return undefined;
  const called = (written: string): string => `operations are called by their names: \`${own}${written}\``;
  if (rule.syntax === 'made') return called(`[${all.map(shown).join(', ')}]`);
  // An axis was a number there: what comes after the tensor is left to the author.
  const takesAxis = rule.parameters.some((p) => p.name === 'over');
  const written = (takesAxis ? all.slice(0, 1) : all).map(shown);
  return called(`(${[...written, ...(takesAxis ? [`over: ${axis ?? 'D'}`] : [])].join(', ')})`);
}

const isNoElement = ({ ast: expr }: Argument): boolean =>
  expr === null || expr.kind !== 'Name' || !/^(?:f32|f16|i32|bool)$/.test(expr.name);

/** Checks the arguments for their own mistakes; the last axis of the first. */
function checkArguments(cx: Context, env: ExprContext, args: readonly Argument[]): string | null {
  // `x.to(f16)`: the name of an element type is no value.
  const values = args
    .filter(isNoElement)
    .map((arg) => arg.value ?? (arg.ast === null ? errorValue : cx.expr(env, arg.ast)));
  return values[0] === undefined ? null : lastAxis(cx, values[0]);
}

function lastAxis(cx: Context, value: CheckedValue): string | null {
  if (value.kind !== 'value' || value.expr.type.kind === 'tuple') return null;
  // Features have a size of their own, tokens that of the run.
  const axes = axesOfType(value.expr.type);
  const axis = axes.findLast((a) => !cx.isDynamic(a.axis)) ?? axes.at(-1);
  return axis === undefined ? null : cx.nameOf(axis);
}

function endsOf(path: ast.PathExpr): { readonly root: ast.AstExpr; readonly last: string } {
  let root: ast.AstExpr = path.target;
  while (root.kind === 'Path') root = root.target;
  return { root, last: path.name.text };
}
