/** Vectors in kernels: typed, folded, interpreted, verified and printed; what they compute is what their components would. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel, KernelStmt } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { floatOperations } from '../../compiler/kernel/kernel-facts.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import {
  add,
  binary,
  bitcast,
  component,
  componentsOf,
  convert,
  div,
  f32,
  fma,
  globalIdX,
  i32,
  load,
  lt,
  mul,
  neg,
  select,
  shl,
  splat,
  sub,
  u32,
  vector,
} from '../../compiler/kernel/make-expressions.ts';
import { printExpr, printKernel } from '../../compiler/kernel/print-kernel.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl } from '../support/null-device.ts';
import { launch } from './launches.ts';
import { builtAgain } from './random-kernels.ts';
import { randomVectors, vectorLaunch } from './random-vectors.ts';

const OUTPUTS = ['of', 'oi', 'ou'] as const;

function results(kernel: Kernel, width: number, seed: number): readonly number[][] {
  const given = vectorLaunch(width, seed);
  compileKernel(kernel)(given);
  return OUTPUTS.map((name) => [...(given.buffers.get(name)?.data ?? [])]);
}

/** y[i] = x[i] · 2 + x[i + 1], by vectors of four. */
function stepKernel(): Kernel {
  const k = new KernelBuilder('step', 2);
  const x = k.buffer('x', 'f32', 'read', 4);
  const y = k.buffer('y', 'f32', 'read_write', 4);
  const here = k.let(load(x, globalIdX));
  k.store(y, globalIdX, fma(here, 2, load(x, add(globalIdX, 1))));
  return k.finish();
}

