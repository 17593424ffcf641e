/**
 * Reading concrete trees. Total: after a recovered error any child may be missing, and every reader says so in its
 * type.
 */
import type { CstElement, CstNode, IToken } from 'chevrotain';

export function isNode(element: CstElement): element is CstNode {
  return 'children' in element;
}

/** All children under a rule's name, a token's name or a label, in the order of the text. */
export function elements(node: CstNode, name: string): readonly CstElement[] {
  return node.children[name] ?? [];
}

export function nodes(node: CstNode, name: string): readonly CstNode[] {
  return elements(node, name).filter(isNode);
}

export function nodeOf(node: CstNode, name: string): CstNode | undefined {
  return nodes(node, name)[0];
}

/** Tokens of the text: those which the parser made up to go on (they have no place) are left out. */
export function tokens(node: CstNode, name: string): readonly IToken[] {
  return elements(node, name).filter((e): e is IToken => !isNode(e) && e.isInsertedInRecovery !== true);
}

export function tokenOf(node: CstNode, name: string): IToken | undefined {
  return tokens(node, name)[0];
}

/** Offsets `[start, end)` of the text of a node; of no width at `fallback` if it has no text. */
export function extent(node: CstNode, fallback = 0): { readonly start: number; readonly end: number } {
  const start = node.location?.startOffset;
  const end = node.location?.endOffset;
  if (start === undefined || end === undefined || Number.isNaN(start) || Number.isNaN(end))
    return { start: fallback, end: fallback };
  return { start, end: Math.max(start, end + 1) };
}

/** What could be read. */
export function present<T>(items: readonly (T | undefined)[]): readonly T[] {
  return items.filter((item): item is T & ({} | null) => item !== undefined);
}
