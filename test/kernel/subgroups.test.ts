/** Grids of three dimensions and subgroups: what the interpreter makes of them, what is refused, and their texts. */
import { describe, expect, it } from 'vitest';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import {
  add,
  convert,
  eq,
  f32,
  globalIdX,
  load,
  localIndex,
  lt,
  subgroup,
  subgroupLane,
  u32,
  workgroupIdX,
} from '../../compiler/kernel/make-expressions.ts';
import { threadNumber } from '../../compiler/kernels/space.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { featuresOf } from '../../compiler/kernel/workgroup-shape.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl } from '../support/null-device.ts';
import { launch } from './launches.ts';
import { gridKernel, SUBGROUP_WORDS, subgroupsKernel } from './subgroup-kernels.ts';

const violations = (kernel: Kernel) => verifyKernel(kernel, webgpuCore.limits).join('\n');
const built = (write: (k: KernelBuilder) => void, size: number | undefined = 4): Kernel => {
  const k = new KernelBuilder('probe', 8, size);
  write(k);
  return k.finish();
};

describe('a grid of three dimensions', () => {
  it('gives each thread its ids', () => {
    const out = new Uint32Array(12 * 24);
    compileKernel(gridKernel())({ ...launch(1, { out }), workgroups: [4, 3, 2] });
    const wanted: number[] = [];
    for (let g = 0; g < 24; g++) {
      for (let l = 0; l < 12; l++) {
        const group = [Math.floor(g / 12), Math.floor(g / 4) % 3, g % 4];
        const local = [Math.floor(l / 6), Math.floor(l / 2) % 3, l % 2];
        wanted.push(Number([...group, ...local].join('')));
      }
    }
    expect([...out]).toEqual(wanted);
  });

  it('has limits along each side', () => {
    const shaped = (sides: readonly [number, number, number]) =>
      violations(new KernelBuilder('shaped', sides).finish());
    expect(shaped([16, 4, 4])).toBe('');
    expect(shaped([1, 257, 1])).toMatch(/workgroup size along y: 257, and the limit is 256/);
    expect(shaped([1, 1, 65])).toMatch(/workgroup size along z: 65, and the limit is 64/);
    expect(shaped([32, 4, 4])).toMatch(/threads per workgroup: 512/);
    expect(shaped([0, 1, 1])).toMatch(/the workgroup size is 0 x 1 x 1/);
    expect(violations({ ...gridKernel(), workgroupSize: 6 })).toMatch(/6 threads are no workgroup of 2 x 3 x 2/);
  });

  it('has no number of a thread as families count them', () => {
    expect(() => threadNumber(new KernelBuilder('probe', [8, 1, 1]))).toThrow(/three dimensions/);
  });

  it('has a text and a shader', async () => {
    expect(printKernel(gridKernel())).toContain('kernel grid, workgroup 2 x 3 x 2');
    const text = printWgsl(legalise(gridKernel(), webgpuCore));
    expect(text).toContain('@compute @workgroup_size(2, 3, 2)\n');
    expect(text).toContain('@builtin(local_invocation_index) local_index: u32');
    expect(await validateWgsl(text)).toEqual([]);
  });
});

/** What `subgroupsKernel` is to store, by definition. */
function defined(size: number, x: readonly number[], f: readonly number[]): readonly [number[], number[]] {
  const words: number[] = [];
  const floats: number[] = [];
  for (let t = 0; t < 4 * size; t++) {
    const lane = t % size;
    const first = t - lane;
    const group = x.slice(first, first + size);
    const of = (i: number) => at(x, first + i, 'test: lane');
    const float = (i: number) => at(f, first + i, 'test: lane');
    const signed = group.map((v) => (v % 100) - 50);
    const says = (i: number) => (i < size && of(i) % 2 === 1 ? 1 : 0);
    const bits = (word: number) =>
      Array.from({ length: 32 }, (_, b) => says(32 * word + b) * 2 ** b).reduce((sum, b) => sum + b, 0);
    words.push(
      of(size - 1),
      of((lane + 1) % size),
      of(lane ^ 1),
      group.reduce((sum, v) => (sum + v) >>> 0, 0),
      Math.min(...group),
      Math.max(...group),
      Math.min(...signed) >>> 0,
      Math.max(...signed) >>> 0,
      bits(0),
      (bits(1) ^ bits(3)) >>> 0,
      group.every((v) => v % 2 === 1) ? 1 : 0,
      group.some((v) => v > 4000000000) ? 1 : 0,
      lane,
      0,
      0,
      0,
    );
    const { fround } = Math;
    const once = (i: number) => fround(float(i) + float(i ^ 1));
    const asked = of(lane) % size;
    floats.push(float(asked), first + asked, fround(once(lane) + once(lane ^ 2)), float(2));
  }
  return [words, floats];
}

