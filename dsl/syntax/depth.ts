/**
 * Trees that are too deep to walk. Brackets are limited before parsing, but `a + b + c + …` and `f(x)(y)(z)…` make
 * deep trees without any. A declaration or entry that is too deep is reported and left out, so every later stage may
 * recurse.
 */
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { File, Span } from './ast.ts';
import { limits } from './limits.ts';

interface Visit {
  readonly value: object;
  readonly depth: number;
}

/**
 * The place where a tree first exceeds the limit, counting nodes (things with a span) from its root at 1. A loop:
 * nothing recurses.
 */
function tooDeepAt(root: object): Span | undefined {
  const stack: Visit[] = [{ value: root, depth: 0 }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const span = spanIn(visit.value);
    const depth = visit.depth + (span ? 1 : 0);
    if (span && depth > limits.depth) return span;
    for (const [key, child] of Object.entries(visit.value)) {
      if (key !== 'span' && typeof child === 'object' && child !== null) stack.push({ value: child, depth });
    }
  }
  return undefined;
}

function spanIn(value: object): Span | undefined {
  if (!('span' in value)) return undefined;
  const { span } = value;
  if (typeof span !== 'object' || span === null || !('source' in span && 'start' in span && 'end' in span))
    return undefined;
  const { source, start, end } = span;
  return typeof source === 'string' && typeof start === 'number' && typeof end === 'number'
    ? { source, start, end }
    : undefined;
}

/** The file without what is too deep, and a diagnostic (MOE0014) for each. */
export function withoutTooDeep(file: File): { readonly file: File; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const keep = (item: object): boolean => {
    const span = tooDeepAt(item);
    if (span === undefined) return true;
    const message = `this expression is nested deeper than ${limits.depth}`;
    diagnostics.push(diagnostic('MOE0014', { message, span, help: 'name the parts with `let`' }));
    return false;
  };
  const models = file.models.map((model) => ({ ...model, items: model.items.filter(keep) }));
  return { file: { ...file, models, decls: file.decls.filter(keep) }, diagnostics };
}
