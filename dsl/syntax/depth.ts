/**
 * Trees that are too deep to visit. Brackets are limited before parsing, but `a + b + c + …` and `f(x)(y)(z)…` make
 * deep trees without any. A declaration or entry that is too deep is reported and left out, so every later stage may
 * recurse.
 */
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Decl, Entry, File, Span } from './ast.ts';
import type { SortedNode } from './child-keys.ts';
import { limits } from './text-limits.ts';
import { childrenOf } from './visit.ts';

interface Visit {
  readonly at: SortedNode;
  readonly depth: number;
  /** With the steps along rows. */
  readonly row: number;
}

/**
 * The place where a tree first exceeds a limit, counting nodes (things with a span) from its root at 1. A loop:
 * nothing recurses.
 */
function tooDeepAt(root: Decl | Entry): { readonly span: Span; readonly message: string } | undefined {
  const stack: Visit[] = [{ at: { sort: root.kind, node: root }, depth: 0, row: 0 }];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { node } = visit.at;
    const step = 'span' in node ? 1 : 0;
    const depth = visit.depth + step;
    const row = visit.row + step;
    if ('span' in node && depth > limits.depth)
      return { span: node.span, message: `this expression is nested deeper than ${limits.depth}` };
    if ('span' in node && row > limits.row)
      return { span: node.span, message: `this expression has more than ${limits.row} parts in a row` };
    const first = firstPart(node);
    for (const at of childrenOf(visit.at)) stack.push({ at, depth: at.node === first ? depth - 1 : depth, row });
  }
  return undefined;
}

/** The part of an operator or a pipe that is written first: `a + b + c` is a row, no nest. */
function firstPart(node: SortedNode['node']): SortedNode['node'] | null {
  if ('left' in node) return node.left;
  return 'input' in node ? node.input : null;
}

/** The file without what is too deep, and a diagnostic (MOE0014) for each. */
export function withoutTooDeep(file: File): { readonly file: File; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const keep = (item: Decl | Entry): boolean => {
    const found = tooDeepAt(item);
    if (found === undefined) return true;
    diagnostics.push(diagnostic('MOE0014', { ...found, help: 'name the parts with `let`' }));
    return false;
  };
  const models = file.models.map((model) => ({ ...model, items: model.items.filter(keep) }));
  return { file: { ...file, models, decls: file.decls.filter(keep) }, diagnostics };
}
