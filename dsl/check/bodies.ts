/**
 * Bodies: declarations, statements in order, a result; and the two expressions that have bodies, `if` and `chain`.
 */
import type * as ast from '../syntax/ast.ts';
import { unreachable } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { axesOfType, hasAxis, sameAxes } from '../algebra/primitive.ts';
import { elementTypes, type Env } from './lookup.ts';
import { primitivesNamed } from '../algebra/table.ts';
import { coerce, coerceExpr } from './coerce.ts';
import type { Context } from './context.ts';
import { checkDeclarations } from './declarations.ts';
import { checkExpr } from './infer-types.ts';
import { describe, resolve, resolveAxisName } from './lookup.ts';
import type { AxisVar, Block, ChainExpr, Declaration, ElementType, Expr, Id, Static, Stmt, ValueType } from './program.ts';
import { errorValue, Scope, type Entity, type Value } from './scope.ts';
import { staticIf } from './statics.ts';
import { checkType } from './type-exprs.ts';
import { formatType, listWords, tensorType } from './types.ts';
import { elementOf, settled, spanOf, toExpr } from './values.ts';

/** A checked body whose result has not been given a type yet. */
export interface CheckedBody {
  readonly scope: Scope;
  readonly declarations: readonly Declaration[];
  readonly statements: readonly Stmt[];
  readonly result: Value;
  readonly span: Span;
}

export function checkBody(cx: Context, parent: Scope, body: ast.Body): CheckedBody {
  const scope = new Scope(parent, parent.owner);
  const decls = body.items.filter((item): item is ast.Decl => !isStatement(item));
  for (const item of body.items) if (item.kind === 'Let') for (const name of item.pattern.names) scope.later.add(name.text);
  const declarations = checkDeclarations(cx, scope, decls);
  scope.later.clear();
  const statements: Stmt[] = [];
  const named = new Map<string, Span>();
  for (const item of body.items) if (isStatement(item)) checkStatement(cx, scope, item, statements, named);
  const result = checkExpr(cx, { scope, points: null }, body.result);
  return { scope, declarations: [...declarations, ...scope.made], statements, result, span: body.result.span };
}

/** The body with its result settled; null if the result has a mistake. */
export function finishBody(body: CheckedBody, result: Expr | null): Block | null {
  return result === null ? null : { declarations: body.declarations, statements: body.statements, result };
}

function isStatement(item: ast.BodyItem): item is ast.Stmt {
  return item.kind === 'Let' || item.kind === 'Update' || item.kind === 'Loss' || item.kind === 'Output';
}

// ---------------------------------------------------------------------------------------------------------- statements

function checkStatement(cx: Context, scope: Scope, stmt: ast.Stmt, out: Stmt[], named: Map<string, Span>): void {
  switch (stmt.kind) {
    case 'Let':
      return checkLet(cx, scope, stmt, out);
    case 'Update':
      return checkUpdate(cx, scope, stmt, out);
    case 'Loss':
    case 'Output':
      return checkReport(cx, scope, stmt, out, named);
    default:
      return unreachable(stmt, 'check');
  }
}

/** Whether a value may have this name: nothing shadows an axis, a const, a declaration or a name of the language. */
export function mayName(cx: Context, scope: Scope, name: string, span: Span): boolean {
  if (isPredefined(name)) {
    cx.report('MOE0203', span, { message: `${name} is a name of the language`, help: 'choose another name' });
    return false;
  }
  const found = scope.lookup(name);
  if (found === null || isShadowable(found.binding.entity)) return true;
  cx.report('MOE0203', span, {
    message: `${name} is ${describe(found.binding.entity)}, which a value does not shadow`,
    labels: found.binding.span === null ? [] : [{ span: found.binding.span, text: `${name} is declared here` }],
    help: 'choose another name',
  });
  return false;
}

export function isPredefined(name: string): boolean {
  return name === 'inf' || name === 'route' || elementTypes.has(name) || primitivesNamed(name).length > 0;
}

function isShadowable(entity: Entity): boolean {
  if (entity.kind === 'family') return entity.family.expr.kind === 'local_family';
  return entity.kind === 'local' || entity.kind === 'static' || entity.kind === 'index' || entity.kind === 'error';
}

/** A written type also says in which order the axes stand: an output of the value is laid out like that. */
function inWrittenOrder(expr: Expr, type: ValueType): Expr {
  if (expr.type.kind !== 'tensor' || type.kind !== 'tensor') return expr;
  const { axes } = expr.type;
  const same = type.axes.every((a, i) => a.axis === axes[i]?.axis && a.primes === axes[i].primes);
  return same ? expr : { kind: 'coerce', value: expr, type: { ...expr.type, axes: type.axes }, span: expr.span };
}

