/**
 * Bodies: declarations, statements in order, a result.
 */
import { checkRequire } from './check-requirements.ts';
import type * as ast from '../syntax/ast.ts';
import type { LocalId } from '../types/ids.ts';
import { unreachable } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { axesOfType } from '../types/axes.ts';
import { coerce } from './check-coercions.ts';
import type { Context } from './context.ts';
import { checkDeclarations } from './declarations.ts';
import { describe, resolve } from './lookup.ts';
import type { AxisVar, Expr, Stmt, ValueType } from '../types/program.ts';
import { errorValue, NameScope, type CheckedBody, type Entity, type CheckedValue } from './name-scope.ts';
import { checkType } from './type-exprs.ts';
import { formatType } from './types.ts';
import { isWhole, typedValue, toExpr } from './values.ts';
import { mayName } from './shadowing.ts';

export function checkBody(cx: Context, parent: NameScope, body: ast.Body): CheckedBody {
  const scope = new NameScope(parent, parent.owner);
  const decls = body.items.filter((item): item is ast.Decl => !isStatement(item));
  for (const item of body.items)
    if (item.kind === 'Let') for (const name of item.pattern.names) scope.later.add(name.text);
  const declarations = checkDeclarations(cx, scope, decls);
  scope.later.clear();
  const statements: Stmt[] = [];
  const named = new Map<string, Span>();
  for (const item of body.items) if (isStatement(item)) checkStatement(cx, scope, item, statements, named);
  const result = cx.expr({ scope, points: null }, body.result);
  return { scope, declarations: [...declarations, ...scope.made], statements, result, span: body.result.span };
}

function isStatement(item: ast.BodyItem): item is ast.AstStmt {
  return (
    item.kind === 'Let' ||
    item.kind === 'Update' ||
    item.kind === 'Loss' ||
    item.kind === 'Output' ||
    item.kind === 'Require'
  );
}

// ---------------------------------------------------------------------------------------------------------- statements

function checkStatement(cx: Context, scope: NameScope, stmt: ast.AstStmt, out: Stmt[], named: Map<string, Span>): void {
  switch (stmt.kind) {
    case 'Let':
      return checkLet(cx, scope, stmt, out);
    case 'Update':
      return checkUpdate(cx, scope, stmt, out);
    case 'Require':
      return checkRequire(cx, scope, stmt, out);
    case 'Loss':
    case 'Output':
      return checkReport(cx, scope, stmt, out, named);
    default:
      return unreachable(stmt, 'check');
  }
}

/** A written type also says in which order the axes stand: an output of the value is laid out like that. */
function inWrittenOrder(expr: Expr, type: ValueType): Expr {
  const { type: own } = expr;
  const turned = (written: ValueType): Expr => ({ kind: 'coerce', value: expr, type: written, span: expr.span });
  if (own.kind === 'tensor' && type.kind === 'tensor')
    return inOrder(own.axes, type.axes) ? expr : turned({ ...own, axes: type.axes });
  if (own.kind !== 'route' || type.kind !== 'route') return expr;
  const { sources, targets, payload } = type;
  const same = inOrder(own.sources, sources) && inOrder(own.targets, targets) && inOrder(own.payload, payload);
  return same ? expr : turned({ ...own, sources, targets, payload });
}

function inOrder(own: readonly AxisVar[], written: readonly AxisVar[]): boolean {
  return written.every((a, i) => a.axis === own[i]?.axis && a.primes === own[i].primes);
}

