/**
 * Runs of programs on the GPU that keep the model: what runs the same program on other numbers, one test after another, has its
 * pipelines compiled once, for which a software driver takes seconds. A run that reports an error leaves the model as it was.
 */
import { executeGpu, openDevice, runModel } from '../../compiler/cli/running/execute.ts';
import { controlsOf, sizesOf } from '../../compiler/cli/running/prepare.ts';
import { createModel } from '../../runtime/running/module.ts';
import type { Model } from '../../runtime/running/model.ts';
import type { Ready, Results } from '../language/support.ts';

interface Kept {
  readonly device: GPUDevice;
  readonly model: Model;
}

export class GpuModels {
  /** By the hash of the module: equal hashes are equal to the last byte of every shader. */
  readonly #kept = new Map<string, Promise<Kept>>();

  /** One run. Of a program with variables, whose memory a run may change, by itself. */
  async run({ prepared, request }: Ready): Promise<Results> {
    const { manifest, compilation } = prepared;
    const onGpu = { ...request, on: 'gpu' } as const;
    if (manifest.stores.length > 0) return executeGpu(prepared, onGpu);
    const make = async (): Promise<Kept> => {
      const device = await openDevice(manifest);
      return { device, model: await createModel(manifest, compilation.shaders, { device, warmUp: 'none' }) };
    };
    const kept = this.#kept.get(manifest.hash) ?? make();
    this.#kept.set(manifest.hash, kept);
    const { model } = await kept;
    return runModel(model, prepared, onGpu, {
      sizes: sizesOf(prepared, onGpu),
      controls: controlsOf(prepared, onGpu),
    });
  }

  async release(): Promise<void> {
    for (const made of this.#kept.values()) {
      const { device, model } = await made;
      model.dispose();
      device.destroy();
    }
    this.#kept.clear();
  }
}