function checkLet(cx: Context, scope: Scope, stmt: ast.Let, out: Stmt[]): void {
  const { pattern, span } = stmt;
  let value = checkExpr(cx, { scope, points: null }, stmt.value);
  if (stmt.type !== undefined) {
    const type = checkType(cx, scope, stmt.type);
    const given = coerce(cx, value, type, { what: pattern.names[0]?.text ?? 'this', span: stmt.type.span }, stmt.value.span);
    value = settled(given === null || type === null ? given : inWrittenOrder(given, type));
  }
  const free = pattern.names.map((n) => n.text === '_' || mayName(cx, scope, n.text, n.span));
  const repeated = pattern.names.find((n, i) => n.text !== '_' && pattern.names.findIndex((m) => m.text === n.text) < i);
  if (repeated !== undefined) cx.report('MOE0202', repeated.span, { message: `${repeated.text} stands twice in this pattern` });
  const bind = (i: number, entity: Entity) => {
    const name = pattern.names[i];
    if (name !== undefined && name.text !== '_') scope.set(name.text, free[i] === true ? entity : { kind: 'error' }, name.span);
  };
  const [first] = pattern.names;
  if (value.kind === 'error' || first === undefined) {
    pattern.names.forEach((_, i) => bind(i, { kind: 'error' }));
    return;
  }

  if (pattern.names.length === 1) {
    if (value.kind === 'static') return bind(0, { kind: 'static', value: value.value });
    if (value.kind === 'family') {
      const local = cx.fresh();
      out.push({ kind: 'let_family', local, name: first.text, family: value.family.expr, span });
      return bind(0, { kind: 'family', family: { ...value.family, name: first.text, expr: { kind: 'local_family', local, span } } });
    }
    const expr = toExpr(cx, value, null, stmt.value.span);
    if (expr === null) return bind(0, { kind: 'error' });
    const local = first.text === '_' ? null : cx.fresh();
    out.push({ kind: 'let', locals: [local], names: [first.text], value: expr, span });
    if (local !== null) bind(0, { kind: 'local', local, type: expr.type, ones: value.kind === 'value' && value.adopt !== null });
    return;
  }

  const expr = toExpr(cx, value, null, stmt.value.span);
  const { names } = pattern;
  if (expr === null || expr.type.kind !== 'tuple' || expr.type.items.length !== names.length) {
    if (expr !== null) {
      const count = expr.type.kind === 'tuple' ? expr.type.items.length : 1;
      cx.report('MOE0311', pattern.span, {
        message: `${names.length} names take apart ${names.length} values, this is ${count === 1 ? `one, ${formatType(expr.type, cx.nameOf)}` : count}`,
        labels: [{ span: stmt.value.span, text: formatType(expr.type, cx.nameOf) }],
        help: '_ discards a value',
      });
    }
    names.forEach((_, i) => bind(i, { kind: 'error' }));
    return;
  }
  const { items } = expr.type;
  const locals = names.map((n) => (n.text === '_' ? null : cx.fresh()));
  out.push({ kind: 'let', locals, names: names.map((n) => n.text), value: expr, span });
  locals.forEach((local, i) => {
    const item = items[i];
    const ones = value.kind === 'tuple' && isOnes(value.items[i] ?? errorValue);
    if (local !== null && item !== undefined) bind(i, { kind: 'local', local, type: item.type, ones });
  });
}

function isOnes(value: Value): boolean {
  return value.kind === 'value' && value.adopt !== null;
}

function checkUpdate(cx: Context, scope: Scope, stmt: ast.Update, out: Stmt[]): void {
  const value = checkExpr(cx, { scope, points: null }, stmt.value);
  const { text: name, span } = stmt.name;
  const entity = resolve(cx, scope, name, span, (e) => e.kind === 'store' && e.declaration.store === 'state');
  if (entity === null || entity.kind === 'error' || entity.kind === 'pending') return;
  if (entity.kind !== 'store' || entity.declaration.store !== 'state') {
    cx.report('MOE0324', span, {
      message: `${name} is ${describe(entity)}, only a state can be updated`,
      help: entity.kind === 'local' || entity.kind === 'static' ? 'bind a new value: let …' : undefined,
    });
    return;
  }
  const { declaration } = entity;
  const expr = coerce(cx, value, declaration.type, { what: name, span: declaration.span }, stmt.value.span);
  scope.owner.found.updates ??= { state: name, span: stmt.span };
  if (expr !== null) out.push({ kind: 'update', store: declaration.id, value: expr, span: stmt.span });
}

