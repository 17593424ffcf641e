/**
 * fold-constants
 *
 * What: computes what is known: operations on constants, neutral operands, selections by a constant, masks inside equal
 * masks, what follows in a part of an axis from the position (`is(P: ffn)` among the experts of ffn); small whole powers become products (a power of a negative number is not defined on a GPU).
 * Why: elaboration writes `mean` as a division by a constant 1, `all` as a mask that is always true, and so on.
 * Before: `where(true, x * 1, y) ** 2`   After: `x * x`
 *
 * A constant keeps its float64 digits, for what is computed with more than those of f32 (graph/wide-angles.ts); an operation is not folded if
 * its result is not finite.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { asInteger } from '../../dsl/types/size.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import { implies } from '../graph/implies.ts';
import { scalarFunction } from '../graph/interpret-scalar.ts';
import type { Node, NodeId } from '../graph/graph-ir.ts';
import { operandsOf, rewriteGraph } from '../graph/node-uses.ts';
import { definePass } from './pass.ts';
import { knownAlong } from './known-positions.ts';

type MapNode = Extract<Node, { kind: 'map' }>;

export const foldConstants = definePass({
  name: 'fold-constants',
  summary: 'computes what is known when compiling',
  run: (graph) =>
    rewriteGraph(graph, (node, b, to) => {
      const folded = fold(node, b, to, (n) => operandsOf(graph, n));
      // Users that are not elementwise count on the axes.
      return folded === null ? null : b.broadcast(folded, node.axes);
    }),
});

function fold(
  node: Node,
  b: GraphBuilder,
  to: (id: NodeId) => NodeId,
  operands: (node: Node) => readonly NodeId[],
): NodeId | null {
  switch (node.kind) {
    case 'map':
      return foldMap(node, node.operands.map(to), b);
    case 'predicated': {
      const [presence, value] = [to(node.presence), to(node.value)];
      if (b.constantOf(value) === node.otherwise) return b.constant(node.otherwise, node.element);
      const around = b.node(presence);
      if (around.kind === 'presence' && b.constantOf(around.mask) === 0)
        return b.constant(node.otherwise, node.element);
      const inner = b.node(value);
      const same = inner.kind === 'predicated' && implies(presence, inner.presence, (id) => b.node(id));
      return same ? b.predicated(presence, inner.value, node.otherwise) : null;
    }
    case 'presence': {
      // A presence of a presence is the same points.
      const mask = b.node(to(node.mask));
      const of = (id: NodeId): NodeId => b.presence(id, node.sources, node.targets, [...node.bounds]);
      if (mask.kind === 'presence') return of(mask.mask);
      // What is true wherever it is present at all.
      const holds = mask.kind === 'predicated' && mask.otherwise === 0 && b.constantOf(mask.value) === 1;
      const around = holds ? b.node(mask.presence) : null;
      return around?.kind === 'presence' && b.axesOf(around.id).length === node.axes.length ? of(around.mask) : null;
    }
    case 'reduce': {
      const value = b.constantOf(to(node.operand));
      if (value === null) return null;
      if (value === 0 && (node.op === 'sum' || node.op === 'any')) return b.constant(0, node.element);
      // Of what a run decides it is not known that there is anything.
      const filled = node.over.every((a) => (asInteger(b.sizeOf(a)) ?? 0) > 0);
      return node.op !== 'sum' && filled ? b.constant(value, node.element) : null;
    }
    case 'concat': {
      const values = node.parts.map((p) => b.constantOf(to(p.node)));
      const [first] = values;
      const same = first !== undefined && first !== null && values.every((v) => v === first);
      return same ? b.constant(first, node.element) : null;
    }
    case 'slice': {
      const operand = to(node.operand);
      const value = b.constantOf(operand) ?? knownAlong(b, operand, node.axis, node.at, node.as);
      return value === null ? slicedOfTwo(node, b, operand) : b.constant(value, node.element);
    }
    case 'rename':
    case 'split':
    case 'merge': {
      const [operand] = operands(node).map(to);
      const value = operand === undefined ? null : b.constantOf(operand);
      return value === null ? null : b.constant(value, node.element);
    }
    default:
      return null;
  }
}

/** A slice of what two bools say together, where one of them is known in all of it. */
function slicedOfTwo(node: Extract<Node, { kind: 'slice' }>, b: GraphBuilder, operand: NodeId): NodeId | null {
  for (const [known, other] of saidTogether(b.node(operand))) {
    const value = knownAlong(b, known, node.axis, node.at, node.as);
    if (value === 0) return b.constant(0, 'bool');
    if (value === 1 && b.axesOf(other).includes(node.axis)) return b.slice(other, node.axis, node.at, node.as);
  }
  return null;
}

