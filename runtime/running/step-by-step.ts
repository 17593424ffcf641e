/**
 * A run launch by launch, each in a submission of its own, for who compares what every launch wrote (`moec verify`). A run of its own
 * accord knows nothing of this.
 */
import { missing } from '../contract/bug.ts';
import type { LaunchLayout } from '../contract/buffer-layout.ts';
import { POISON } from '../contract/poison.ts';
import { Readback } from './readback.ts';
import { type RunContext, type RunSpec, type WatchStep, bindingOf, bufferAt, launcherOf } from './run.ts';

/** What is looked at. Steps and buffers are those of the plan, by number. */
export interface RunWatch {
  /** Buffers to be overwritten before a step: what the step should write must not be there already. */
  buffersToPoison(step: number): readonly number[];
  /** Buffers whose words are read back after a step. */
  buffersToRead(step: number): readonly number[];
  /** What they hold after the step. */
  take(step: number, words: (buffer: number) => Uint32Array): void;
}

/** A watch as a run takes one. */
export function stepByStep(watch: RunWatch): WatchStep {
  return (context, spec, step, launches) => watchStep(context, spec, watch, step, launches);
}

/** Words that are written at once to poison a buffer. */
const POISON_WORDS = 1 << 18;

/** One step by itself: its launch, if it has one to make, between what it should write and what it wrote. */
async function watchStep(
  context: RunContext,
  spec: RunSpec,
  watch: RunWatch,
  step: number,
  launches: readonly LaunchLayout[],
): Promise<void> {
  const { state } = context;
  const { device } = state;
  const { layout } = spec;
  const poison = new Uint32Array(POISON_WORDS).fill(POISON);
  state.guard(() => {
    for (const buffer of launches.length === 0 ? [] : watch.buffersToPoison(step)) {
      const binding = bindingOf(layout, buffer);
      for (let at = 0; at < binding.usedBytes; at += 4 * POISON_WORDS) {
        const words = poison.subarray(0, Math.min(POISON_WORDS, (binding.usedBytes - at) / 4));
        device.queue.writeBuffer(bufferAt(context, binding), at, words);
      }
    }
  });
  const buffers = watch.buffersToRead(step);
  const requests = buffers.map((buffer) => {
    const binding = bindingOf(layout, buffer);
    return { buffer: bufferAt(context, binding), bytes: binding.usedBytes };
  });
  const readback = new Readback(state, context.arena, requests);
  state.guard(() => {
    const encoder = device.createCommandEncoder({ label: launches[0]?.spec.label ?? 'step' });
    launcherOf(context, layout).record(encoder, launches);
    readback.begin(encoder);
    device.queue.submit([encoder.finish()]);
  });
  const words = await readback.finish(spec.timeout);
  const byBuffer = new Map(buffers.map((buffer, i) => [buffer, words[i] ?? missing('word')] as const));
  watch.take(step, (buffer) => byBuffer.get(buffer) ?? new Uint32Array(0));
}
