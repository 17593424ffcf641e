/**
 * What a static, an axis or an expression mentions: the indices that stand in it, directly or through constants, sizes and the
 * bodies of what it calls; the values it reads that are bound outside of it; the variables it names. By this a declaration is kept
 * from depending on what it cannot see: one instance, shared by all steps of a chain, has no step of its own.
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import type { DeclarationId, IndexId, LocalId, ProgramAxisId } from '../types/ids.ts';
import type {
  AxisVar,
  Block,
  Declaration,
  Expr,
  FamilyExpr,
  NamePattern,
  Static,
  ValueType,
} from '../types/program.ts';
import { mentionedAxes } from './types.ts';

export interface Mentions {
  /** Indices of chains and families that are not bound inside. */
  readonly indices: ReadonlySet<IndexId>;
  /** Values that are not bound inside. */
  readonly locals: readonly { readonly name: string; readonly span: Span }[];
  /** Params, states and inputs that are named. */
  readonly variables: readonly { readonly decl: DeclarationId; readonly span: Span }[];
}

export function mentionsOfStatic(cx: Context, value: Static): ReadonlySet<IndexId> {
  const visit = new Visit(cx);
  visit.fixed(value);
  return visit.mentions().indices;
}

export function mentionsOfAxes(cx: Context, axes: readonly AxisVar[]): ReadonlySet<IndexId> {
  const visit = new Visit(cx);
  for (const axis of axes) visit.axis(axis);
  return visit.mentions().indices;
}

export function mentionsOfExpr(cx: Context, expr: Expr): Mentions {
  const visit = new Visit(cx);
  visit.expr(expr);
  return visit.mentions();
}

/** Of a body, and of the family whose members it is: its own indices are bound. */
export function mentionsOfBody(cx: Context, body: Block, own: readonly IndexId[]): ReadonlySet<IndexId> {
  const visit = new Visit(cx);
  visit.block(body);
  return new Set([...visit.mentions().indices].filter((index) => !own.includes(index)));
}

export function mentionsOfPattern(cx: Context, pattern: NamePattern): ReadonlySet<IndexId> {
  const visit = new Visit(cx);
  for (const hole of pattern.holes) {
    // An axis in braces is a position along it: what its size is made of does not show in the name.
    if (hole.kind === 'position' || hole.kind === 'text') visit.positions(hole.value);
  }
  return visit.mentions().indices;
}

/** One visit of a piece of a program. */
class Visit {
  readonly #cx: Context;
  readonly #indices = new Set<IndexId>();
  readonly #bound = new Set<IndexId | LocalId>();
  readonly #locals: { readonly id: LocalId; readonly name: string; readonly span: Span }[] = [];
  readonly #variables: { readonly decl: DeclarationId; readonly span: Span }[] = [];
  readonly #seen = new Set<object>();
  readonly #axesSeen = new Set<ProgramAxisId>();
  /** Statics still to be looked at. */
  readonly #pending: Static[] = [];
  #draining = false;

  constructor(cx: Context) {
    this.#cx = cx;
  }

