/** Visits of the syntax tree, by the table of child-keys.ts. Nothing recurses: a tree may be as deep as a text is long. */
import { childKeys, type NodeSort, type NodesBySort, type SortedNode } from './child-keys.ts';

/** What to do at nodes of each sort; `false` for not going inside. */
export type Visitor = { readonly [K in NodeSort]?: (node: NodesBySort[K]) => false | void };

/** Every node from a root on, each before what is in it, in the order of the text. */
export function visit<K extends NodeSort>(sort: K, root: NodesBySort[K], visitor: Visitor): void {
  const stack: SortedNode[] = [{ sort, node: root }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (enter(visitor, next) !== false) stack.push(...childrenOf(next).toReversed());
  }
}

/** The nodes that a node holds. */
export function childrenOf<K extends NodeSort>({ sort, node }: SortedNode<K>): readonly SortedNode[] {
  return childrenBy(childKeys[sort], node);
}

function childrenBy<N, P extends keyof N>(
  row: { readonly [Q in P]: (child: N[Q]) => readonly SortedNode[] },
  node: N,
): readonly SortedNode[] {
  const found: SortedNode[] = [];
  for (const key in row) found.push(...row[key](node[key]));
  return found;
}

function enter<K extends NodeSort>(visitor: Visitor, { sort, node }: SortedNode<K>): false | void {
  return visitor[sort]?.(node);
}
