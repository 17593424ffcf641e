/** Rows beside what has memory that costs would compute in passing: whoever reads a value finds it where it is. */
import { expect, it } from 'vitest';
import { memoryOf } from '../../compiler/graph/node-memory.ts';
import { byCost, type Decider } from '../../compiler/schedule/deciding/decider.ts';
import { stepTexts } from '../../compiler/schedule/deciding/print-schedule.ts';
import { settled } from '../../compiler/schedule/schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { preparedOf } from '../language/support.ts';

it('who sums along slots reads what it sums, also where what is summed has memory under its presence', () => {
  const { fused } = preparedOf(`model Layers {
    axis T, D = 3, L = 2
    forward(s: [T, L], y: [L, D]) -> [T, D] { top_k(softmax(s, over: L), 1, over: L) @ (2 * y) }
  }`).entry.inference;
  const all = fused.graph.nodes.filter((node) => memoryOf(node) === 'possible').map(({ id }) => id);
  const summed = fused.graph.nodes.flatMap((node) => (node.kind === 'predicated' ? [node.id] : []));
  expect(summed).not.toEqual([]);
  // The presence joins the row of the score it is chosen by; the sum stands apart from both.
  const sum = fused.graph.nodes.flatMap((node) =>
    node.kind === 'reduce' && summed.includes(node.operand) ? [node.id] : [],
  );
  const decider: Decider = {
    ...byCost,
    stored: new Set(all),
    makesList: () => false,
    joins: (id) => !sum.includes(id),
  };
  const { schedule } = settled(fused, webgpuCore, decider, () => '');
  const texts = stepTexts(schedule, fused.graph);
  expect(texts.filter((text) => text.includes('reduce_slots'))).toHaveLength(1);
  expect(texts.filter((text) => /^row .*choose/.test(text))).toHaveLength(1);
});
