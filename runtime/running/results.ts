/** What a run gives its caller, made of the words that were read back. */
import type { PlanLayout } from '../contract/buffer-layout.ts';
import type { ResultSpec } from '../contract/manifest.ts';
import { type Route, readRoute } from '../contract/routes.ts';
import { type Sizes, evaluateShape } from '../contract/sizes.ts';
import { type Tensor, fromWords } from '../contract/tensors.ts';

export type ResultValue = (Tensor & { readonly kind: 'tensor' }) | Route;

export interface RunResult {
  /** By name; an entry with one result calls it `output` unless it has a name. */
  readonly results: ReadonlyMap<string, ResultValue>;
  /** Empty unless asked for. */
  readonly outputs: ReadonlyMap<string, ResultValue>;
  readonly losses: ReadonlyMap<string, ResultValue>;
  readonly sizes: Sizes;
}

/** The results that were wanted, of the words of their buffers in order (three of a route). */
export function collect(
  wanted: readonly ResultSpec[],
  layout: PlanLayout,
  words: readonly Uint32Array<ArrayBuffer>[],
): RunResult {
  const groups = {
    result: new Map<string, ResultValue>(),
    output: new Map<string, ResultValue>(),
    loss: new Map<string, ResultValue>(),
    update: new Map<string, ResultValue>(),
  };
  const nothing = new Uint32Array(0);
  let at = 0;
  for (const result of wanted) {
    if (result.kind === 'tensor') {
      const shape = evaluateShape(result.axes, layout.sizes);
      const tensor = fromWords(result.element, result.axes, shape, words[at++] ?? nothing);
      groups[result.group].set(result.name, { kind: 'tensor', ...tensor });
    } else {
      const [present = nothing, weight = nothing, rank = nothing] = words.slice(at, at + 3);
      at += 3;
      groups[result.group].set(result.name, readRoute(result, layout.sizes, { present, weight, rank }));
    }
  }
  return { results: groups.result, outputs: groups.output, losses: groups.loss, sizes: layout.sizes };
}