  mentions(): Mentions {
    return {
      indices: new Set([...this.#indices].filter((index) => !this.#bound.has(index))),
      locals: this.#locals.filter(({ id }) => !this.#bound.has(id)),
      variables: this.#variables,
    };
  }

  /** A static in which the size of an axis stands for a position. */
  positions(value: Static): void {
    if (value.kind === 'size') return;
    if (value.kind === 'op') value.args.forEach((arg) => this.positions(arg));
    else if (value.kind === 'if') [value.condition, value.then, value.else].forEach((part) => this.positions(part));
    else this.fixed(value);
  }

  /** In a loop: constants may be made of one another as long as a file is. */
  fixed(value: Static): void {
    this.#pending.push(value);
    if (this.#draining) return;
    this.#draining = true;
    for (let at = this.#pending.pop(); at !== undefined; at = this.#pending.pop()) {
      if (this.#seen.has(at)) continue;
      this.#seen.add(at);
      this.#parts(at);
    }
    this.#draining = false;
  }

  #parts(value: Static): void {
    switch (value.kind) {
      case 'index':
        this.#indices.add(value.index);
        return;
      case 'const': {
        const known = this.#cx.consts.get(value.decl)?.value ?? null;
        if (known !== null) this.fixed(known);
        return;
      }
      case 'size':
        return this.axis(value.axis);
      case 'op':
        return value.args.forEach((arg) => this.fixed(arg));
      case 'if':
        return [value.condition, value.then, value.else].forEach((part) => this.fixed(part));
      case 'number':
      case 'infinity':
      case 'bool':
      case 'string':
      case 'point':
        return;
    }
  }

  axis({ axis }: AxisVar): void {
    if (this.#axesSeen.has(axis)) return;
    this.#axesSeen.add(axis);
    const of = this.#cx.axes.get(axis)?.of;
    if (of?.kind === 'sized') this.fixed(of.size);
    if (of?.kind !== 'union') return;
    for (const member of this.#cx.unions.get(axis)?.members ?? []) {
      this.#family(member.family);
      for (const a of member.axes) this.axis(a);
    }
  }

  #family(family: FamilyExpr): void {
    switch (family.kind) {
      case 'named':
        for (const index of this.#cx.bodyIndices.get(family.decl) ?? []) this.#indices.add(index);
        return;
      case 'local_family':
        return;
      case 'at':
        this.fixed(family.index);
        return this.#family(family.family);
      case 'window':
        this.fixed(family.from);
        this.fixed(family.to);
        this.axis(family.as);
        return this.#family(family.family);
    }
  }

  #type(type: ValueType): void {
    for (const axis of mentionedAxes(type)) this.axis(axis);
  }

  expr(expr: Expr): void {
    if (this.#seen.has(expr)) return;
    this.#seen.add(expr);
    this.#type(expr.type);
    switch (expr.kind) {
      case 'static':
        return this.fixed(expr.value);
      case 'local':
        this.#locals.push({ id: expr.local, name: expr.name, span: expr.span });
        return;
      case 'variable':
        this.#variables.push({ decl: expr.decl, span: expr.span });
        return;
      case 'primitive':
        expr.args.forEach((arg) => this.expr(arg));
        expr.axes.forEach((axes) => axes.forEach((axis) => this.axis(axis)));
        return expr.attributes.forEach((value) => this.fixed(value));
      case 'call':
        this.#family(expr.callee);
        return expr.args.forEach((arg) => this.expr(arg));
      case 'tuple':
        return expr.items.forEach((item) => this.expr(item));
      case 'if':
        this.fixed(expr.condition);
        this.block(expr.then);
        return this.block(expr.else);
      case 'chain':
        this.#bound.add(expr.index);
        if (expr.step !== null) this.#bound.add(expr.step);
        this.axis(expr.axis);
        for (const carry of expr.carries) {
          this.#bound.add(carry.local);
          this.expr(carry.start);
        }
        return this.block(expr.body);
      case 'coerce':
      case 'embed':
        return this.expr(expr.value);
    }
  }

  block(block: Block): void {
    for (const declaration of block.declarations) this.#declaration(declaration);
    for (const statement of block.statements) {
      if (statement.kind === 'let_family') {
        this.#bound.add(statement.local);
        this.#family(statement.family);
      } else {
        if (statement.kind === 'let') for (const local of statement.locals) if (local !== null) this.#bound.add(local);
        this.expr(statement.value);
        if (statement.kind === 'require')
          for (const part of statement.message) if (typeof part !== 'string') this.expr(part.value);
      }
    }
    this.expr(block.result);
  }

  #declaration(declaration: Declaration): void {
    switch (declaration.kind) {
      case 'variable':
        this.#type(declaration.type);
        if (declaration.initial !== null) this.expr(declaration.initial);
        return;
      case 'callable':
      case 'instance':
        for (const index of this.#cx.bodyIndices.get(declaration.id) ?? []) this.#indices.add(index);
        return;
      case 'axis':
      case 'const':
      case 'union':
        return;
    }
  }
}
