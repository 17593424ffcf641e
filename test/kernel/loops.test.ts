/** Loops that run at least once, and loops that are written out: what they compute, what is refused, and their texts. */
import { describe, expect, it } from 'vitest';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import {
  add,
  eq,
  f32,
  globalIdX,
  i32,
  load,
  loadArray,
  localIdX,
  mul,
  sub,
  u32,
} from '../../compiler/kernel/make-expressions.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl } from '../support/null-device.ts';
import { launch } from './launches.ts';
import { onceKernel, unrolledKernel } from './sample-kernels.ts';

const violations = (kernel: Kernel) => verifyKernel(kernel, webgpuCore.limits).join('\n');
const built = (write: (k: KernelBuilder) => void, size = 1): Kernel => {
  const k = new KernelBuilder('probe', size);
  write(k);
  return k.finish();
};

describe('a loop that runs at least once', () => {
  it.each([1, 3])('computes what one tested at its top does, in steps of %i', (step) => {
    const x = Float32Array.from({ length: 20 }, (_, i) => Math.fround(Math.sin(i)));
    const sums = [true, false].map((once) => {
      const y = new Float32Array(2);
      compileKernel(onceKernel(once, step))(launch(1, { x, y }, { n: 10 }));
      return [...y];
    });
    expect(sums[0]).toEqual(sums[1]);
  });

  it('is refused where no round would run', () => {
    const [x, y] = [new Float32Array(4), new Float32Array(2)];
    const run = compileKernel(onceKernel(true, 1));
    expect(() => run(launch(1, { x, y }, { n: 0 }))).toThrow(/a loop that runs at least once has no round/);
    expect(violations(built((k) => k.forOnce(3, 3, 1, () => undefined)))).toMatch(
      /runs at least once and has no round/,
    );
  });

  it('ends with a break, and by a limit that its body changes', () => {
    const kernel = built((k) => {
      const out = k.buffer('out', 'u32', 'read_write');
      const limit = k.var(u32(10));
      const rounds = k.var(u32(0));
      k.forOnce(0, limit, 1, () => {
        k.assign(limit, sub(limit, 1));
        k.assign(rounds, add(rounds, 1));
      });
      k.store(out, 0, rounds);
      k.forOnce(i32(0), i32(9), i32(2), (i) => {
        k.when(eq(i, 4), () => k.break());
        k.store(out, 1, add(load(out, 1), 1));
      });
    });
    const out = new Uint32Array(2);
    compileKernel(kernel)(launch(1, { out }));
    expect([...out]).toEqual([5, 2]);
  });

  it('meets at its barriers, and is refused there too where it has no round', () => {
    const kernel = built((k) => {
      const y = k.buffer('y', 'u32', 'read_write');
      const turn = k.shared('turn', 'u32', 4);
      const n = k.uniform('n', 'u32');
      const sum = k.var(u32(0));
      k.forOnce(0, n, 1, (round) => {
        k.storeArray(turn, localIdX, add(localIdX, round));
        k.barrier();
        k.assign(sum, add(sum, loadArray(turn, sub(u32(3), localIdX))));
        k.barrier();
      });
      k.store(y, globalIdX, sum);
    }, 4);
    expect(violations(kernel)).toBe('');
    const y = new Uint32Array(4);
    compileKernel(kernel)(launch(1, { y }, { n: 3 }));
    expect([...y]).toEqual([12, 9, 6, 3]);
    expect(() => compileKernel(kernel)(launch(1, { y }, { n: 0 }))).toThrow(/has no round/);
  });

  it('has a text that says so, and a shader that tests at the bottom', async () => {
    const kernel = onceKernel(true, 1);
    expect(printKernel(kernel)).toContain('for i2: u32 = 0 to n step 1 once {');
    const text = printWgsl(legalise(kernel, webgpuCore));
    expect(text.slice(text.indexOf('  {\n'), text.indexOf('  y['))).toBe(
      [
        '  {',
        '    var i2 = 0u;',
        '    loop {',
        '      acc1 = acc1 + x[v0 * uniforms.n + i2];',
        '      continuing {',
        '        i2 += 1u;',
        '        break if i2 >= uniforms.n;',
        '      }',
        '    }',
        '  }',
        '',
      ].join('\n'),
    );
    expect(await validateWgsl(text)).toEqual([]);
  });
});

describe('a loop that is written out', () => {
  it('computes what it did, with names of their own for each round', async () => {
    const kernel = unrolledKernel();
    const legal = legalise(kernel, webgpuCore);
    expect(printKernel(legal)).not.toContain(' unroll {');
    const [before, after] = [kernel, legal].map((k) => {
      const y = new Float32Array(2);
      compileKernel(k)(launch(1, { x: new Float32Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), y }));
      return [...y];
    });
    expect(after).toEqual(before);
    expect(before).toEqual([74, 236]);
    expect(await validateWgsl(printWgsl(legal))).toEqual([]);
  });

  it('folds what its counter was in', () => {
    const kernel = built((k) => {
      const y = k.buffer('y', 'u32', 'read_write');
      k.forUnrolled(0, 2, 1, (i) => k.store(y, add(mul(i, 4), 1), k.let(add(i, 2))));
    });
    expect(printKernel(legalise(kernel, webgpuCore)).split('\n').slice(3, -2)).toEqual([
      '  let v1_1: u32 = 2',
      '  y[1] = v1_1',
      '  let v1_2: u32 = 3',
      '  y[5] = v1_2',
    ]);
  });

  it.each<[RegExp, (k: KernelBuilder) => void]>([
    [
      /its rounds are not known/,
      (k) =>
        k.push({
          kind: 'for',
          name: 'i',
          from: u32(0),
          to: k.uniform('n', 'u32'),
          step: u32(1),
          body: [],
          unroll: true,
        }),
    ],
    [/over 64 rounds/, (k) => k.forUnrolled(0, 65, 1, () => undefined)],
    [/a break leaves the loop/, (k) => k.forUnrolled(0, 3, 1, () => k.break())],
    [
      /its text is too long/,
      (k) => {
        const acc = k.var(f32(0));
        const nest = (levels: number): void => {
          if (levels === 0) k.assign(acc, add(acc, 1));
          else k.forUnrolled(0, 64, 1, () => nest(levels - 1));
        };
        nest(3);
      },
    ],
  ])('is refused: %s', (message, write) => {
    expect(violations(built(write))).toMatch(message);
  });
});
