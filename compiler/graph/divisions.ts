/**
 * Divisions by sizes that only a run knows. A formula with one has no value in a run where the divisor is 0: that is a
 * condition of the run, told before anything is computed, with the place of the division's value in the program.
 */
import { get } from '../../dsl/diagnostics/invariants.ts';
import { asNumber, isConstant, sizeKey, type Size } from '../../dsl/types/size.ts';
import type { Graph, Node, Span } from './graph-ir.ts';
import { liveNodes } from './node-uses.ts';

export interface Division {
  readonly dividend: Size;
  /** A formula of dynamic axes that may be 0. */
  readonly divisor: Size;
  readonly span: Span;
}

/** The divisions in the sizes of what a graph's outputs need: once for each divisor, inner ones first. */
export function divisionsOf(graph: Graph): readonly Division[] {
  const found = new Map<string, Division>();
  const visit = (size: Size, span: Span): void => {
    if (size.kind !== 'op') return;
    for (const arg of size.args) visit(arg, span);
    const [dividend, divisor] = size.args;
    if ((size.op !== 'div' && size.op !== 'mod') || dividend === undefined || divisor === undefined) return;
    if (isConstant(divisor) || leastOf(divisor) > 0) return;
    const key = sizeKey(divisor);
    if (!found.has(key)) found.set(key, { dividend, divisor, span });
  };
  const live = liveNodes(graph);
  for (const node of graph.nodes) {
    if (live[node.id] !== true) continue;
    for (const size of sizesOf(graph, node)) visit(size, node.span);
  }
  return [...found.values()];
}

/** The sizes a node is made of: those of its axes, and those that stand in it. */
function sizesOf(graph: Graph, node: Node): readonly Size[] {
  const axes = node.axes.map((axis) => get(graph.axes, axis, 'graph: axis').size);
  switch (node.kind) {
    case 'size':
      return [...axes, node.size];
    case 'slice':
      return [...axes, node.at];
    case 'draw':
      return [...axes, ...node.roots.map((root) => root.offset)];
    case 'presence':
      return [...axes, ...node.bounds.map((bound) => bound.atMost)];
    default:
      return axes;
  }
}

/** A lower bound of a size, whatever the dynamic axes have; -∞ where none is seen. */
function leastOf(size: Size): number {
  if (size.kind === 'dynamic') return 0;
  if (size.kind !== 'op') return asNumber(size) ?? -Infinity;
  const [a = -Infinity, b = -Infinity] = size.args.map(leastOf);
  const constant = size.args[1] === undefined ? null : asNumber(size.args[1]);
  switch (size.op) {
    case 'add':
      return a + b;
    case 'mul':
      return a >= 0 && b >= 0 ? a * b : -Infinity;
    case 'max':
      return Math.max(a, b);
    case 'min':
      return Math.min(a, b);
    case 'floor':
      return Math.floor(a);
    case 'ceil':
      return Math.ceil(a);
    case 'sub':
      return constant === null ? -Infinity : a - constant;
    case 'div':
      return constant === null || constant <= 0 ? -Infinity : a / constant;
    default:
      return -Infinity;
  }
}
