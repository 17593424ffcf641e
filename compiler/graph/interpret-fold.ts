/** What a recurrence means: its step, as often as its axis has points, on what the step before gave. */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Fold, NodeId } from './graph-ir.ts';
import { inOrder, type NodeNumbers } from './tensor-points.ts';

/** All results of a fold: `operands` are row-major over the axes of its inputs, `step` evaluates a body whose inputs have names. */
export function foldValues(
  { carried, body }: Fold,
  operands: readonly Float64Array[],
  steps: number,
  step: (inputs: ReadonlyMap<string, ArrayLike<number>>) => (id: NodeId) => NodeNumbers,
): readonly Float64Array[] {
  const [number, ...names] = body.inputs.map(({ name }) => name);
  if (number === undefined) throw new CompilerBug('graph', 'a step has no number');
  let now = operands.slice(0, carried);
  const collected: Float64Array[][] = body.outputs.slice(carried).map(() => []);
  for (let t = 0; t < steps; t++) {
    const values = [...now, ...operands.slice(carried)];
    const named = names.map((name, i) => [name, at(values, i, 'graph: operand of a fold')] as const);
    const value = step(new Map<string, ArrayLike<number>>([[number, [t]], ...named]));
    const given = body.outputs.map((output) => {
      if (output.kind !== 'tensor') throw new CompilerBug('graph', 'a step gives a route');
      return inOrder(value(output.node), output.axes);
    });
    now = given.slice(0, carried);
    given.slice(carried).forEach((each, k) => collected[k]?.push(each));
  }
  return [...now, ...collected.map(joined)];
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  parts.reduce((from, part) => (out.set(part, from), from + part.length), 0);
  return out;
}
