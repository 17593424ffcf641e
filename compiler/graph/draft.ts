/**
 * Nodes before they have a number: what they read, and when two of them are the same.
 */
import type { GraphInput, GraphInputId, Node, NodeId } from './graph-ir.ts';

/** Everything of a node but its number and its place in the source. */
export type Draft = Node extends infer N ? (N extends Node ? Omit<N, 'id' | 'span'> : never) : never;

/** Equal drafts have equal keys: everything but id and span. */
export function keyOf(draft: Draft): string {
  return JSON.stringify(draft, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    return typeof value === 'number' && !Number.isInteger(value) ? `#${value}` : value;
  });
}

/** The nodes a node reads, in order. An extern result reads the operands of its call: see `operandsOf` in node-uses.ts. */
export function operandsOfDraft(draft: Draft | Node): readonly NodeId[] {
  switch (draft.kind) {
    case 'constant':
    case 'size':
    case 'iota':
    case 'input':
    case 'draw':
    case 'extern':
      return [];
    case 'map':
    case 'fold':
      return draft.operands;
    case 'predicated':
      return [draft.presence, draft.value];
    case 'presence':
      return [draft.mask];
    case 'contract':
      return [draft.left, draft.right];
    case 'sort_rank':
      return [...draft.keys.map((k) => k.node), ...(draft.candidates === null ? [] : [draft.candidates])];
    case 'choose':
      return [draft.key, draft.candidates, draft.count].filter((id) => id !== null);
    case 'gather':
      return [draft.table, draft.indices];
    case 'concat':
      return draft.parts.map((p) => p.node);
    case 'reduce':
    case 'scan':
    case 'argmax':
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
      return [draft.operand];
  }
}

/** Whether a node varies with what a run is given: it reads an input, draws, asks the host, or is made of what does. */
export function varies(
  draft: Draft | Node,
  roleOf: (input: GraphInputId) => GraphInput['role'],
  varying: readonly boolean[],
): boolean {
  if (draft.kind === 'input') {
    const role = roleOf(draft.input);
    return role === 'input' || role === 'control';
  }
  if (draft.kind === 'draw' || draft.kind === 'extern') return true;
  return operandsOfDraft(draft).some((id) => varying[id] === true);
}