function checkReport(cx: Context, scope: Scope, stmt: ast.Loss | ast.Output, out: Stmt[], named: Map<string, Span>): void {
  const kind = stmt.kind === 'Loss' ? 'loss' : 'output';
  const name = stmt.name.text;
  const before = named.get(`${kind} ${name}`);
  if (before !== undefined) {
    cx.report('MOE0327', stmt.name.span, {
      message: `this body has two of ${kind} ${name}`,
      labels: [{ span: before, text: 'the first one' }],
      help: kind === 'loss' ? 'add them, or give one another name' : 'give one another name',
    });
  }
  named.set(`${kind} ${name}`, stmt.name.span);
  const value = checkExpr(cx, { scope, points: null }, stmt.value);
  const expr = toExpr(cx, value, null, stmt.value.span);
  if (expr === null) return;
  const { type } = expr;
  if (kind === 'output') {
    if (type.kind === 'tuple') {
      cx.report('MOE0339', stmt.value.span, { message: 'an output is one tensor or route, this is a tuple', help: 'make an output of each item' });
      return;
    }
    out.push({ kind, name, value: expr, span: stmt.span });
    return;
  }
  if (type.kind !== 'tensor' || type.axes.length > 0 || (type.element !== 'f32' && type.element !== 'f16')) {
    const axes = type.kind === 'tuple' ? [] : axesOfType(type);
    const names = axes.map(cx.nameOf).join(', ');
    cx.report('MOE0323', stmt.value.span, {
      message: `a loss is one f32 number, this is ${formatType(type, cx.nameOf)}`,
      help: axes.length > 0 ? `reduce it: mean(…, over: ${axes.length === 1 ? names : `(${names})`})` : undefined,
    });
    return;
  }
  out.push({ kind, name, value: expr, span: stmt.span });
}

// ------------------------------------------------------------------------------------------------------------------ if

/** Both sides are typed and must agree; only the side that is taken will exist. */
export function checkIf(cx: Context, env: Env, expr: ast.If): Value {
  const condition = checkExpr(cx, { scope: env.scope, points: null }, expr.condition);
  const known = staticCondition(cx, condition, expr.condition.span);
  const then = checkSide(cx, env, expr.then);
  const otherwise = expr.otherwise.kind === 'If' ? elseIf(cx, env, expr.otherwise) : checkSide(cx, env, expr.otherwise);
  if (known === null || then.result.kind === 'error' || otherwise.result.kind === 'error') return errorValue;
  if (then.result.kind === 'static' && otherwise.result.kind === 'static' && isBare(then) && isBare(otherwise)) {
    const value = staticIf(cx, known, then.result.value, otherwise.result.value, expr.span);
    return value === null ? errorValue : { kind: 'static', value };
  }
  return joinSides(cx, known, then, otherwise, expr.span);
}

/** A side of an `if` in an index keeps the axis that is indexed: its result may be a named point. */
function checkSide(cx: Context, env: Env, body: ast.Body): CheckedBody {
  if (env.points !== null && body.items.length === 0) {
    const result = checkExpr(cx, env, body.result);
    return { scope: env.scope, declarations: [], statements: [], result, span: body.result.span };
  }
  return checkBody(cx, env.scope, body);
}

function elseIf(cx: Context, env: Env, expr: ast.If): CheckedBody {
  return { scope: env.scope, declarations: [], statements: [], result: checkIf(cx, env, expr), span: expr.span };
}

function isBare(body: CheckedBody): boolean {
  return body.statements.length === 0 && body.declarations.length === 0;
}

function staticCondition(cx: Context, value: Value, span: Span): Static | null {
  if (value.kind === 'error') return null;
  if (value.kind === 'static' && value.value.type === 'bool') return value.value;
  if (value.kind === 'static') {
    cx.report('MOE0304', span, { message: `the condition of an if is a bool, this is a ${value.value.type}`, help: 'compare it: … != 0' });
    return null;
  }
  cx.report('MOE0308', span, {
    message: 'the condition of an if must be known when compiling, this is computed at a run',
    help: 'where(condition, a, b) chooses values, a route chooses work',
  });
  return null;
}

