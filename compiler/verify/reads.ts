/** What comparing a value loads: so long it has to be kept. */
import { domainOf, type FusedGraph } from '../graph/domains.ts';
import type { Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../graph/node-uses.ts';
import { idsOfSlots } from '../graph/slots.ts';
import { isWaveOfWide, wideOperands } from '../graph/wide-angles.ts';
import type { Content, Contents } from '../schedule/emitting/contents.ts';
import type { BufferId } from '../schedule/memory/plan.ts';

/** Buffers of node values that comparing a content loads. */
export function readsOf(
  content: Content,
  { fused, contents }: { readonly fused: FusedGraph; readonly contents: Contents },
  bufferOf: ReadonlyMap<NodeId, BufferId>,
): readonly BufferId[] {
  const found = new Set<BufferId>();
  const seen = new Set<NodeId>();
  const pending: NodeId[] = [];
  const want = (ids: readonly NodeId[]): void => void pending.push(...ids);
  const wantOperands = (node: Node): void => {
    // An angle with more digits than f32 is made of what it is made of, through what has memory.
    want(isWaveOfWide(node, (n) => nodeOf(fused.graph, n)) ? anchorsOf(fused.graph, node) : []);
    want(operandsOf(fused.graph, node));
  };
  const wantNode = (node: Node): void => {
    wantOperands(node);
    want(domainOf(fused, node.id).presences);
  };
  switch (content.kind) {
    case 'value':
    case 'copy': {
      const node = nodeOf(fused.graph, content.node);
      wantNode(node);
      want([content.node]);
      const form = content.space.assignmentList?.form;
      if (form?.kind === 'slots') want(idsOfSlots(form.slots));
      break;
    }
    case 'mask':
      want(content.presences);
      break;
    case 'compaction': {
      const compaction = contents.compactions[content.compaction];
      if (compaction !== undefined) {
        for (const b of [compaction.counts, compaction.starts, compaction.list, compaction.offsets])
          if (b !== null) found.add(b);
        if (compaction.of.kind === 'rows') {
          const { presences, form } = compaction.of.assignmentList;
          want(presences);
          if (form.kind === 'grouped') want(idsOfSlots(form.slots));
        }
      }
      break;
    }
    case 'extern':
      break;
  }
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const buffer = bufferOf.get(id);
    if (buffer !== undefined) found.add(buffer);
    // Through what has no memory of its own, to what has.
    else wantOperands(nodeOf(fused.graph, id));
  }
  return [...found];
}

/** The values that wide arithmetic takes as they are, of the operands of a node. */
function anchorsOf(graph: Graph, node: Node): readonly NodeId[] {
  const anchors = new Set<NodeId>();
  const seen = new Set<NodeId>();
  const pending = [...operandsOf(graph, node)];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const operands = wideOperands(nodeOf(graph, id));
    if (operands === null) anchors.add(id);
    else pending.push(...operands);
  }
  return [...anchors];
}
