/**
 * `chain l in L carrying h = x collecting p { … }`: a fold over an axis. Carried values keep their types. Over a static axis the index
 * is one of compiling; over an axis whose size a run decides it is a value, and what is carried and collected is dense.
 */
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { IndexId, LocalId } from '../types/ids.ts';
import { axesOfType, hasAxis } from '../types/axes.ts';
import { coerce } from './check-coercions.ts';
import type { Context } from './context.ts';
import { resolveAxisName } from './lookup.ts';
import type { AxisVar, ChainExpr, Expr, ValueType } from '../types/program.ts';
import {
  errorValue,
  finishBody,
  NameScope,
  type CheckedBody,
  type Entity,
  type ExprContext,
  type CheckedValue,
} from './name-scope.ts';
import { checkType } from './type-exprs.ts';
import { formatType, listWords } from './types.ts';
import { typedValue, spanOf, toExpr } from './values.ts';
import { mayName } from './shadowing.ts';

/** `chain l in L carrying h = x collecting p { … }`: a fold over an axis. */
export function checkChain(cx: Context, env: ExprContext, chain: ast.Chain): CheckedValue {
  const { scope } = env;
  const axis = resolveAxisName(cx, scope, chain.axis);
  const step = axis !== null && cx.isDynamic(axis.axis) ? cx.fresh<LocalId>() : null;
  const inside = new NameScope(scope, scope.owner);
  const index = cx.fresh<IndexId>();
  const carries = chain.carries.map((carry) => ({ carry, ...checkStart(cx, env, carry) }));
  const free = mayName(cx, scope, chain.index.text, chain.index.span);
  if (axis === null || !free) inside.set(chain.index.text, { kind: 'error' }, chain.index.span);
  else if (step !== null) {
    cx.stepAxes.set(step, axis);
    const type: ValueType = { kind: 'tensor', element: 'i32', axes: [], within: axis };
    inside.set(chain.index.text, { kind: 'local', local: step, type, untyped: false }, chain.index.span);
  } else {
    cx.indices.set(index, axis);
    cx.steps.set(index, { name: chain.index.text, span: chain.index.span });
    inside.set(chain.index.text, { kind: 'index', index, axis }, chain.index.span);
  }
  const locals = carries.map(({ carry, type }) => {
    const local = cx.fresh<LocalId>();
    const named = mayName(cx, scope, carry.name.text, carry.name.span);
    const entity: Entity = type === null || !named ? { kind: 'error' } : { kind: 'local', local, type, untyped: false };
    inside.set(carry.name.text, entity, carry.name.span);
    return local;
  });
  const body = cx.body(inside, chain.body);
  const collected = (chain.collecting?.names ?? []).map((name) => collect(cx, body, name, axis));
  const result = chainResult(cx, chain, carries, body);
  if (result === null || axis === null || carries.some((c) => c.start === null) || collected.some((c) => c === null))
    return errorValue;

  if (step !== null && !isDense(cx, chain, axis, carries, collected)) return errorValue;
  const block = finishBody(body, result);
  const types: ValueType[] = carries.flatMap((c) => (c.type === null ? [] : [c.type]));
  const collecting: { local: LocalId; name: string }[] = [];
  for (const c of collected) {
    if (c === null) continue;
    types.push(c.type);
    collecting.push({ local: c.local, name: c.name });
  }
  const [only] = types;
  if (block === null || only === undefined) return errorValue;
  const expr: ChainExpr & { type: ValueType; span: Span } = {
    kind: 'chain',
    index,
    step,
    axis,
    carries: carries.flatMap(({ carry, start, type }, i) => {
      const local = locals[i];
      return start === null || type === null || local === undefined
        ? []
        : [{ local, name: carry.name.text, type, start }];
    }),
    body: block,
    collecting,
    type: types.length === 1 ? only : { kind: 'tuple', items: types.map((type) => ({ type })) },
    span: chain.span,
  };
  return typedValue(expr);
}

