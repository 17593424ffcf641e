/**
 * What one run of the checker accumulates: ids, diagnostics, and the tables by which types and statics are read.
 */
import { CompilerBug } from '../diagnostics/bug.ts';
import {
  diagnostic,
  type Code,
  type Diagnostic,
  type DiagnosticDetails,
  type Edit,
  type Span,
} from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { foreignWords } from '../syntax/foreign-syntax.ts';
import {
  idOf,
  type DeclarationId,
  type IndexId,
  type LocalId,
  type ProgramAxisId,
  type ProgramId,
} from '../types/ids.ts';
import type {
  AxisDeclaration,
  AxisVar,
  ConstDeclaration,
  Expr,
  Static,
  VariableDeclaration,
  UnionDeclaration,
} from '../types/program.ts';
import type { CheckedBody, ExprContext, Family, NameScope, CheckedValue } from './name-scope.ts';
import type * as ast from '../syntax/ast.ts';
import type { NameOf } from './types.ts';

/**
 * What a rule of the checker comes back to: an expression within an expression, a body within a body. They are reached through the
 * context, so that no rule imports the function that dispatches to it.
 */
export interface Rules {
  readonly expr: (cx: Context, env: ExprContext, expr: ast.AstExpr) => CheckedValue;
  readonly body: (cx: Context, parent: NameScope, body: ast.Body) => CheckedBody;
}

export class Context {
  readonly diagnostics: Diagnostic[] = [];
  readonly axes = new Map<ProgramAxisId, AxisDeclaration>();
  readonly consts = new Map<DeclarationId, ConstDeclaration>();
  /** By the axis that the union declares. */
  readonly unions = new Map<ProgramAxisId, UnionDeclaration>();
  /** The axis of each static index: chain variables and named family indices. */
  readonly indices = new Map<IndexId, AxisVar>();
  /** What a local was bound to by its `let`, for advice: `p` of `let p = softmax(s, over: E)`. */
  readonly bound = new Map<LocalId, Expr>();
  /** The function that a call was typed with, for advice. */
  readonly called = new Map<Expr, Family>();
  /** The static indices that are a chain's, with the name the chain gives them. */
  readonly steps = new Map<IndexId, { readonly name: string; readonly span: Span }>();
  /** The axis that the number of a step is a point of, where only a run decides how many steps a chain has. */
  readonly stepAxes = new Map<LocalId, AxisVar>();
  readonly variables = new Map<DeclarationId, VariableDeclaration>();
  /** The indices that a callable's body, or the arguments of an instance, mention, and that are bound outside of it. */
  readonly bodyIndices = new Map<DeclarationId, ReadonlySet<IndexId>>();
  /** Whether the library declares a name: for the help of a name that is not imported. */
  readonly isInLibrary: (name: string) => boolean;
  readonly #rules: Rules;
  readonly #unknown = new Map<string, Unknown[]>();
  #next = 0;
  readonly #dynamic = new Map<ProgramAxisId, boolean>();
  readonly #dynamicConsts = new Map<DeclarationId, boolean>();

  constructor(isInLibrary: (name: string) => boolean, rules: Rules) {
    this.isInLibrary = isInLibrary;
    this.#rules = rules;
  }

  expr(env: ExprContext, expr: ast.AstExpr): CheckedValue {
    return this.#rules.expr(this, env, expr);
  }

  body(parent: NameScope, body: ast.Body): CheckedBody {
    return this.#rules.body(this, parent, body);
  }

  /** The next id, of whatever the place that it goes to is an id of. */
  fresh<I extends ProgramId>(): I {
    return idOf(this.#next++);
  }

  report(code: Code, span: Span, details: Omit<DiagnosticDetails, 'span'> = {}): void {
    this.diagnostics.push(diagnostic(code, { ...details, span }));
  }

  /**
   * A name that nothing declares. However often it is used, `key` (the name and where it could be declared) is one mistake: the
   * first place is reported, some others are shown with it.
   */
  reportUnknown(key: string, code: Code, span: Span, details: Omit<DiagnosticDetails, 'span'>): void {
    const uses = this.#unknown.get(key) ?? [];
    uses.push({ code, span, details });
    this.#unknown.set(key, uses);
  }

  /** Reports the unknown names: once, at the end. Of a file that could not be read as a whole nothing is said to be missing. */
  flushUnknown(incomplete: boolean): void {
    if (incomplete) this.#unknown.clear();
    for (const [key, uses] of this.#unknown) {
      // Used as an axis here and as a number there: one name that is missing.
      const name = key.slice(key.lastIndexOf(' ') + 1);
      if (!key.startsWith('axis ') && this.#unknown.has(`axis ${name}`)) continue;
      const [first, ...others] = uses.toSorted((a, b) => a.span.start - b.span.start);
      if (first === undefined) continue;
      const labels = others.filter((o) => o.span.source === first.span.source).slice(0, 3);
      this.report(first.code, first.span, {
        ...first.details,
        labels: labels.map((o) => ({ span: o.span, text: 'and here' })),
      });
    }
    this.#unknown.clear();
  }

  /** Registers an axis declaration; its name is known to messages from then on. */
  axis(declaration: AxisDeclaration): AxisDeclaration {
    this.axes.set(declaration.id, declaration);
    this.isDynamic(declaration.id);
    return declaration;
  }

  /** Registers a const. What it depends on has been registered before, so chains of consts never recurse deeply. */
  const(declaration: ConstDeclaration): ConstDeclaration {
    this.consts.set(declaration.id, declaration);
    this.#dynamicConsts.set(declaration.id, declaration.value !== null && this.#dependsOnRun(declaration.value));
    return declaration;
  }

  axisOf(axis: AxisVar): AxisDeclaration {
    const declaration = this.axes.get(axis.axis);
    if (declaration === undefined) throw new CompilerBug('check', `axis ${axis.axis} was never declared`);
    return declaration;
  }

  readonly nameOf: NameOf = (axis) => this.axisOf(axis).name + "'".repeat(axis.primes);

  /** Whether an axis has a size known only at a run. */
  isDynamic(axis: ProgramAxisId): boolean {
    const known = this.#dynamic.get(axis);
    if (known !== undefined) return known;
    this.#dynamic.set(axis, false);
    const of = this.axes.get(axis)?.of;
    const answer = of?.kind === 'dynamic' || (of?.kind === 'sized' && this.#dependsOnRun(of.size));
    this.#dynamic.set(axis, answer);
    return answer;
  }

  #dependsOnRun(value: Static): boolean {
    switch (value.kind) {
      case 'size':
        return this.isDynamic(value.axis.axis);
      case 'const':
        return this.#dynamicConsts.get(value.decl) ?? false;
      case 'op':
        return value.args.some((a) => this.#dependsOnRun(a));
      case 'if':
        return [value.condition, value.then, value.else].some((a) => this.#dependsOnRun(a));
      default:
        return false;
    }
  }
}

interface Unknown {
  readonly code: Code;
  readonly span: Span;
  readonly details: Omit<DiagnosticDetails, 'span'>;
}

/** `help` and `fix` for a misspelt name; nothing if no candidate is near. */
export function nameHelp(
  name: string,
  span: Span,
  candidates: Iterable<string>,
): { help?: string; fix?: readonly Edit[] } {
  const foreign = foreignWords.get(name);
  if (foreign !== undefined) return { help: foreign };
  const near = suggest(name, candidates);
  if (near === undefined) return {};
  return { help: `did you mean \`${near}\`?`, fix: [{ span, replacement: near }] };
}
