/** A function of the host in the middle of a run. A file of its own: only models that have one load it. */
import { InputError } from '../contract/errors.ts';
import { callExtern } from '../contract/externs.ts';
import { buffersForHost } from '../contract/buffer-layout.ts';
import type { ExternSpec } from '../contract/manifest.ts';
import { Readback } from './readback.ts';
import { type RunContext, type RunSpec, bindingOf, bufferAt } from './run.ts';

/** Submits what is recorded, lets the host compute, and writes its results for what follows. */
export async function runExtern(
  context: RunContext,
  spec: RunSpec,
  step: ExternSpec,
  encoder: GPUCommandEncoder,
): Promise<void> {
  const { state } = context;
  const { layout } = spec;
  const run = context.externs.get(step.name);
  if (run === undefined) throw new InputError('MOE0714', `the function ${step.name} of the host was not given`);
  const requests = buffersForHost(step).map((buffer) => {
    const binding = bindingOf(layout, buffer);
    return { buffer: bufferAt(context, binding), bytes: binding.usedBytes };
  });
  const readback = new Readback(state, context.arena, requests);
  state.guard(() => {
    readback.begin(encoder);
    state.device.queue.submit([encoder.finish()]);
  });
  const words = await readback.finish(spec.timeout);
  const operands = words.slice(0, step.operands.length);
  const mask = step.mask === null ? null : (words[step.operands.length] ?? null);
  const results = await callExtern(step, layout.sizes, { operands, mask }, run, spec.signal);
  state.check();
  state.guard(() => {
    step.results.forEach(({ buffer }, i) => {
      const numbers = results[i];
      if (numbers !== undefined && numbers.length > 0) {
        state.device.queue.writeBuffer(bufferAt(context, bindingOf(layout, buffer)), 0, numbers);
      }
    });
  });
}
