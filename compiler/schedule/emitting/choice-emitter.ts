/** What a `choose` of the graph is to its kernels, however they go over a group. */
import { multiply } from '../../../dsl/types/size.ts';
import type { Node } from '../../graph/graph-ir.ts';
import { convert } from '../../kernel/make-expressions.ts';
import type { ChooseConfig } from '../../kernels/choose.ts';
import type { ChooseLongConfig } from '../../kernels/choose-long.ts';
import { rowMajor } from '../../kernels/space.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { inner } from './point-scope.ts';
import type { PointScope } from './point-scope.ts';
import { alongAxes, paired } from './spaces.ts';

type ChooseNode = Extract<Node, { readonly kind: 'choose' }>;
type Given = 'space' | 'groups' | 'groupAt' | 'out';
type ChoiceParts = Omit<ChooseConfig<PointScope>, Given> & Omit<ChooseLongConfig<PointScope>, Given>;

export function choiceEmitter(
  node: ChooseNode,
  space: StoredSpace,
  report: ((l: ExprEmitter, point: PointScope) => void) | null,
): (l: ExprEmitter) => ChoiceParts {
  const { key, candidates, count, over, along } = node;
  return (l) => {
    const { launch } = l;
    return {
      room: l.size(along),
      points: launch.size(multiply(over.map((a) => l.placement.sizeOf(a)))),
      pointAt: (group, position) => inner(group, paired(over, l.decode(position, over.map((a) => l.size(a))))), // prettier-ignore
      loop: alongAxes(l, over),
      position: (p) => rowMajor(over.map((a) => l.index(p, a)), over.map((a) => l.size(a))), // prettier-ignore
      count: count === null ? null : (p) => convert('i32', l.value(count, p)),
      key: key === null ? null : (p) => l.value(key, p),
      candidate: candidates === null ? null : (p) => convert('bool', l.value(candidates, p)),
      report: report === null ? null : (p) => report(l, p),
      slot: (group, number) => l.elementIndex(inner(group, [[along, number]]), space),
    };
  };
}
