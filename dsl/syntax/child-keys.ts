/**
 * Which fields of a syntax node hold other nodes: one table, which every visit of the tree goes by (visit.ts).
 *
 * Its type is made from the types of the tree, so `tsc` keeps them together: a kind without a row, a field that was renamed or
 * added and a field whose nodes are of another sort do not compile. Most nodes say by `kind` what they are. Others can only be
 * one thing where they stand (a name, an argument): the row above them says what.
 */
import type {
  Arg,
  ArgLabel,
  AstExpr,
  AstFamilyAxis,
  AstFormal,
  AstInstanceSource,
  AstModel,
  AstStmt,
  AstStoredPart,
  AxisBinding,
  AxisName,
  Body,
  CallableDecl,
  Carry,
  ConstBinding,
  Decl,
  Dim,
  Entry,
  File,
  Generic,
  GenericArg,
  Ident,
  Import,
  Index,
  IndexRange,
  Member,
  Pattern,
  RecordField,
  ResultType,
  Signature,
  Slot,
  Source,
  SourceBinding,
  TypeExpr,
} from './ast.ts';

/** Nodes that say by `kind` what they are. */
export type TaggedNode =
  | File
  | Import
  | AstModel
  | Entry
  | TypeExpr
  | Body
  | AstStmt
  | Decl
  | CallableDecl['definition']
  | Source
  | AstStoredPart
  | AstExpr
  | ArgLabel;

/** Nodes that are known by where they stand. */
export interface UntaggedNodes {
  readonly Ident: Ident;
  readonly AxisName: AxisName;
  readonly Pattern: Pattern;
  readonly AxisBinding: AxisBinding;
  readonly ConstBinding: ConstBinding;
  readonly Slot: Slot;
  readonly Dim: Dim;
  readonly Generic: Generic;
  readonly FamilyAxis: AstFamilyAxis;
  readonly GenericArg: GenericArg;
  readonly InstanceSource: AstInstanceSource;
  readonly SourceBinding: SourceBinding;
  readonly Member: Member;
  readonly Signature: Signature;
  readonly Formal: AstFormal;
  readonly ResultType: ResultType;
  readonly Arg: Arg;
  /** What stands in the brackets of an `Index` expression. */
  readonly IndexItem: Index;
  readonly IndexRange: IndexRange;
  readonly RecordField: RecordField;
  readonly Carry: Carry;
}

/** Every sort of node by its name. */
export type NodesBySort = UntaggedNodes & {
  readonly [K in TaggedNode['kind']]: Extract<TaggedNode, { readonly kind: K }>;
};
export type NodeSort = keyof NodesBySort;

/** A node and what it is. */
export interface SortedNode<K extends NodeSort = NodeSort> {
  readonly sort: K;
  readonly node: NodesBySort[K];
}

/** The fields that hold nodes: all objects but the span. */
type ChildKey<N> = {
  readonly [P in keyof N]-?: P extends 'span' ? never : NonNullable<N[P]> extends object ? P : never;
}[keyof N];

/** For each field that holds nodes, how they are told apart. */
export type ChildRow<N> = { readonly [P in ChildKey<N>]-?: (child: N[P]) => readonly SortedNode[] };
export type ChildTable<Nodes> = { readonly [K in keyof Nodes]: ChildRow<Nodes[K]> };

/** By their `kind`. */
function tagged(child: TaggedNode | readonly TaggedNode[] | undefined): readonly SortedNode[] {
  if (child === undefined) return [];
  return 'kind' in child ? [{ sort: child.kind, node: child }] : child.map((node) => ({ sort: node.kind, node }));
}

/** One node that is known by its place, or none. */
function one<K extends keyof UntaggedNodes>(sort: K) {
  return (child: NodesBySort[K] | undefined): readonly SortedNode[] =>
    child === undefined ? [] : [{ sort, node: child }];
}