/** A chain that is not unrolled keeps what it carries and collects in memory of a shape that does not depend on the step. */
function isDense(
  cx: Context,
  chain: ast.Chain,
  axis: AxisVar,
  carries: readonly { readonly carry: ast.Carry; readonly type: ValueType | null }[],
  collected: readonly (Collected | null)[],
): boolean {
  const named = [
    ...carries.map(({ carry, type }) => ({ name: carry.name.text, type, span: carry.span, does: 'carries' })),
    ...collected.map((c, i) => ({
      name: c?.name ?? '',
      type: c?.type ?? null,
      span: chain.collecting?.names[i]?.span ?? chain.span,
      does: 'collects',
    })),
  ];
  const route = named.find(({ type }) => type?.kind === 'route');
  if (route === undefined) return true;
  const name = cx.nameOf(axis);
  cx.report('MOE0326', route.span, {
    message: `a chain over ${name}, whose size a run decides, ${route.does} the route ${route.name}: its steps are not written out, and what goes from one to the next is dense`,
    labels: [{ span: cx.axisOf(axis).span, text: `${name} is declared here` }],
    help: `give the axis a size, axis ${name} = …, or take the numbers: dense(${route.name})`,
  });
  return false;
}

function checkStart(
  cx: Context,
  env: ExprContext,
  carry: ast.Carry,
): { readonly start: Expr | null; readonly type: ValueType | null } {
  const initial: ast.AstExpr = carry.initial ?? {
    kind: 'Name',
    name: carry.name.text,
    primes: 0,
    span: carry.name.span,
  };
  const value = cx.expr({ scope: env.scope, points: null }, initial);
  if (carry.type === undefined) {
    const start = toExpr(cx, value, null, initial.span);
    return { start, type: start?.type ?? null };
  }
  const type = checkType(cx, env.scope, carry.type);
  return { start: coerce(cx, value, type, { what: carry.name.text, span: carry.type.span }, initial.span), type };
}

/** The body's result as the carried values: their types are loop-invariant. */
function chainResult(
  cx: Context,
  chain: ast.Chain,
  carries: readonly { readonly carry: ast.Carry; readonly type: ValueType | null }[],
  body: CheckedBody,
): Expr | null {
  if (body.result.kind === 'error' || carries.some((c) => c.type === null)) return null;
  const [first] = carries;
  const types = carries.flatMap((c) => (c.type === null ? [] : [c.type]));
  const names = listWords(carries.map((c) => c.carry.name.text));
  if (first === undefined) return null;
  const one = types.length === 1 ? types[0] : undefined;
  const count = body.result.kind === 'tuple' ? body.result.items.length : tupleSize(body.result);
  if (count !== types.length && !(one !== undefined && count === 1)) {
    cx.report('MOE0311', body.span, {
      message: `the chain carries ${names}, its body gives ${count === 1 ? 'one value' : `${count} values`}`,
      labels: [{ span: chain.carries[0]?.span ?? chain.span, text: 'carried from step to step' }],
    });
    return null;
  }
  const to: ValueType = one ?? { kind: 'tuple', items: types.map((type) => ({ type })) };
  const written = { what: `the carried ${names}`, span: first.carry.span, broadcast: false, code: 'MOE0310' } as const;
  const fits = growth(cx, chain, carries, body);
  return fits ? coerce(cx, body.result, to, written, body.span) : null;
}

function tupleSize(value: CheckedValue): number {
  return value.kind === 'value' && value.expr.type.kind === 'tuple' ? value.expr.type.items.length : 1;
}

/** A start with fewer axes than a step gives: the usual mistake, with its own help. */
function growth(
  cx: Context,
  chain: ast.Chain,
  carries: readonly { readonly carry: ast.Carry; readonly type: ValueType | null }[],
  body: CheckedBody,
): boolean {
  const results = body.result.kind === 'tuple' ? body.result.items : [body.result];
  for (const [i, { carry, type }] of carries.entries()) {
    const result = results[i];
    if (result?.kind !== 'value' || type === null || result.expr.type.kind !== type.kind || type.kind === 'tuple')
      continue;
    const now = axesOfType(result.expr.type);
    const before = axesOfType(type);
    if (now.length <= before.length || !before.every((a) => hasAxis(now, a))) continue;
    const added = now.filter((a) => !hasAxis(before, a));
    const whole = wholeFamily(cx, result.expr, chain.axis.name, added);
    if (whole !== null) {
      cx.report('MOE0310', whole.span, {
        message: `${whole.name} is called for every point of ${chain.axis.name} here, which makes ${carry.name.text} ${formatType(result.expr.type, cx.nameOf)}`,
        labels: [{ span: carry.span, text: `starts as ${formatType(type, cx.nameOf)}` }],
        help: `say whose it is in this step: \`${whole.name}[${chain.index.text}]\``,
      });
      return false;
    }
    const start = carry.initial === undefined ? carry.name.text : '…';
    cx.report('MOE0310', spanOf(result, body.span), {
      message: `${carry.name.text} starts as ${formatType(type, cx.nameOf)}, a step makes it ${formatType(result.expr.type, cx.nameOf)}`,
      labels: [{ span: carry.span, text: `starts as ${formatType(type, cx.nameOf)}` }],
      help: `write its type: ${carry.name.text}: ${formatType(result.expr.type, cx.nameOf)} = ${start}`,
    });
    return false;
  }
  return true;
}

