/** Kernels side by side: each part computes what it computed alone, whatever names, memory and barriers the others have. */
import { describe, expect, it } from 'vitest';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import {
  add,
  f32,
  globalIdX,
  load,
  loadArray,
  localIdX,
  lt,
  mul,
  sub,
  u32,
} from '../../compiler/kernel/make-expressions.ts';
import { sideBySide } from '../../compiler/kernel/side-by-side.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { threadNumber } from '../../compiler/kernels/space.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl } from '../support/null-device.ts';
import { launch } from './launches.ts';

const SIZE = 4;

/** y[i] = x[i] · factor, and threads beyond leave early. Its locals have numbers from `first` on. */
function scaled(factor: number, first = 0): Kernel {
  const k = new KernelBuilder('scaled', SIZE);
  for (let i = 0; i < first; i++) k.fresh();
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const n = k.uniform('n', 'u32');
  const id = threadNumber(k);
  k.when(lt(sub(n, 1), id), () => k.return());
  const sum = k.var(f32(0), 'v');
  k.forRange(u32(0), u32(factor), 1, () => k.assign(sum, add(sum, load(x, id))));
  k.store(y, id, sum);
  return k.finish();
}

/** y[i] = what the thread before has, of each workgroup: with memory of the workgroup, and a barrier. */
function turned(): Kernel {
  const k = new KernelBuilder('turned', SIZE);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const n = k.uniform('n', 'u32');
  const cells = k.shared('cells', 'f32', SIZE);
  const id = threadNumber(k);
  k.when(lt(id, n), () => k.storeArray(cells, localIdX, load(x, id)));
  k.barrier();
  k.when(lt(id, n), () => k.store(y, id, loadArray(cells, sub(SIZE - 1, localIdX))));
  return k.finish();
}

const groupsOf = (n: number): number => Math.ceil(n / SIZE);

describe('kernels side by side', () => {
  const x = Float32Array.from({ length: 11 }, (_, i) => i + 1);
  const parts = [
    { kernel: scaled(2), buffers: ['b0', 'b1'] },
    { kernel: turned(), buffers: ['b0', 'b2'] },
    { kernel: scaled(3), buffers: ['b1', 'b3'] },
  ];

  it('compute what each computes alone, buffers of one name shared', () => {
    const pair = sideBySide(parts.slice(0, 2));
    expect(verifyKernel(pair, webgpuCore.limits)).toEqual([]);
    const [double, back] = [new Float32Array(11), new Float32Array(8)];
    const uniforms = { n0: 11, n1: 8, n2: groupsOf(11) };
    compileKernel(pair)(launch(groupsOf(11) + groupsOf(8), { b0: x, b1: double, b2: back }, uniforms));
    expect([...double]).toEqual([...x].map((value) => 2 * value));
    expect([...back]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
  });

  it('may be several, in a grid that is folded, with workgroups to spare', () => {
    const kernels = [scaled(1), scaled(2), scaled(3)].map((kernel, i) => ({ kernel, buffers: ['b0', `b${i + 1}`] }));
    const all = sideBySide(kernels);
    expect(verifyKernel(all, webgpuCore.limits)).toEqual([]);
    const out = kernels.map(() => new Float32Array(11));
    const buffers = { b0: x, ...Object.fromEntries(out.map((data, i) => [`b${i + 1}`, data])) };
    const uniforms = { n0: 11, n1: 11, n2: 11, n3: groupsOf(11), n4: groupsOf(11) };
    compileKernel(all)({ ...launch(1, buffers, uniforms), workgroups: [4, 3] });
    out.forEach((data, i) => expect([...data]).toEqual([...x].map((value) => (i + 1) * value)));
  });

  it('share arrays that are alike, since a workgroup is in one part alone', () => {
    const [one, other] = ['b1', 'b2'].map((out) => ({ kernel: turned(), buffers: ['b0', out] }));
    if (one === undefined || other === undefined) throw new Error('two parts');
    const pair = sideBySide([one, other]);
    expect(verifyKernel(pair, webgpuCore.limits)).toEqual([]);
    expect(pair.arrays).toEqual([{ ...one.kernel.arrays[0], name: 'w0' }]);
    const [first, second] = [new Float32Array(8), new Float32Array(8)];
    compileKernel(pair)(launch(2 * groupsOf(8), { b0: x, b1: first, b2: second }, { n0: 8, n1: 8, n2: groupsOf(8) }));
    expect([[...first], [...second]]).toEqual([[4, 3, 2, 1, 8, 7, 6, 5], [4, 3, 2, 1, 8, 7, 6, 5]]); // prettier-ignore
  });

  it('are WGSL that Dawn compiles: barriers stand where all threads of a workgroup meet', async () => {
    expect(await validateWgsl(printWgsl(sideBySide(parts.slice(0, 2))))).toEqual([]);
  });

  it('are the same kernel when their parts are, however these number their locals', () => {
    const pair = (first: Kernel): Kernel =>
      sideBySide([
        { kernel: first, buffers: ['b0', 'b1'] },
        { kernel: turned(), buffers: ['b0', 'b2'] },
      ]);
    expect(scaled(2, 5)).not.toEqual(scaled(2));
    expect(pair(scaled(2, 5))).toEqual(pair(scaled(2)));
  });

  it('are refused: workgroups of other sizes, a part that asks for its place among all threads, a buffer both read and written', () => {
    const other = new KernelBuilder('other', 2 * SIZE).finish();
    expect(() =>
      sideBySide([
        { kernel: scaled(1), buffers: ['b0', 'b1'] },
        { kernel: other, buffers: [] },
      ]),
    ).toThrow(/not alike/);
    const k = new KernelBuilder('place', SIZE);
    k.store(k.buffer('y', 'u32', 'read_write'), globalIdX, mul(globalIdX, 2));
    const place = { kernel: k.finish(), buffers: ['b9'] };
    expect(() => sideBySide([{ kernel: turned(), buffers: ['b0', 'b1'] }, place])).toThrow(/asks for global_id_x/);
    expect(() => sideBySide([parts[0] ?? place, parts[2] ?? place])).toThrow(/b1 is read by one part and written/);
  });
});