function checkLet(cx: Context, scope: NameScope, stmt: ast.Let, out: Stmt[]): void {
  const { pattern, span } = stmt;
  let value = cx.expr({ scope, points: null }, stmt.value);
  if (stmt.type !== undefined) {
    const type = checkType(cx, scope, stmt.type);
    const given = coerce(
      cx,
      value,
      type,
      { what: pattern.names[0]?.text ?? 'this', span: stmt.type.span },
      stmt.value.span,
    );
    value = typedValue(given === null || type === null ? given : inWrittenOrder(given, type));
  }
  const free = pattern.names.map((n) => n.text === '_' || mayName(cx, scope, n.text, n.span));
  const repeated = pattern.names.find(
    (n, i) => n.text !== '_' && pattern.names.findIndex((m) => m.text === n.text) < i,
  );
  if (repeated !== undefined)
    cx.report('MOE0202', repeated.span, { message: `${repeated.text} stands twice in this pattern` });
  const bind = (i: number, entity: Entity) => {
    const name = pattern.names[i];
    if (name !== undefined && name.text !== '_')
      scope.set(name.text, free[i] === true ? entity : { kind: 'error' }, name.span);
  };
  const [first] = pattern.names;
  if (value.kind === 'error' || first === undefined) {
    pattern.names.forEach((_, i) => bind(i, { kind: 'error' }));
    return;
  }

  if (pattern.names.length === 1) {
    if (value.kind === 'static') return bind(0, { kind: 'static', value: value.value });
    if (value.kind === 'family') {
      const local = cx.fresh<LocalId>();
      out.push({ kind: 'let_family', local, name: first.text, family: value.family.expr, span });
      return bind(0, {
        kind: 'family',
        family: { ...value.family, name: first.text, expr: { kind: 'local_family', local, span } },
      });
    }
    const expr = toExpr(cx, value, null, stmt.value.span);
    if (expr === null) return bind(0, { kind: 'error' });
    const local = first.text === '_' ? null : cx.fresh<LocalId>();
    if (local !== null) cx.bound.set(local, expr);
    out.push({ kind: 'let', locals: [local], names: [first.text], value: expr, span });
    if (local !== null) bind(0, { kind: 'local', local, type: expr.type, untyped: isUntyped(value) });
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
        help:
          expr.type.kind === 'route'
            ? `a route carries both, its points and their weights: \`let ${names.find((n) => n.text !== '_')?.text ?? 'r'} = …\`, then \`r @ f(x)\`; \`dense(r)\` has the weights, \`mask(r)\` the choice`
            : '_ discards a value',
      });
    }
    names.forEach((_, i) => bind(i, { kind: 'error' }));
    return;
  }
  const { items } = expr.type;
  const locals = names.map((n) => (n.text === '_' ? null : cx.fresh<LocalId>()));
  out.push({ kind: 'let', locals, names: names.map((n) => n.text), value: expr, span });
  locals.forEach((local, i) => {
    const item = items[i];
    const untyped = value.kind === 'tuple' && isUntyped(value.items[i] ?? errorValue);
    if (local !== null && item !== undefined) bind(i, { kind: 'local', local, type: item.type, untyped });
  });
}

function isUntyped(value: CheckedValue): boolean {
  return value.kind === 'value' && value.typedAs !== null && isWhole(value.expr);
}

function checkUpdate(cx: Context, scope: NameScope, stmt: ast.Update, out: Stmt[]): void {
  const value = cx.expr({ scope, points: null }, stmt.value);
  const { text: name, span } = stmt.name;
  const entity = resolve(cx, scope, name, span, (e) => e.kind === 'variable' && e.declaration.role === 'state');
  if (entity === null || entity.kind === 'error' || entity.kind === 'pending') return;
  if (entity.kind !== 'variable' || entity.declaration.role !== 'state') {
    cx.report('MOE0324', span, {
      message: `${name} is ${describe(entity)}, only a state can be updated`,
      help: entity.kind === 'local' || entity.kind === 'static' ? 'bind a new value: let …' : undefined,
    });
    return;
  }
  const { declaration } = entity;
  const expr = coerce(cx, value, declaration.type, { what: name, span: declaration.span }, stmt.value.span);
  scope.owner.found.updates ??= { state: name, span: stmt.span };
  if (expr !== null) out.push({ kind: 'update', state: declaration.id, value: expr, span: stmt.span });
}

function checkReport(
  cx: Context,
  scope: NameScope,
  stmt: ast.Loss | ast.Output,
  out: Stmt[],
  named: Map<string, Span>,
): void {
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
  const value = cx.expr({ scope, points: null }, stmt.value);
  const expr = toExpr(cx, value, null, stmt.value.span);
  if (expr === null) return;
  const { type } = expr;
  if (kind === 'output') {
    if (type.kind === 'tuple') {
      cx.report('MOE0339', stmt.value.span, {
        message: 'an output is one tensor or route, this is a tuple',
        help: 'make an output of each item',
      });
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
