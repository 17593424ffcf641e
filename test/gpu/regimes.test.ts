/** Runs with few rows on an adapter: by a plan of their own, with the bits of the other one, also as they are encoded; every launch is right. */
import { afterAll, expect } from 'vitest';
import { modelOn, openDevice, runModel, withModel } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { controlsOf, sizesOf } from '../../compiler/cli/running/prepare.ts';
import { stepwiseOnGpu } from '../../compiler/cli/running/stepwise.ts';
import type { Model } from '../../runtime/running/model.ts';
import { bufferUsage } from '../../runtime/running/buffers.ts';
import { preparedOf, ready, type Ready } from '../language/support.ts';
import { gpuTest } from '../support/gpu-test.ts';

const text = `import { SwiGLU } from "std"
model M {
  axis T, D = 68, F = 132, E = 8
  experts ffn[E] = SwiGLU<F>
  experts always = SwiGLU<F>
  router gate(x: [T, D]) -> route[T -> E] {
    param w: [E, D]
    softmax(top_k(w @ x, 2, over: E), over: E)
  }
  forward(x: [T, D]) -> [T, D] { gate(x) @ ffn(x) + always(x) }
}`;

/** The same, where an expert takes two tokens, those that wanted it most. */
const limited = text.replace('gate(x) @', 'limit(gate(x), to: 2, over: T, by: rank(gate(x))) @');

const programs = new Map<string, Prepared>();

/** A program with the plan of one regime or with both: compiled once, whatever sizes follow. */
function programOf(of: string, regime?: 'few' | 'many'): Prepared {
  const key = `${regime} ${of}`;
  const known = programs.get(key);
  if (known !== undefined) return known;
  const made = preparedOf(of, { plans: 'results', ...(regime === undefined ? {} : { regime }) });
  programs.set(key, made);
  return made;
}

function runOf(T: number, regime?: 'few' | 'many', of = text): Ready {
  const prepared = programOf(of, regime);
  const run = ready(prepared, { sizes: new Map([['T', T]]) });
  const weights = withVariables(null, prepared.manifest.stores, run.prepared.variables);
  const want = { losses: false, outputs: false, updates: false };
  return { prepared: run.prepared, request: { ...run.request, on: 'gpu', weights, want } };
}

/** By the hash of the module; all have the same weights. */
const models = new Map<string, { readonly device: GPUDevice; readonly model: Model }>();
afterAll(() => {
  for (const { device, model } of models.values()) {
    model.dispose();
    device.destroy();
  }
});

async function outputOf({ prepared, request }: Ready): Promise<readonly number[]> {
  const { manifest } = prepared;
  let kept = models.get(manifest.hash);
  if (kept === undefined) {
    const device = await openDevice(manifest);
    models.set(manifest.hash, (kept = { device, model: await modelOn(prepared, request, device) }));
  }
  const parts = { sizes: sizesOf(prepared, request), controls: controlsOf(prepared, request) };
  return [...((await runModel(kept.model, prepared, request, parts)).get('output')?.data ?? [])];
}

gpuTest.each([0, 1, 2, 3])(
  '%i rows: the same bits in every regime',
  async (T) => {
    const many = await outputOf(runOf(T, 'many'));
    expect(many.length).toBe(68 * T);
    expect(await outputOf(runOf(T))).toEqual(many);
    expect(await outputOf(runOf(T, 'few'))).toEqual(many);
    if (T === 0) return;
    const { wrong, compared } = await stepwiseOnGpu(runOf(T, 'few'));
    expect({ wrong, any: compared > 0 }).toEqual({ wrong: 0, any: true });
  },
  240_000,
);

gpuTest(
  'queues are counted where they are asked: the same bits in every regime',
  async () => {
    const many = await outputOf(runOf(9, 'many', limited));
    expect(many.length).toBe(68 * 9);
    expect(many).not.toEqual(await outputOf(runOf(9, 'many')));
    expect(await outputOf(runOf(9, 'few', limited))).toEqual(many);
    const { wrong, compared } = await stepwiseOnGpu(runOf(9, 'few', limited));
    expect({ wrong, any: compared > 0 }).toEqual({ wrong: 0, any: true });
  },
  240_000,
);

gpuTest(
  'an encoded run has the plan of its sizes',
  async () => {
    const run = runOf(2);
    const device = await openDevice(run.prepared.manifest);
    try {
      await withModel(run.prepared, run.request, device, async (model) => {
        await model.warmUp();
        for (const T of [2, 5]) {
          const given = runOf(T);
          const x = given.request.inputs.get('x');
          const bytes = 4 * 68 * T;
          const usage = bufferUsage.copySource | bufferUsage.copyTarget;
          const [input, output] = [
            device.createBuffer({ size: bytes, usage }),
            device.createBuffer({ size: bytes, usage }),
          ];
          device.queue.writeBuffer(input, 0, Float32Array.from(x?.data ?? []));
          const encoder = device.createCommandEncoder();
          const encoded = model.encode(encoder, { inputs: { x: input }, outputs: { output }, sizes: { T } });
          const read = device.createBuffer({ size: bytes, usage: bufferUsage.mapRead | bufferUsage.copyTarget });
          encoder.copyBufferToBuffer(output, 0, read, 0, bytes);
          device.queue.submit([encoder.finish()]);
          await encoded.check();
          await read.mapAsync(1);
          expect([...new Float32Array(read.getMappedRange())]).toEqual(await outputOf(runOf(T, 'many')));
        }
      });
    } finally {
      device.destroy();
    }
  },
  240_000,
);
