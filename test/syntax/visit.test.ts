/** The table of children: nothing of a tree is left out, and `tsc` finds a table that does not fit the tree. */
import { describe, expect, it } from 'vitest';
import type { AstExpr, Span, Unary } from '../../dsl/syntax/ast.ts';
import { childKeys, type ChildTable, type NodesBySort } from '../../dsl/syntax/child-keys.ts';
import { childrenOf, visit, type Visitor } from '../../dsl/syntax/visit.ts';
import type { SortedNode } from '../../dsl/syntax/child-keys.ts';
import { library, parse, programs } from './support.ts';

/** Every object with a span, found without the table. */
function nodesIn(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.entries(value).flatMap(([key, child]) => (key === 'span' ? [] : nodesIn(child)));
  return 'span' in value ? [value, ...inside] : inside;
}

function allBelow(root: SortedNode): readonly SortedNode[] {
  return [root, ...childrenOf(root).flatMap(allBelow)];
}

describe('the children of syntax nodes', () => {
  it.each([...programs, ...library])('of $name are all nodes, each once, in the order of the text', ({ text }) => {
    const { file } = parse(text);
    const found = allBelow({ sort: 'File', node: file }).flatMap(({ node }) => ('span' in node ? [node] : []));
    expect(new Set<object>(found)).toEqual(new Set(nodesIn(file)));
    expect(found.length).toBe(nodesIn(file).length);
    // Of a file and a model, lists are in order, and not the whole: imports and models are apart from declarations.
    const ordered = file.models.flatMap((model) => model.items).map((node) => allBelow({ sort: node.kind, node }));
    for (const nodes of ordered) {
      const starts = nodes.flatMap(({ node }) => ('span' in node ? [node.span.start] : []));
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    }
  });

  it('are visited each after what holds it, unless it says not to go inside', () => {
    const { file } = parse('model M { fn f(x: [T]) -> [T] { let y = x + x  exp(y) } fn g(x: [T]) -> [T] { x } }');
    const namesSeen = (more: Visitor): readonly string[] => {
      const names: string[] = [];
      visit('File', file, { Name: ({ name }) => void names.push(name), ...more });
      return names;
    };
    expect(namesSeen({})).toEqual(['x', 'x', 'exp', 'y', 'x']);
    expect(namesSeen({ Let: () => false })).toEqual(['exp', 'y', 'x']);
    expect(namesSeen({ Body: () => false })).toEqual([]);
  });
});

describe('a table that does not fit the tree does not compile', () => {
  // Judged by tsc: each line below it is a mistake, or else the comment above it is one.
  interface Twist {
    readonly kind: 'Twist';
    readonly span: Span;
    readonly of: AstExpr;
  }
  type Renamed = Omit<Unary, 'operand'> & { readonly argument: AstExpr };
  type Grown = Unary & { readonly scale?: AstExpr };

  it('for a kind without a row, a field that is renamed, a field that is new, a child of another sort', () => {
    const { Unary: row, ...rest } = childKeys;
    // @ts-expect-error: Unary has no row
    const lacking: ChildTable<NodesBySort> = rest;
    // @ts-expect-error: Twist has no row
    const kind: ChildTable<NodesBySort & { readonly Twist: Twist }> = childKeys;
    // @ts-expect-error: the field is called argument
    const renamed: ChildTable<{ readonly Unary: Renamed }> = { Unary: row };
    // @ts-expect-error: scale is not in the row
    const grown: ChildTable<{ readonly Unary: Grown }> = { Unary: row };
    // @ts-expect-error: what an argument holds is not what a carry holds
    const other: ChildTable<Pick<NodesBySort, 'Call'>> = { Call: { ...childKeys.Call, args: childKeys.Chain.carries } };
    // @ts-expect-error: a field that holds no nodes has no place in a row
    const more: ChildTable<Pick<NodesBySort, 'Unary'>> = { Unary: { ...row, op: row.operand } };
    expect([lacking, kind, renamed, grown, other, more]).toHaveLength(6);
  });
});