/** The two sides as one value: a literal takes the type of the other side, a route the other's arrow. */
function joinSides(cx: Context, condition: Static, then: CheckedBody, otherwise: CheckedBody, span: Span): Value {
  const make = (element: ElementType | null): Expr | null => {
    const a = sideExpr(cx, then, element, otherwise);
    const b = sideExpr(cx, otherwise, element, then);
    if (a === null || b === null) return null;
    const [one, other] = agree(cx, then, a, otherwise, b, span);
    const left = finishBody(then, one);
    const right = finishBody(otherwise, other);
    if (left === null || right === null || one === null) return null;
    return { kind: 'if', condition, then: left, else: right, type: one.type, span };
  };
  const expr = make(null);
  if (expr === null) return errorValue;
  const open = isOpen(then.result) && isOpen(otherwise.result);
  return { kind: 'value', expr, adopt: open ? (element) => (elementOf(expr.type) === element ? expr : (make(element) ?? expr)) : null };
}

function isOpen(value: Value): boolean {
  return (value.kind === 'static' && value.value.type === 'number') || (value.kind === 'value' && value.adopt !== null);
}

function sideExpr(cx: Context, side: CheckedBody, element: ElementType | null, other: CheckedBody): Expr | null {
  let want = element;
  if (want === null && isOpen(side.result) && !isOpen(other.result) && other.result.kind === 'value') {
    want = elementOf(other.result.expr.type);
  }
  return toExpr(cx, side.result, want === 'bool' ? null : want, side.span);
}

function agree(cx: Context, then: CheckedBody, a: Expr, otherwise: CheckedBody, b: Expr, span: Span): readonly [Expr | null, Expr | null] {
  const written = { what: 'the other side of the if', span: null, broadcast: false, code: 'MOE0309' } as const;
  if (then.result.kind === 'static' && a.type.kind === 'tensor') return [coerceExpr(cx, a, b.type, written, then.span), b];
  if (otherwise.result.kind === 'static' && b.type.kind === 'tensor') return [a, coerceExpr(cx, b, a.type, written, otherwise.span)];
  if (a.type.kind === 'tuple' && b.type.kind === 'tuple' && then.result.kind === 'tuple' && otherwise.result.kind === 'tuple') {
    return [a, coerceExpr(cx, b, a.type, written, otherwise.span)];
  }
  const sameSupport =
    a.type.kind !== 'tuple' && b.type.kind !== 'tuple' && a.type.kind === b.type.kind && sameAxes(axesOfType(a.type), axesOfType(b.type));
  if (sameSupport && elementOf(a.type) === elementOf(b.type)) return [a, coerceExpr(cx, b, forgetWithin(a.type), written, otherwise.span)];
  if (a.type.kind === 'tuple' && b.type.kind === 'tuple') return [a, coerceExpr(cx, b, a.type, written, otherwise.span)];
  cx.report('MOE0309', span, {
    message: `the sides of the if differ: ${formatType(a.type, cx.nameOf)} and ${formatType(b.type, cx.nameOf)}`,
    labels: [
      { span: then.span, text: formatType(a.type, cx.nameOf) },
      { span: otherwise.span, text: formatType(b.type, cx.nameOf) },
    ],
  });
  return [null, null];
}

function forgetWithin(type: ValueType): ValueType {
  return type.kind === 'tensor' ? tensorType(type.element, type.axes) : type;
}

// --------------------------------------------------------------------------------------------------------------- chain