/** A list of nodes that are known by their place. */
function each<K extends keyof UntaggedNodes>(sort: K) {
  return (children: readonly NodesBySort[K][] | undefined): readonly SortedNode[] =>
    (children ?? []).map((node) => ({ sort, node }));
}

const operands = { left: tagged, right: tagged };

/** Fields in the order of the text. */
export const childKeys: ChildTable<NodesBySort> = {
  File: { imports: tagged, models: tagged, decls: tagged },
  Import: { names: each('Ident'), from: tagged },
  Model: { name: one('Ident'), items: tagged },
  Entry: { name: one('Ident'), signature: one('Signature'), body: tagged },

  Ident: {},
  AxisName: {},
  TensorType: { element: one('Ident'), axes: each('AxisName'), within: one('AxisName') },
  RouteType: { sources: each('AxisName'), targets: each('AxisName'), payload: each('AxisName') },

  Body: { items: tagged, result: tagged },
  Let: { pattern: one('Pattern'), type: tagged, value: tagged },
  Pattern: { names: each('Ident') },
  Update: { name: one('Ident'), value: tagged },
  Loss: { name: one('Ident'), value: tagged },
  Output: { name: one('Ident'), value: tagged },
  Require: { condition: tagged, message: tagged },

  Axes: { bindings: each('AxisBinding') },
  AxisBinding: { name: one('Ident'), size: tagged, points: each('Ident') },
  Consts: { bindings: each('ConstBinding') },
  ConstBinding: { name: one('Ident'), value: tagged },
  Variable: { slots: each('Slot') },
  Slot: { name: one('Ident'), type: tagged, initial: tagged, source: tagged },
  Source: { decoder: one('Ident'), names: tagged, order: each('Dim') },
  Dim: { parts: tagged },
  AxisPart: { axis: one('AxisName') },
  UnitPart: {},
  RangePart: {},
  Callable: { name: one('Ident'), generics: each('Generic'), family: each('FamilyAxis'), definition: tagged },
  Generic: { name: one('Ident'), initial: tagged },
  FamilyAxis: { index: one('Ident'), axis: one('AxisName') },
  Function: { signature: one('Signature'), body: tagged },
  Instance: { template: one('Ident'), args: each('GenericArg'), from: one('InstanceSource') },
  GenericArg: { name: one('Ident'), value: tagged },
  InstanceSource: { prefix: tagged, bindings: each('SourceBinding') },
  SourceBinding: { path: each('Ident'), source: tagged },
  Union: { members: each('Member') },
  Member: { name: one('Ident'), indices: each('IndexItem') },
  Extern: { name: one('Ident'), family: each('FamilyAxis'), signature: one('Signature') },
  Signature: { formals: each('Formal'), results: each('ResultType') },
  Formal: { name: one('Ident'), type: tagged },
  ResultType: { name: one('Ident'), type: tagged },

  Number: {},
  String: {},
  Bool: {},
  Name: {},
  Call: { callee: tagged, args: each('Arg') },
  Arg: { label: tagged, value: tagged },
  NameLabel: {},
  AxesLabel: { axes: each('AxisName') },
  Index: { target: tagged, indices: each('IndexItem') },
  IndexItem: { axis: one('AxisName'), index: tagged, range: one('IndexRange') },
  IndexRange: { to: tagged, as: one('AxisName') },
  Path: { target: tagged, name: one('Ident') },
  Unary: { operand: tagged },
  Binary: operands,
  Compare: operands,
  Logical: operands,
  Dot: operands,
  Pipe: { input: tagged, callee: tagged, args: each('Arg') },
  Tuple: { items: tagged },
  Record: { fields: each('RecordField') },
  RecordField: { name: one('Ident'), value: tagged },
  Chain: {
    index: one('Ident'),
    axis: one('AxisName'),
    carries: each('Carry'),
    collecting: one('Pattern'),
    body: tagged,
  },
  Carry: { name: one('Ident'), type: tagged, initial: tagged },
  If: { condition: tagged, then: tagged, otherwise: tagged },
  Error: {},
};
