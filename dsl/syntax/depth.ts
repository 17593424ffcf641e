/**
 * Trees that are too deep to walk. Brackets are limited before parsing, but `a + b + c + …` and `f(x)(y)(z)…` make
 * deep trees without any. A declaration or entry that is too deep is reported and left out, so every later stage may
 * recurse.
 */
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { File, Span } from './ast.ts';
import { limits } from './text-limits.ts';

interface Visit {
  readonly value: object;
  readonly depth: number;
  /** With the steps along rows. */
  readonly row: number;
}

/** What holds the part of an operator or a pipe that is written first: `a + b + c` is a row, no nest. */
const FIRST: ReadonlySet<string> = new Set(['left', 'input']);

/**
 * The place where a tree first exceeds a limit, counting nodes (things with a span) from its root at 1. A loop:
 * nothing recurses.
 */
function tooDeepAt(root: object): { readonly span: Span; readonly message: string } | undefined {
  const stack: Visit[] = [{ value: root, depth: 0, row: 0 }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const span = spanIn(visit.value);
    const depth = visit.depth + (span ? 1 : 0);
    const row = visit.row + (span ? 1 : 0);
    if (span && depth > limits.depth) return { span, message: `this expression is nested deeper than ${limits.depth}` };
    if (span && row > limits.row)
      return { span, message: `this expression has more than ${limits.row} parts in a row` };
    for (const [key, child] of Object.entries(visit.value)) {
      if (key === 'span' || typeof child !== 'object' || child === null) continue;
      stack.push({ value: child, depth: FIRST.has(key) ? depth - 1 : depth, row });
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
    const found = tooDeepAt(item);
    if (found === undefined) return true;
    diagnostics.push(diagnostic('MOE0014', { ...found, help: 'name the parts with `let`' }));
    return false;
  };
  const models = file.models.map((model) => ({ ...model, items: model.items.filter(keep) }));
  return { file: { ...file, models, decls: file.decls.filter(keep) }, diagnostics };
}