/** `chain l in L carrying h = x collecting p { … }`: a fold over a static axis. */
export function checkChain(cx: Context, env: Env, chain: ast.Chain): Value {
  const { scope } = env;
  const axis = resolveAxisName(cx, scope, chain.axis);
  if (axis !== null && cx.isDynamic(axis.axis)) {
    cx.report('MOE0326', chain.axis.span, {
      message: `a chain is unrolled when compiling, the size of ${cx.nameOf(axis)} is known only at a run`,
      labels: [{ span: cx.axisOf(axis).span, text: `${cx.nameOf(axis)} is declared here` }],
      help: `give it a size: axis ${cx.nameOf(axis)} = …`,
    });
  }
  const inside = new Scope(scope, scope.owner);
  const index = cx.fresh();
  const carries = chain.carries.map((carry) => ({ carry, ...checkStart(cx, env, carry) }));
  const free = mayName(cx, scope, chain.index.text, chain.index.span);
  if (axis === null || !free) inside.set(chain.index.text, { kind: 'error' }, chain.index.span);
  else {
    cx.indices.set(index, axis);
    inside.set(chain.index.text, { kind: 'index', index, axis }, chain.index.span);
  }
  const locals = carries.map(({ carry, type }) => {
    const local = cx.fresh();
    const named = mayName(cx, scope, carry.name.text, carry.name.span);
    const entity: Entity = type === null || !named ? { kind: 'error' } : { kind: 'local', local, type, ones: false };
    inside.set(carry.name.text, entity, carry.name.span);
    return local;
  });
  const body = checkBody(cx, inside, chain.body);
  const collected = (chain.collecting?.names ?? []).map((name) => collect(cx, body, name, axis));
  const result = chainResult(cx, chain, carries, body);
  if (result === null || axis === null || carries.some((c) => c.start === null) || collected.some((c) => c === null)) return errorValue;

  const block = finishBody(body, result);
  const types: ValueType[] = carries.flatMap((c) => (c.type === null ? [] : [c.type]));
  const collecting: { local: Id; name: string }[] = [];
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
    axis,
    carries: carries.flatMap(({ carry, start, type }, i) => {
      const local = locals[i];
      return start === null || type === null || local === undefined ? [] : [{ local, name: carry.name.text, type, start }];
    }),
    body: block,
    collecting,
    type: types.length === 1 ? only : { kind: 'tuple', items: types.map((type) => ({ type })) },
    span: chain.span,
  };
  return settled(expr);
}

function checkStart(cx: Context, env: Env, carry: ast.Carry): { readonly start: Expr | null; readonly type: ValueType | null } {
  const initial: ast.Expr = carry.initial ?? { kind: 'Name', name: carry.name.text, primes: 0, span: carry.name.span };
  const value = checkExpr(cx, { scope: env.scope, points: null }, initial);
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
  const fits = growth(cx, carries, body);
  return fits ? coerce(cx, body.result, to, written, body.span) : null;
}

function tupleSize(value: Value): number {
  return value.kind === 'value' && value.expr.type.kind === 'tuple' ? value.expr.type.items.length : 1;
}

/** A start with fewer axes than a step gives: the usual mistake, with its own help. */
function growth(cx: Context, carries: readonly { readonly carry: ast.Carry; readonly type: ValueType | null }[], body: CheckedBody): boolean {
  const results = body.result.kind === 'tuple' ? body.result.items : [body.result];
  for (const [i, { carry, type }] of carries.entries()) {
    const result = results[i];
    if (result?.kind !== 'value' || type === null || result.expr.type.kind !== type.kind || type.kind === 'tuple') continue;
    const now = axesOfType(result.expr.type);
    const before = axesOfType(type);
    if (now.length <= before.length || !before.every((a) => hasAxis(now, a))) continue;
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

interface Collected {
  readonly local: Id;
  readonly name: string;
  readonly type: ValueType;
}

/** A `let` of the step's body, with the chain's axis in front. */
function collect(cx: Context, body: CheckedBody, name: ast.Ident, axis: AxisVar | null): Collected | null {
  const binding = body.scope.own(name.text);
  const entity = binding?.entity;
  if (entity?.kind === 'error') return null;
  if (entity?.kind === 'static' && body.statements.every((s) => s.kind !== 'let' || !s.names.includes(name.text))) {
    cx.report('MOE0312', name.span, { message: `${name.text} is known when compiling, there is nothing to collect`, help: 'use it where it is needed' });
    return null;
  }
  if (entity?.kind !== 'local') {
    const lets = body.statements.flatMap((s) => (s.kind === 'let' ? s.names : []));
    cx.report('MOE0312', name.span, {
      message: `the chain's body has no \`let ${name.text}\` to collect`,
      help: lets.length === 0 ? `bind it: let ${name.text} = …` : `its lets are ${listWords(lets.filter((n) => n !== '_'))}`,
    });
    return null;
  }
  if (axis === null) return null;
  const { type, local } = entity;
  if (type.kind === 'tuple') {
    cx.report('MOE0312', name.span, { message: `${name.text} is a tuple, its items are collected one by one`, help: 'take it apart with `let (a, b) = …`' });
    return null;
  }
  if (hasAxis(axesOfType(type), axis)) {
    cx.report('MOE0312', name.span, {
      message: `${name.text} already has the axis ${cx.nameOf(axis)}, which collecting adds`,
      help: `rename it: rename(…, ${cx.nameOf(axis)}: ${cx.nameOf(axis)}')`,
    });
    return null;
  }
  const stacked: ValueType = type.kind === 'tensor' ? { ...type, axes: [axis, ...type.axes] } : { ...type, sources: [axis, ...type.sources] };
  return { local, name: name.text, type: stacked };
}