describe('vectors compute what their components would', () => {
  it('in random kernels, as written, built again and legalised', () => {
    fc.assert(
      fc.property(randomVectors(false), fc.nat(), ({ width, vectors, scalars }, seed) => {
        const wanted = results(scalars, width, seed);
        expect(verifyKernel(vectors, webgpuCore.limits)).toEqual([]);
        expect(results(vectors, width, seed)).toEqual(wanted);
        expect(results(builtAgain(vectors), width, seed)).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('in random kernels of exact operations, legalised', () => {
    fc.assert(
      fc.property(randomVectors(true), fc.nat(), ({ width, vectors, scalars }, seed) => {
        expect(results(legalise(vectors, webgpuCore), width, seed)).toEqual(results(scalars, width, seed));
      }),
      { numRuns: 150 },
    );
  });

  it('and a shader of random kernels is one to Tint', async () => {
    await fc.assert(
      fc.asyncProperty(randomVectors(false), async ({ vectors }) => {
        expect(await validateWgsl(printWgsl(legalise(vectors, webgpuCore)))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('an assignment reads all components before it writes one', () => {
    const k = new KernelBuilder('swap', 1);
    const y = k.buffer('y', 'f32', 'read_write', 2);
    const pair = k.var(vector(f32(1), f32(2)));
    k.assign(pair, vector(component(pair, 1), component(pair, 0)));
    k.store(y, 0, pair);
    const words = new Float32Array(2);
    compileKernel(k.finish())(launch(1, { y: words }));
    expect([...words]).toEqual([2, 1]);
  });

  it('each thread keeps its own across barriers', () => {
    const k = new KernelBuilder('kept', 4);
    const y = k.buffer('y', 'f32', 'read_write', 2);
    const own = k.let(vector(convert('f32', globalIdX), f32(0.5)));
    const low = k.let(lt(own, 2));
    k.barrier();
    k.store(y, globalIdX, select(low, own, neg(own)));
    const words = new Float32Array(8);
    compileKernel(k.finish())(launch(1, { y: words }));
    expect([...words]).toEqual([0, 0.5, 1, 0.5, -2, 0.5, -3, 0.5]);
  });
});

describe('vectors in memory', () => {
  const four = () => new Float32Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  it('an index counts them', () => {
    const y = new Float32Array(8);
    compileKernel(stepKernel())(launch(1, { x: four(), y }));
    expect([...y]).toEqual([7, 10, 13, 16, 19, 22, 25, 28]);
  });

  it('are in bounds as a whole or not at all', () => {
    expect(() => compileKernel(stepKernel())(launch(1, { x: four().slice(0, 8), y: new Float32Array(8) }))).toThrow(
      /load of x\[2\] is out of bounds \(length 2\)/,
    );
    expect(() => compileKernel(stepKernel())(launch(1, { x: four(), y: new Float32Array(4) }))).toThrow(
      /store to y\[1\] is out of bounds \(length 1\)/,
    );
  });

  it('race word by word', () => {
    const k = new KernelBuilder('race', 2);
    const y = k.buffer('y', 'f32', 'read_write', 4);
    k.store(y, 0, splat(convert('f32', globalIdX), 4));
    expect(() => compileKernel(k.finish())(launch(1, { y: new Float32Array(4) }))).toThrow(
      /race: threads 0 and 1 both store y\[0\]/,
    );
  });

  it('are bound whole', () => {
    const run = compileKernel(stepKernel());
    const bind = (data: Float32Array, offset: number) =>
      run({ ...launch(1, { y: new Float32Array(8) }), buffers: new Map([['x', { data, offset }], ['y', { data: new Float32Array(8) }]]) }); // prettier-ignore
    expect(() => bind(new Float32Array(13), 0)).toThrow(/x is bound to 13 words from 0: no whole vectors/);
    expect(() => bind(new Float32Array(16), 2)).toThrow(/no whole vectors/);
    expect(() => bind(new Float32Array(16), 4)).not.toThrow();
  });
});

describe('the constructors of vectors', () => {
  const x = k4('x');
  it('give a number the type of the other side', () => {
    expect(printExpr(add(x, 1))).toBe('x + vec4<f32>(1.0)');
    expect(printExpr(shl(convert('vec4<u32>', x), 3))).toBe('vec4<u32>(x) << vec4<u32>(3)');
    expect(printExpr(component(neg(x), 2))).toBe('(-x).z');
  });

  it('fold what is constant and take apart what was put together', () => {
    const [a, b] = [u32(6), u32(4)];
    expect(add(splat(a, 2), vector(a, b))).toEqual(vector(u32(12), u32(10)));
    expect(component(vector(a, b), 1)).toBe(b);
    expect(component(splat(a, 4), 3)).toBe(a);
    expect(componentsOf(f32(1))).toEqual([f32(1)]);
    // What WGSL has no constant for.
    const q = k4('q', 'u32');
    expect(printExpr(div(q, vector(u32(0), u32(1), u32(2), u32(3))))).toBe('q / vec4<u32>(1, 1, 2, 3)');
    expect(printExpr(shl(q, 35))).toBe('q << vec4<u32>(3)');
  });

  it.each<[string, () => unknown]>([
    ['vectors of unequal width', () => add(x, vector(f32(1), f32(2)))],
    ['a vector and a scalar', () => mul(x, f32(2))],
    ['three parts', () => vector(f32(1), f32(2), f32(3))],
    ['parts of two types', () => vector(f32(1), i32(2))],
    ['a vector of vectors', () => splat(x, 4)],
    ['a component that is not there', () => component(x, 4)],
    ['a component of a scalar', () => component(f32(1), 0)],
    ['and of vectors', () => binary('and', lt(x, 0), lt(x, 1))],
    ['a choice by a vector of another width', () => select(lt(k4('v', 'f32', 2), 0), x, x)],
    ['another width by conversion', () => convert('vec2<i32>', x)],
    ['another width by bits', () => bitcast('vec2<u32>', x)],
    ['a product of unequal widths', () => fma(x, f32(1), 0)],
  ])('refuse %s', (_, make) => {
    expect(make).toThrow(CompilerBug);
  });

  it('count an operation for each component', () => {
    expect(floatOperations([fma(x, x, sub(x, 1))])).toBe(12);
    expect(floatOperations([lt(x, 1), f32(1)])).toBe(0);
  });
});

describe('the verifier of vectors', () => {
  const raw = (...body: readonly KernelStmt[]): Kernel => ({
    name: 'raw',
    workgroupSize: 1,
    buffers: [
      { name: 'x', element: 'f32', access: 'read', lanes: 4 },
      { name: 'y', element: 'f32', access: 'read_write' },
    ],
    uniforms: [],
    arrays: [],
    body,
  });
  const x0 = { kind: 'load', type: 'vec4<f32>', buffer: 'x', index: u32(0) } as const;
  const value = (expr: Extract<KernelStmt, { kind: 'let' }>['value']): KernelStmt => ({
    kind: 'let',
    name: 'a',
    value: expr,
  });
  it.each<[RegExp, Kernel]>([
    [/ill-typed, vec4<f32> and not f32/, raw(value({ ...x0, type: 'f32' }))],
    [/ill-typed, no operation/, raw(value({ kind: 'binary', type: 'vec4<f32>', op: 'add', left: x0, right: f32(1) }))],
    [/ill-typed, no operation/, raw(value({ kind: 'component', type: 'f32', operand: x0, index: 4 }))],
    [/ill-typed, f32 and not u32/, raw(value({ kind: 'component', type: 'u32', operand: x0, index: 0 }))],
    [/ill-typed/, raw(value({ kind: 'vector', type: 'vec4<f32>', parts: [f32(1), f32(2)] }))],
    [/ill-typed/, raw(value({ kind: 'vector', type: 'vec2<f32>', parts: [f32(1), u32(2)] }))],
    [/ill-typed/, raw(value({ kind: 'splat', type: 'vec2<f32>', operand: u32(2) }))],
    [/ill-typed/, raw(value({ kind: 'convert', type: 'vec2<u32>', operand: x0 }))],
    [/ill-typed/, raw(value({ kind: 'fma', type: 'vec4<f32>', a: x0, b: x0, c: f32(1) }))],
    [/stored in y is vec4<f32>, not f32/, raw({ kind: 'store', buffer: 'y', index: u32(0), value: x0 })],
    [/y is indexed by vec4<f32>/, raw({ kind: 'store', buffer: 'y', index: x0, value: f32(1) })],
    [
      /counts has atomic vectors/,
      { ...raw(), buffers: [{ name: 'counts', element: 'atomic_u32', access: 'read_write', lanes: 2 }] },
    ],
  ])('%s', (message, kernel) => {
    expect(verifyKernel(kernel, webgpuCore.limits).join('\n')).toMatch(message);
  });
});

describe('texts with vectors', () => {
  it('of a kernel', () => {
    expect(printKernel(stepKernel()).split('\n')).toEqual([
      'kernel step, workgroup 2',
      '  read x: vec4<f32>[]',
      '  read_write y: vec4<f32>[]',
      '{',
      '  let v0: vec4<f32> = x[global_id.x]',
      '  y[global_id.x] = fma(v0, vec4<f32>(2.0), x[global_id.x + 1])',
      '}',
      '',
    ]);
  });

  it('of a shader', async () => {
    const text = printWgsl(legalise(stepKernel(), webgpuCore));
    expect(text.split('\n')).toEqual([
      '@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;',
      '@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;',
      '',
      '@compute @workgroup_size(2)',
      'fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {',
      '  let v0 = x[global_id.x];',
      '  y[global_id.x] = fma(v0, vec4<f32>(2.0f), x[global_id.x + 1u]);',
      '}',
      '',
    ]);
    expect(await validateWgsl(text)).toEqual([]);
  });

  it('of constants that WGSL has not', async () => {
    const k = new KernelBuilder('constants', 1);
    const y = k.buffer('y', 'f32', 'read_write', 4);
    const big = vector(f32(3e38), f32(1), f32(-1), f32(0));
    k.store(y, 0, div(mul(big, 10), 0));
    const legal = legalise(k.finish(), webgpuCore);
    expect(await validateWgsl(printWgsl(legal))).toEqual([]);
    const words = new Float32Array(4);
    compileKernel(legal)(launch(1, { y: words }));
    expect([...words]).toEqual([Infinity, Infinity, -Infinity, NaN]);
  });
});

function k4(name: string, element: 'f32' | 'u32' = 'f32', lanes: 2 | 4 = 4) {
  return { kind: 'local', type: `vec${lanes}<${element}>`, name } as const;
}
