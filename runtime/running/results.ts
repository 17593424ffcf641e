/** What a run gives its caller, made of the words that were read back. */
import { missing } from '../contract/bug.ts';
import type { PlanLayout } from '../contract/buffer-layout.ts';
import type { ResultSpec } from '../contract/manifest.ts';
import { type ResultValue, readResult } from '../contract/results.ts';
import type { Sizes } from '../contract/sizes.ts';

export interface RunResult {
  /** By name; an entry with one result calls it `output` unless it has a name. */
  readonly results: ReadonlyMap<string, ResultValue>;
  /** Empty unless asked for. */
  readonly outputs: ReadonlyMap<string, ResultValue>;
  readonly losses: ReadonlyMap<string, ResultValue>;
  readonly sizes: Sizes;
}

/** The results that were wanted, of the words of plan buffers. */
export function collect(
  wanted: readonly ResultSpec[],
  layout: PlanLayout,
  words: ReadonlyMap<number, Uint32Array<ArrayBuffer>>,
): RunResult {
  const groups = {
    result: new Map<string, ResultValue>(),
    output: new Map<string, ResultValue>(),
    loss: new Map<string, ResultValue>(),
    update: new Map<string, ResultValue>(),
  };
  for (const result of wanted) {
    const value = readResult(result, layout.sizes, (buffer) => words.get(buffer) ?? missing('buffer of a result'));
    groups[result.group].set(result.name, value);
  }
  return { results: groups.result, outputs: groups.output, losses: groups.loss, sizes: layout.sizes };
}
