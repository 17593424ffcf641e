import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  and,
  bool,
  div,
  exp,
  f32,
  globalIdX,
  load,
  log,
  lt,
  mul,
  pow,
  rsqrt,
  sqrt,
  tanh,
} from '../../compiler/kernel/build.ts';
import { compileKernel } from '../../compiler/kernel/interpret.ts';
import type { Expr, Kernel } from '../../compiler/kernel/ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { legalisations, legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { printKernel } from '../../compiler/kernel/print.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { OUTPUTS, launchOn, randomInputs, randomKernel } from './random-kernels.ts';
import { samples } from './sample-kernels.ts';

const MAX = 3.4028234663852886e38;

/** y[i] = f(x[i]). */
function mapKernel(f: (x: Expr) => Expr): Kernel {
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
const legal = (f: (x: Expr) => Expr, xs: readonly number[]) => run(legalise(mapKernel(f), webgpuCore), xs);
/** Values of f at xs before legalisation. */
const plain = (f: (x: Expr) => Expr, xs: readonly number[]) => run(mapKernel(f), xs);

const everywhere = [0, -0, 1e-40, 1.2e-38, 0.5, 1, 7.25, 88.7, 89, 1000, MAX].flatMap((x) => [x, -x]);

describe('legalised functions are finite everywhere', () => {
  it.each<[string, (x: Expr) => Expr]>([
    ['exp', exp],
    ['log', log],
    ['tanh', tanh],
    ['sqrt', sqrt],
    ['rsqrt', rsqrt],
    ['pow 2.5', (x) => pow(x, 2.5)],
    ['pow -2.5', (x) => pow(x, -2.5)],
    ['pow x x', (x) => pow(x, x)],
  ])('%s', (_, f) => {
    for (const y of legal(f, everywhere)) expect(Number.isFinite(y)).toBe(true);
  });
});

describe('legalised functions keep a NaN', () => {
  it.each<[string, (x: Expr) => Expr]>([
    ['exp', exp],
    ['log', log],
    ['tanh', tanh],
    ['sqrt', sqrt],
    ['rsqrt', rsqrt],
    ['pow 2.5', (x) => pow(x, 2.5)],
    ['pow 3', (x) => pow(x, 3)],
    ['exp of log', (x) => exp(log(x))],
  ])('%s', (_, f) => {
    expect(legal(f, [NaN, 1]).map(Number.isNaN)).toEqual([true, false]);
  });
});

describe('legalised functions are unchanged where they were defined', () => {
  const grid = (from: number, to: number) =>
    Array.from({ length: 401 }, (_, i) => Math.fround(from + ((to - from) * i) / 400));
  it.each<[string, (x: Expr) => Expr, number[]]>([
    ['exp', exp, grid(-87.3, 88.72)],
    ['log', log, grid(1e-30, 1e3)],
    ['sqrt', sqrt, grid(0, 1e3)],
    ['rsqrt', rsqrt, grid(1e-3, 1e3)],
    ['tanh', tanh, grid(-30, 30)],
    ['pow 0.5', (x) => pow(x, 0.5), grid(0, 100)],
    ['pow 1', (x) => pow(x, 1), grid(-8, 8)],
    ['pow 2', (x) => pow(x, 2), grid(-8, 8)],
  ])('%s', (_, f, xs) => {
    expect(legal(f, xs)).toEqual(plain(f, xs));
  });

  it('small integer powers are products, negative bases included', () => {
    expect(legal((x) => pow(x, 3), [-2, 0, 3])).toEqual([-8, 0, 27]);
    expect(legal((x) => pow(x, 5), [-2, 3])).toEqual([-32, 243]);
    expect(legal((x) => pow(x, -2), [-2, 4])).toEqual([0.25, 0.0625]);
    expect(legal((x) => pow(x, 0), [-2, 0])).toEqual([1, 1]);
  });

  it('other powers are near: y log x has an error of an ulp of itself, which exp makes relative', () => {
    const xs = grid(0.01, 50);
    const exact = plain((x) => pow(x, 2.3), xs);
    for (const [i, y] of legal((x) => pow(x, 2.3), xs).entries()) {
      const bound = (2 * Math.abs(2.3 * Math.log(xs[i])) + 2) * 2 ** -24;
      expect(Math.abs(y - exact[i]) / exact[i]).toBeLessThanOrEqual(bound);
    }
  });
});

describe('the edges', () => {
  it('exp is 0 below the normal numbers and finite above', () => {
    const [below, masked, above] = legal(exp, [-88, -MAX, 100]);
    expect([below, masked]).toEqual([0, 0]);
    expect(above).toBeGreaterThan(3.39e38);
  });
  it('log of what is not positive is the masking value', () => {
    expect(legal(log, [0, -200])).toEqual([-MAX, -MAX]);
  });
  it('pow at 0 is the limit', () => {
    expect(legal((x) => pow(x, 2.5), [0, -3])).toEqual([0, 0]);
    expect(legal((x) => pow(x, -2.5), [0])).toEqual([MAX]);
  });
  it('constant expressions that WGSL refuses become finite constants', () => {
    const text = (f: Expr) =>
      printKernel(
        legalise(
          mapKernel((x) => add(x, f)),
          webgpuCore,
        ),
      )
        .split('\n')
        .slice(-3)[0];
    expect(text(div(f32(1), f32(0)))).toContain('+ 3.402823466e38');
    expect(text(exp(f32(1000)))).toMatch(/\+ 3\.39\d*e38/);
    expect(text(log(f32(0)))).toContain('+ -3.402823466e38');
    expect(text(mul(f32(1e-30), f32(1e-30)))).toContain('+ 0.0');
    expect(text(exp(f32(1)))).toContain('+ 2.7182817');
  });
});

describe('structure', () => {
  it.each(samples)('%s stays legal', (_, kernel) => {
    expect(verifyKernel(legalise(kernel, webgpuCore), webgpuCore.limits)).toEqual([]);
  });

  it('a shared operand is named once', () => {
    const text = printKernel(
      legalise(
        mapKernel((x) => exp(exp(add(x, 1)))),
        webgpuCore,
      ),
    );
    expect(text).toMatchInlineSnapshot(`
      "kernel map, workgroup 1
        read x: f32[]
        read_write y: f32[]
      {
        let h0: f32 = x[global_id.x] + 1.0
        let h1: f32 = select((bitcast_u32(h0) & 2147483647) > 2139095040, h0, select(h0 < -87.3, 0.0, exp(min(max(h0, -87.3), 88.72))))
        y[global_id.x] = select((bitcast_u32(h1) & 2147483647) > 2139095040, h1, select(h1 < -87.3, 0.0, exp(min(max(h1, -87.3), 88.72))))
      }
      "
    `);
  });

  it('nothing of the guarded side of `and` moves in front', () => {
    const k = new KernelBuilder('guarded', 4);
    const x = k.buffer('x', 'f32', 'read');
    const y = k.buffer('y', 'u32', 'read_write');
    k.when(and(lt(globalIdX, 2), lt(exp(load(x, globalIdX)), 5)), () => k.store(y, globalIdX, 1));
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
    const deep = (x: Expr) => Array.from({ length: 300 }).reduce<Expr>((rest) => add(f32(1), mul(rest, f32(0.5))), x);
    expect(verifyKernel(mapKernel(deep), webgpuCore.limits)).not.toEqual([]);
    expect(legal(deep, [3, 1e6])).toEqual(plain(deep, [3, 1e6]));
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
