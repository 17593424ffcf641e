/**
 * Along which axes the steps of a fold do not meet: a point of what is carried there depends on the same point only, so its recurrence
 * runs by itself, whatever the others do.
 *
 * These are the axes that all carried values have and along which no operation of the body reads another point. What is captured may be
 * read at any point, and so may what is computed in passing from that.
 */
import { operandsOfDraft } from './draft.ts';
import type { AxisId, Fold, Graph, NodeId } from './graph-ir.ts';
import { movedAxes } from './moved-axes.ts';

export function independentAxes({ carried, body }: Fold): readonly AxisId[] {
  const [first, ...others] = body.inputs.slice(1, carried + 1).map(({ axes }) => axes);
  const common = (first ?? []).filter((a) => others.every((axes) => axes.includes(a)));
  const free = madeOutside(body, carried);
  const met = new Set<AxisId>();
  for (const node of body.nodes)
    for (const operand of operandsOfDraft(node)) {
      if (free.has(operand)) continue;
      for (const axis of movedAxes(node, operand)) met.add(axis);
    }
  return common.filter((a) => !met.has(a));
}

/** Nodes of a body that are made of what is captured and of the step's number in passing: anybody can compute them at any point. */
export function madeOutside(body: Graph, carried: number): ReadonlySet<NodeId> {
  const outside = new Set<NodeId>();
  for (const node of body.nodes) {
    const own = node.kind === 'input' ? node.input === 0 || node.input > carried : node.kind !== 'contract' && node.kind !== 'reduce'; // prettier-ignore
    if (own && operandsOfDraft(node).every((id) => outside.has(id))) outside.add(node.id);
  }
  return outside;
}
