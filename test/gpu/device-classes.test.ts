/**
 * A layer on this adapter in its device class and in the portable forms: the same bits, which are those of the interpreter's order of sums.
 * Widths that are whole tiles and such that are not, experts with many rows, one and none.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { requestDevice } from '../../runtime/node.ts';
import { type CreateOptions, createModel, requirementsOf } from '../../runtime/running/module.ts';
import type { Model } from '../../runtime/running/model.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { callMoec, scratch } from '../cli/support.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

const layer = (D: number, F: number): string => `import { SwiGLU } from "std"

model Layer {
  axis T
  axis D = ${D}, F = ${F}, E = 4

  experts ffn[E] = SwiGLU<F> from "experts.{E}.{param}"

  router choose(x: [T, D]) -> route[T -> E] {
    param gate: [E, D] from "gate"
    normalize(top_k(softmax(gate @ x, over: E), 2, over: E))
  }

  forward(x: [T, D]) -> [T, D] { choose(x) @ ffn(x) }
}
`;

/** The tensors of a layer as its program names them. */
function weightsOf(D: number, F: number) {
  const tensor = (name: string, shape: readonly [number, number], seed: number) => ({
    name,
    dtype: 'F32' as const,
    shape,
    data: numbers(shape[0] * shape[1], seed),
  });
  const experts = [0, 1, 2, 3].flatMap((e) => [
    tensor(`experts.${e}.w1`, [F, D], 4 * e + 2),
    tensor(`experts.${e}.w3`, [F, D], 4 * e + 3),
    tensor(`experts.${e}.w2`, [D, F], 4 * e + 4),
  ]);
  return [tensor('gate', [4, D], 1), ...experts];
}

const numbers = (length: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898) * 2 ** (i % 5));

function compiled(D: number, F: number) {
  const { program, diagnostics } = analyse({ name: 'layer.moe', text: layer(D, F) });
  if (program === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  // As matrices that are large have them.
  const target = { ...webgpuCore, tileFrom: 0 };
  const { manifest, shaders } = compileProgram(program, { overrides: new Map(), target });
  if (manifest === null) throw new Error('the layer has errors');
  return { manifest, shaders };
}

gpuTest.each([
  [64, 64],
  [72, 60],
  [128, 40],
])(
  'a layer of width %i and %i is the same in every class of this device, bit for bit',
  async (D, F) => {
    const { manifest, shaders } = compiled(D, F);
    expect(manifest.classes.map(({ name }) => name)).toEqual(['simd4', 'simd8']);
    const weights = weightsOf(D, F);
    const device = await requestDevice(requirementsOf(manifest));
    const create = (of?: string): Promise<Model> =>
      createModel(manifest, shaders, { device, weights: fromTensors(weights), ...(of === undefined ? {} : { class: of }) }); // prettier-ignore
    const run = async (model: Model, T: number): Promise<readonly number[]> => {
      const { results } = await model.run({ x: { data: numbers(T * D, 5), shape: [T, D] } });
      const y = results.get('output');
      if (y?.kind !== 'tensor') throw new Error('the layer has no output');
      return [...y.data];
    };
    const size = gpuDevice().adapterInfo.subgroupMinSize;
    const [own, portable] = [await create(), await create('portable')];
    expect([own.deviceClass, portable.deviceClass]).toEqual([`simd${size}`, 'portable']);
    for (const T of [1, 2, 21, 70]) {
      const [values, wanted] = [await run(own, T), await run(portable, T)];
      expect(wanted.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
      expect([T, values]).toEqual([T, wanted]);
    }
    await expect(create(size === 4 ? 'simd8' : 'simd4')).rejects.toMatchObject({ code: 'MOE0702' });
    await expect(create('simd5')).rejects.toThrow(/class .*portable or simd4 or simd8/);
    device.destroy();
  },
  120_000,
);

gpuTest(
  'a module loads the file of the class of this device, and no other',
  async () => {
    const folder = scratch();
    const ended = await callMoec(['compile', folder.file('layer.moe', layer(64, 64)), '-o', join(folder.path, 'out')]);
    expect(ended.code, ended.stderr).toBe(0);
    const size = gpuDevice().adapterInfo.subgroupMinSize;
    const file = (name: string): string => join(folder.path, 'out', name);
    rmSync(file(size === 4 ? 'layer.simd8.js' : 'layer.simd4.js'));
    const { create, requiredFeatures }: { readonly create: (options: CreateOptions) => Promise<Model>; readonly requiredFeatures: readonly string[] } = await import(pathToFileURL(file('layer.js')).href); // prettier-ignore
    const device = await requestDevice({ requiredFeatures });
    const run = async (of: Partial<CreateOptions>): Promise<readonly number[]> => {
      const model = await create({ device, weights: fromTensors(weightsOf(64, 64)), ...of });
      expect(model.deviceClass).toBe(of.class ?? `simd${size}`);
      const y = (await model.run({ x: { data: numbers(21 * 64, 5), shape: [21, 64] } })).results.get('output');
      model.dispose();
      return y?.kind === 'tensor' ? [...y.data] : [];
    };
    const own = await run({});
    expect(own).toHaveLength(21 * 64);
    expect(own).toEqual(await run({ class: 'portable' }));
    device.destroy();
    folder.remove();
  },
  120_000,
);
