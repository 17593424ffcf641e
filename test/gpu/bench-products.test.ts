/** The products that the benchmark takes for ceilings are products: a kernel that left something out would be a ceiling too high. */
import { expect } from 'vitest';
import { formsFor } from '../bench/products.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

const STORAGE = 0x80;
const UNIFORM = 0x40;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;

gpuTest('each form multiplies what it is given', async () => {
  const device = gpuDevice();
  const lanes = device.features.has('subgroups') ? device.adapterInfo.subgroupMinSize : 0;
  // Those of any adapter, and those of this one that compile within a second.
  const short = (code: string): boolean => code.length < 6000;
  const forms = [...formsFor(0, true), ...formsFor(lanes, true)].filter(({ code }) => short(code));
  expect(new Set(forms.map(({ kind }) => kind)).size).toBe(2);
  for (const { name, kind, code, rows, columns, depth, grid } of forms) {
    const [m, n, k, matrices] = [2 * rows, 2 * columns, 2 * depth, kind === 'vector' ? 2 : 1];
    const x = Float32Array.from({ length: m * k }, (_, i) => ((i * 7) % 5) - 2);
    const w = Float32Array.from({ length: matrices * n * k }, (_, i) => ((i * 11) % 7) - 3);
    const buffer = (size: number, usage: number): GPUBuffer => device.createBuffer({ size, usage: usage | COPY_DST });
    const sizes = buffer(16, UNIFORM);
    const [bx, bw] = [x, w].map((words) => {
      const one = buffer(words.byteLength, STORAGE);
      device.queue.writeBuffer(one, 0, words);
      return one;
    });
    const y = buffer(4 * m * n, STORAGE | COPY_SRC);
    const out = buffer(4 * m * n, MAP_READ);
    if (bx === undefined || bw === undefined) throw new Error('two buffers were made');
    device.queue.writeBuffer(sizes, 0, new Uint32Array([m, n, k, matrices]));
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [sizes, bx, bw, y].map((one, binding) => ({ binding, resource: { buffer: one } })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...grid(m, n));
    pass.end();
    encoder.copyBufferToBuffer(y, 0, out, 0, 4 * m * n);
    device.queue.submit([encoder.finish()]);
    await out.mapAsync(MAP_READ);
    const found = new Float32Array(out.getMappedRange().slice(0));
    out.unmap();
    // Whole numbers: sums are exact in any order.
    const wrong = found.findIndex((value, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (x[row * k + i] ?? NaN) * (w[((row % matrices) * n + column) * k + i] ?? NaN);
      return value !== sum;
    });
    expect([name, wrong]).toEqual([name, -1]);
  }
});
