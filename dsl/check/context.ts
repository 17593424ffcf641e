/**
 * What one run of the checker accumulates: ids, diagnostics, and the tables by which types and statics are read.
 */
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Code, type Diagnostic, type DiagnosticDetails, type Edit, type Span } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { AxisDeclaration, AxisVar, ConstDeclaration, Id, Static, UnionDeclaration } from './program.ts';
import type { NameOf } from './types.ts';

export class Context {
  readonly diagnostics: Diagnostic[] = [];
  readonly axes = new Map<Id, AxisDeclaration>();
  readonly consts = new Map<Id, ConstDeclaration>();
  /** By the axis that the union declares. */
  readonly unions = new Map<Id, UnionDeclaration>();
  /** The axis of each static index: chain variables and named family indices. */
  readonly indices = new Map<Id, AxisVar>();
  private next = 0;
  private readonly dynamic = new Map<Id, boolean>();
  private readonly dynamicConsts = new Map<Id, boolean>();

  fresh(): Id {
    return this.next++;
  }

  report(code: Code, span: Span, details: Omit<DiagnosticDetails, 'span'> = {}): void {
    this.diagnostics.push(diagnostic(code, { ...details, span }));
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
    this.dynamicConsts.set(declaration.id, declaration.value !== null && this.dependsOnRun(declaration.value));
    return declaration;
  }

  axisOf(axis: AxisVar): AxisDeclaration {
    const declaration = this.axes.get(axis.axis);
    if (declaration === undefined) throw new CompilerBug('check', `axis ${axis.axis} was never declared`);
    return declaration;
  }

  readonly nameOf: NameOf = (axis) => this.axisOf(axis).name + "'".repeat(axis.primes);

  /** Whether an axis has a size known only at a run. */
  isDynamic(axis: Id): boolean {
    const known = this.dynamic.get(axis);
    if (known !== undefined) return known;
    this.dynamic.set(axis, false);
    const of = this.axes.get(axis)?.of;
    const answer = of?.kind === 'dynamic' || (of?.kind === 'sized' && this.dependsOnRun(of.size));
    this.dynamic.set(axis, answer);
    return answer;
  }

  private dependsOnRun(value: Static): boolean {
    switch (value.kind) {
      case 'size':
        return this.isDynamic(value.axis.axis);
      case 'const':
        return this.dynamicConsts.get(value.decl) ?? false;
      case 'op':
        return value.args.some((a) => this.dependsOnRun(a));
      case 'if':
        return [value.condition, value.then, value.else].some((a) => this.dependsOnRun(a));
      default:
        return false;
    }
  }
}

/** `help` and `fix` for a misspelt name; nothing if no candidate is near. */
export function nameHelp(name: string, span: Span, candidates: Iterable<string>): { help?: string; fix?: readonly Edit[] } {
  const near = suggest(name, candidates);
  if (near === undefined) return {};
  return { help: `did you mean \`${near}\`?`, fix: [{ span, replacement: near }] };
}
