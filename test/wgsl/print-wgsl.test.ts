/** The WGSL printer: the shaders of sample kernels, names, bindings, and Tint agrees with the verifier about random ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  and,
  div,
  eq,
  globalIdX,
  load,
  lt,
  gt,
  mul,
  select,
  sub,
  u32,
} from '../../compiler/kernel/make-expressions.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { NameTable } from '../../compiler/wgsl/wgsl-names.ts';
import { bindingLayout, printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { divergentBarriers, uniformBarriers } from '../kernel/barrier-kernels.ts';
import { randomKernel } from '../kernel/random-kernels.ts';
import { samples, scaleKernel } from '../kernel/sample-kernels.ts';
import { validateWgsl } from '../support/null-device.ts';

const shader = (kernel: Kernel) => printWgsl(legalise(kernel, webgpuCore));

describe('golden shaders', () => {
  it.each(samples)('%s', async (name, kernel) => {
    const text = shader(kernel);
    await expect(text).toMatchFileSnapshot(`golden/${name}.wgsl`);
    expect(await validateWgsl(text)).toEqual([]);
  });
});

describe('the text', () => {
  it('is ASCII, the same every time, and valid, for random kernels', async () => {
    await fc.assert(
      fc.asyncProperty(randomKernel(false), async (kernel) => {
        const text = shader(kernel);
        expect(text).toMatch(/^[\n\x20-\x7e]*$/);
        expect(shader(kernel)).toBe(text);
        expect(await validateWgsl(text)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps association and never reads as a template list', async () => {
    const k = new KernelBuilder('parentheses', 1);
    const x = k.buffer('x', 'u32', 'read');
    const y = k.buffer('y', 'u32', 'read_write');
    const [a, b, c] = [k.let(load(x, 0)), k.let(load(x, 1)), k.let(load(x, 2))];
    k.store(y, 0, sub(sub(a, b), c));
    k.store(y, 1, sub(a, sub(b, c)));
    k.store(y, 2, div(mul(a, b), c));
    k.store(y, 3, mul(a, div(b, add(c, 1))));
    const less = k.let(select(eq(a, b), lt(a, b), gt(c, a)));
    k.when(and(less, lt(add(a, b), c), gt(b, mul(c, a))), () => k.store(y, 4, select(less, a, c)));
    const text = shader(k.finish());
    expect(text.split('\n').slice(4, -2)).toMatchInlineSnapshot(`
      [
        "fn main() {",
        "  let v0 = x[0u];",
        "  let v1 = x[1u];",
        "  let v2 = x[2u];",
        "  y[0u] = v0 - v1 - v2;",
        "  y[1u] = v0 - (v1 - v2);",
        "  y[2u] = v0 * v1 / v2;",
        "  y[3u] = v0 * (v1 / (v2 + 1u));",
        "  let v3 = select((v2 > v0), (v0 < v1), v0 == v1);",
        "  if (v3 && v0 + v1 < v2 && v1 > v2 * v0) {",
        "    y[4u] = select(v2, v0, v3);",
        "  }",
      ]
    `);
    expect(await validateWgsl(text)).toEqual([]);
  });

  it('spells names that WGSL reserves or could not spell', async () => {
    const k = new KernelBuilder('names', 1);
    const loop = k.buffer('loop', 'f32', 'read');
    const array = k.buffer('array', 'f32', 'read_write');
    const f = k.uniform('f32', 'u32');
    const u = k.uniform('Übergröße', 'u32');
    k.store(array, add(f, u), load(loop, globalIdX));
    k.push({ kind: 'let', name: 'max', value: u32(1) }, { kind: 'let', name: '__x', value: u32(2) });
    const text = shader(k.finish());
    expect(await validateWgsl(text)).toEqual([]);
    expect(text).toContain('array_0[uniforms.f32_0 + uniforms.v_bergr_e] = loop_0[global_id.x];');
  });

  it('gives every name one spelling and every spelling one name', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.string(), fc.stringMatching(/^[a-z_A-Z0-9]{1,4}$/)), { minLength: 1 }),
        (names) => {
          const table = new NameTable();
          const spelt = names.map((name) => table.get(name));
          expect(new Set(spelt).size).toBe(names.length);
          for (const name of spelt) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
          expect(names.map((name) => table.get(name))).toEqual(spelt);
        },
      ),
    );
  });
});

describe('bindings', () => {
  it('are the buffers in order, then the uniform struct', () => {
    expect(bindingLayout(scaleKernel())).toEqual({
      group: 0,
      buffers: [
        { name: 'x', binding: 0, access: 'read' },
        { name: 'y', binding: 1, access: 'read_write' },
      ],
      uniforms: {
        binding: 2,
        size: 8,
        fields: [
          { name: 'n', type: 'u32', offset: 0 },
          { name: 'factor', type: 'f32', offset: 4 },
        ],
      },
    });
  });

  it('have no uniform struct where there are no uniforms', () => {
    expect(bindingLayout({ ...scaleKernel(), uniforms: [] }).uniforms).toBeUndefined();
  });
});

describe('Tint and our verifier', () => {
  it('the validation is not blind', async () => {
    expect(await validateWgsl('fn main() { let x: u32 = 1.0f; }')).not.toEqual([]);
    expect(await validateWgsl('@compute @workgroup_size(1) fn main() { return; let x = 1; }')).not.toEqual([]);
    expect(await validateWgsl('@compute @workgroup_size(1024) fn main() {}')).not.toEqual([]);
  });

  it.each(uniformBarriers)('both accept a barrier %s', async (_, kernel) => {
    expect(verifyKernel(kernel, webgpuCore.limits)).toEqual([]);
    expect(await validateWgsl(printWgsl(kernel))).toEqual([]);
  });

  it.each(divergentBarriers)('both refuse a barrier %s', async (_, kernel) => {
    expect(verifyKernel(kernel, webgpuCore.limits)).not.toEqual([]);
    expect((await validateWgsl(printWgsl(kernel))).join()).toMatch(/uniform control flow/);
  });
});
