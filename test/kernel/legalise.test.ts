/** Legalisation: what WGSL does not have is written out, and the kernel computes what it did, bit for bit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, and, bool, div, f32, globalIdX, load, lt, mul, sqrt } from '../../compiler/kernel/make-expressions.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { KernelExpr, Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { evaluateConstants } from '../../compiler/kernel/legalise/evaluate-constants.ts';
import { legalisations, legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { OUTPUTS, launchOn, randomInputs, randomKernel } from './random-kernels.ts';
import { samples } from './sample-kernels.ts';

/** y[i] = f(x[i]). */
function mapKernel(f: (x: KernelExpr) => KernelExpr): Kernel {
  const k = new KernelBuilder('map', 1);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  k.store(y, globalIdX, f(load(x, globalIdX)));
  return k.finish();
}

function run(kernel: Kernel, xs: readonly number[]): number[] {
  const y = new Float32Array(xs.length);
  compileKernel(kernel)({
    workgroups: [xs.length, 1],
    buffers: new Map([
      ['x', { data: new Float32Array(xs) }],
      ['y', { data: y }],
    ]),
    uniforms: new Map(),
  });
  return [...y];
}

/** Values of f at xs after legalisation. */
const legal = (f: (x: KernelExpr) => KernelExpr, xs: readonly number[]) => run(legalise(mapKernel(f), webgpuCore), xs);
describe('infinities and NaN', () => {
  const text = (f: KernelExpr): string => printKernel(legalise(mapKernel((x) => add(x, f)), webgpuCore)); // prettier-ignore
  it('are made at run time, since WGSL has no such constants', () => {
    for (const value of [Infinity, -Infinity, NaN]) {
      expect(legal((x) => add(mul(x, 0), f32(value)), [1])).toEqual([value]);
      expect(text(f32(value))).not.toMatch(/\b(inf|Infinity|NaN)\b/);
    }
    expect(text(f32(Infinity))).toContain('bitcast_f32(infinity)');
  });
  it('of constant expressions too, which WGSL refuses', () => {
    expect(text(div(f32(1), f32(0)))).toContain('bitcast_f32(infinity)');
    expect(text(mul(f32(3e38), f32(-10)))).toContain('bitcast_f32(below)');
    expect(text(div(f32(0), f32(0)))).toContain('bitcast_f32(nan)');
    expect(text(mul(f32(1e-30), f32(1e-30)))).toContain('+ 0.0');
    expect(text(sqrt(f32(2)))).toContain('+ 1.4142135');
  });
});

describe('structure', () => {
  it.each(samples)('%s stays legal', (_, kernel) => {
    expect(verifyKernel(legalise(kernel, webgpuCore), webgpuCore.limits)).toEqual([]);
  });

  it('nothing of the guarded side of `and` moves in front', () => {
    const k = new KernelBuilder('guarded', 4);
    const x = k.buffer('x', 'f32', 'read');
    const y = k.buffer('y', 'u32', 'read_write');
    k.when(and(lt(globalIdX, 2), lt(sqrt(load(x, globalIdX)), 1.2)), () => k.store(y, globalIdX, 1));
    const out = new Uint32Array(4);
    compileKernel(legalise(k.finish(), webgpuCore))({
      workgroups: [1, 1],
      buffers: new Map([
        ['x', { data: new Float32Array([1, 2]) }],
        ['y', { data: out }],
      ]),
      uniforms: new Map(),
    });
    expect([...out]).toEqual([1, 0, 0, 0]);
  });

  it('deep expressions are cut, with the same value', () => {
    const deep = (x: KernelExpr) =>
      Array.from({ length: 300 }).reduce<KernelExpr>((rest) => add(f32(1), mul(rest, f32(0.5))), x);
    expect(verifyKernel(mapKernel(deep), webgpuCore.limits)).not.toEqual([]);
    expect(legal(deep, [3, 1e6])).toEqual(run(mapKernel(deep), [3, 1e6]));
  });

  it('has reasons for its order', () => {
    expect(new Set(legalisations.map((l) => l.name)).size).toBe(legalisations.length);
    for (const { reason } of legalisations) expect(reason).not.toBe('');
  });

  it('leaves random kernels of exact operations as they are, bit for bit', () => {
    fc.assert(
      fc.property(randomKernel(true), randomInputs(true), (kernel, inputs) => {
        const [before, after] = [launchOn(inputs), launchOn(inputs)];
        compileKernel(kernel)(before);
        compileKernel(legalise(kernel, webgpuCore))(after);
        for (const name of OUTPUTS) expect(after.buffers.get(name)?.data).toEqual(before.buffers.get(name)?.data);
      }),
      { numRuns: 200 },
    );
  });

  it.each(samples)('%s is the same object where no constant is to be evaluated, and when it has been', (_, kernel) => {
    const evaluated = evaluateConstants(kernel);
    expect(evaluateConstants(evaluated)).toBe(evaluated);
    if (printKernel(evaluated) === printKernel(kernel)) expect(evaluated).toBe(kernel);
  });

  it('a known condition disappears', () => {
    expect(
      printKernel(
        legalise(
          mapKernel((x) => ({ kind: 'select', type: 'f32', condition: bool(true), then: x, else: x })),
          webgpuCore,
        ),
      ),
    ).not.toContain('select');
  });
});