/** The bools that both have to be true for a bool to be, each that may fall away with the one that is left then. */
function saidTogether(node: Node): readonly (readonly [NodeId, NodeId])[] {
  if (node.element !== 'bool') return [];
  if (node.kind === 'predicated') return node.otherwise === 0 ? [[node.value, node.presence]] : [];
  const [x, y] = node.kind === 'map' && node.op === 'and' ? node.operands : [];
  return x === undefined || y === undefined ? [] : [[x, y], [y, x]]; // prettier-ignore
}

function foldMap(node: MapNode, operands: readonly NodeId[], b: GraphBuilder): NodeId | null {
  const values = operands.map((id) => b.constantOf(id));
  const [x, y, z] = operands;
  const [a, c] = values;
  if (x === undefined) return null;
  if (values.every((v) => v !== null)) {
    const computes = b.node(operands.at(-1) ?? x).element;
    const f = scalarFunction(node.op, computes, node.element, false);
    const value = f(values[0] ?? 0, values[1] ?? 0, values[2] ?? 0);
    return Number.isFinite(value) ? b.constant(value, node.element) : null;
  }
  const same = (id: NodeId): NodeId | null => (b.node(id).element === node.element ? id : null);
  switch (node.op) {
    case 'where':
      if (y === undefined || z === undefined) return null;
      if (a !== null && a !== undefined) return same(a !== 0 ? y : z);
      return y === z ? same(y) : null;
    case 'and':
    case 'or': {
      if (y === undefined) return null;
      const neutral = node.op === 'and' ? 1 : 0;
      if (a !== null && a !== undefined) return a === neutral ? y : b.constant(1 - neutral, 'bool');
      if (c !== null && c !== undefined) return c === neutral ? x : b.constant(1 - neutral, 'bool');
      return x === y ? x : null;
    }
    case 'not': {
      const inner = b.node(x);
      return inner.kind === 'map' && inner.op === 'not' ? at(inner.operands, 0, 'passes: operand of not') : null;
    }
    case 'add':
      if (a === 0 && y !== undefined) return same(y);
      return c === 0 ? same(x) : null;
    case 'sub':
      return c === 0 ? same(x) : null;
    case 'mul':
      if (a === 1 && y !== undefined) return same(y);
      return c === 1 ? same(x) : null;
    case 'div':
      return c === 1 ? same(x) : null;
    case 'pow':
      return power(x, c ?? null, b, same);
    default:
      return null;
  }
}

function power(
  x: NodeId,
  exponent: number | null,
  b: GraphBuilder,
  same: (id: NodeId) => NodeId | null,
): NodeId | null {
  if (exponent === 1) return same(x);
  const square = (v: NodeId): NodeId => b.map('mul', [v, v]);
  if (exponent === 2) return square(x);
  if (exponent === 3) return b.map('mul', [square(x), x]);
  if (exponent === 4) return square(square(x));
  if (exponent === -1) return b.map('div', [b.constant(1), x]);
  return exponent === 0.5 ? b.map('sqrt', [x]) : null;
}