/** The call that brings the chain's axis into a step: of a family over it, without an index. */
function wholeFamily(
  cx: Context,
  root: Expr,
  axis: string,
  added: readonly AxisVar[],
): { readonly name: string; readonly span: Span } | null {
  const seen = new Set<Expr>();
  const search = (expr: Expr): { readonly name: string; readonly span: Span } | null => {
    if (seen.has(expr)) return null;
    seen.add(expr);
    for (const part of partsOf(cx, expr)) {
      const found = search(part);
      if (found !== null) return found;
    }
    const family = cx.called.get(expr);
    const brings = family?.axes.some((a) => hasAxis(added, a) && cx.nameOf(a) === axis) === true;
    return family !== undefined && brings ? { name: family.name, span: expr.span } : null;
  };
  return search(root);
}

/** The expressions that an expression is made of, in the order of the text; of a local, what it was bound to. */
function partsOf(cx: Context, expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'static':
    case 'variable':
      return [];
    case 'local': {
      const value = cx.bound.get(expr.local);
      return value === undefined ? [] : [value];
    }
    case 'primitive':
      return [...expr.args.values()];
    case 'call':
      return expr.args;
    case 'tuple':
      return expr.items;
    case 'if':
      return [expr.then.result, expr.else.result];
    case 'chain':
      return [...expr.carries.map((c) => c.start), expr.body.result];
    case 'coerce':
    case 'embed':
      return [expr.value];
  }
}

interface Collected {
  readonly local: LocalId;
  readonly name: string;
  readonly type: ValueType;
}

/** A `let` of the step's body, with the chain's axis in front. */
function collect(cx: Context, body: CheckedBody, name: ast.Ident, axis: AxisVar | null): Collected | null {
  const binding = body.scope.own(name.text);
  const entity = binding?.entity;
  if (entity?.kind === 'error') return null;
  if (entity?.kind === 'static' && body.statements.every((s) => s.kind !== 'let' || !s.names.includes(name.text))) {
    cx.report('MOE0312', name.span, {
      message: `${name.text} is known when compiling, there is nothing to collect`,
      help: 'use it where it is needed',
    });
    return null;
  }
  if (entity?.kind !== 'local') {
    const lets = body.statements.flatMap((s) => (s.kind === 'let' ? s.names : [])).filter((n) => n !== '_');
    cx.report('MOE0312', name.span, {
      message: `the chain's body has no \`let ${name.text}\` to collect`,
      help:
        lets.length > 0 ? `its lets are ${listWords(lets)}` : `bind it: let ${name.text === '_' ? 'a' : name.text} = …`,
    });
    return null;
  }
  if (axis === null) return null;
  const { type, local } = entity;
  if (type.kind === 'tuple') {
    cx.report('MOE0312', name.span, {
      message: `${name.text} is a tuple, its items are collected one by one`,
      help: 'take it apart with `let (a, b) = …`',
    });
    return null;
  }
  if (hasAxis(axesOfType(type), axis)) {
    cx.report('MOE0312', name.span, {
      message: `${name.text} already has the axis ${cx.nameOf(axis)}, which collecting adds`,
      help: `rename it: rename(…, ${cx.nameOf(axis)}: ${cx.nameOf(axis)}')`,
    });
    return null;
  }
  const stacked: ValueType =
    type.kind === 'tensor' ? { ...type, axes: [axis, ...type.axes] } : { ...type, sources: [axis, ...type.sources] };
  return { local, name: name.text, type: stacked };
}