describe('subgroups', () => {
  it.each([4, 8, 16, 32, 64])('of %i give what their operations are defined to', (size) => {
    const n = 4 * size;
    const x = Uint32Array.from({ length: n }, (_, i) => Math.imul(i + 7, 2654435761) >>> 0);
    const f = Float32Array.from({ length: n }, (_, i) => Math.sin(i) * 3);
    const out = new Uint32Array(SUBGROUP_WORDS * n);
    const floats = new Float32Array(4 * n);
    const kernel = subgroupsKernel(size);
    expect(violations(kernel)).toBe('');
    compileKernel(legalise(kernel, webgpuCore))(launch(1, { x, f, out, floats }));
    expect([[...out], [...floats]]).toEqual(defined(size, [...x], [...f]));
  });

  it('are no barrier for memory', () => {
    const kernel = built((k) => {
      const y = k.buffer('y', 'u32', 'read_write');
      const s = k.shared('s', 'u32', 8);
      k.storeArray(s, localIndex, u32(1));
      k.broadcast(localIndex, 0);
      k.store(y, localIndex, { kind: 'load_array', type: 'u32', array: 's', index: add(u32(7), u32(0)) });
    });
    expect(() => compileKernel(kernel)(launch(1, { y: new Uint32Array(8) }))).toThrow(/race/);
  });

  it('meet in loops and branches that all threads take', () => {
    const kernel = built((k) => {
      const y = k.buffer('y', 'u32', 'read_write');
      const n = k.uniform('n', 'u32');
      const sum = k.var(u32(0));
      k.forOnce(0, n, 1, (i) => k.assign(sum, add(sum, k.shuffle(localIndex, i))));
      k.when(lt(workgroupIdX, 1), () => k.assign(sum, add(sum, k.fold('max', localIndex))));
      k.store(y, globalIdX, sum);
    });
    expect(violations(kernel)).toBe('');
    const y = new Uint32Array(16);
    compileKernel(kernel)(launch(2, { y }, { n: 3 }));
    expect([...y]).toEqual([...[6, 6, 6, 6], ...[22, 22, 22, 22], ...[3, 3, 3, 3], ...[15, 15, 15, 15]]);
  });

  it.each<[string, RegExp, (k: KernelBuilder) => void]>([
    [
      'a lane that is not there',
      /subgroup shuffle of lane 4, and there are 4/,
      (k) => k.shuffle(localIndex, add(subgroupLane, 1)),
    ],
    [
      'threads that have returned',
      /4 threads returned before a subgroup operation/,
      (k) => {
        k.when(lt(localIndex, 4), () => k.return());
        k.broadcast(localIndex, 0);
      },
    ],
    [
      'threads that disagree',
      /threads disagree/,
      (k) => k.when(lt(localIndex, 4), () => void k.broadcast(localIndex, 0)),
    ],
  ])('are refused by the interpreter: %s', (_, message, write) => {
    expect(() => compileKernel(built(write))(launch(1, {}))).toThrow(message);
  });

  it.each<[RegExp, Kernel]>([
    [/names no size of subgroups/, { ...built((k) => void k.broadcast(localIndex, 0)), subgroupSize: undefined }],
    [
      /a lane of a subgroup in a kernel that names no size/,
      { ...built((k) => void k.let(subgroupLane)), subgroupSize: undefined },
    ],
    [/no device has subgroups of 12/, built(() => undefined, 12)],
    [/a side of 8 is no number of subgroups of 16/, built(() => undefined, 16)],
    [/a subgroup broadcast of lane 4, and there are 4/, built((k) => void k.broadcast(localIndex, 4))],
    [
      /a subgroup add of f32 is no f32/,
      built((k) => k.push({ ...subgroup('add', 'v', u32(1)), type: 'f32', value: f32(1) })),
    ],
    [
      /a subgroup broadcast of a lane that is no literal/,
      built((k) => k.push({ ...subgroup('shuffle', 'v', u32(1), localIndex), op: 'broadcast' })),
    ],
    [
      /subgroup operation 1 is under control that differs between threads/,
      built((k) => {
        k.broadcast(localIndex, 0);
        k.when(eq(localIndex, 0), () => void k.broadcast(localIndex, 1));
      }),
    ],
    [/barrier 0 is under control/, built((k) => k.when(eq(k.broadcast(localIndex, 0), 0), () => k.barrier()))],
  ])('are refused by the verifier: %s', (message, kernel) => {
    expect(violations(kernel)).toMatch(message);
  });

  it('have no sum of f32', () => {
    const k = new KernelBuilder('probe', 8, 4);
    expect(() => k.fold('add', f32(1))).toThrow(/subgroup add of f32/);
    expect(() => k.fold('max', convert('f32', localIndex))).toThrow(/subgroup max of f32/);
  });

  it('have a text and a shader, and name what a device must have', async () => {
    const kernel = subgroupsKernel(8);
    expect(printKernel(kernel)).toContain('kernel subgroups, workgroup 16 x 2 x 1, subgroups of 8');
    expect(printKernel(kernel)).toContain(': vec4<u32> = subgroup_ballot(');
    const text = printWgsl(legalise(kernel, webgpuCore));
    expect(text).toMatch(/^enable subgroups;\n\n@group/);
    expect(text).toContain('@compute @workgroup_size(16, 2, 1)');
    expect(await validateWgsl(text)).toEqual([]);
    expect(featuresOf(kernel)).toEqual(['subgroups']);
    expect(featuresOf(gridKernel())).toEqual([]);
    expect(await validateWgsl(text.replace('subgroupBroadcast', 'subgroupNothing'))).not.toEqual([]);
  });

  it('load by what a lane has been handed', () => {
    const kernel = built((k) => {
      const x = k.buffer('x', 'u32', 'read');
      const y = k.buffer('y', 'u32', 'read_write');
      k.store(y, localIndex, load(x, k.shuffle(localIndex, u32(1))));
    });
    const y = new Uint32Array(8);
    compileKernel(kernel)(launch(1, { x: new Uint32Array([9, 8, 7, 6, 5, 4, 3, 2]), y }));
    expect([...y]).toEqual([8, 8, 8, 8, 4, 4, 4, 4]);
  });
});
