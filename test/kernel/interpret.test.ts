/** The kernel interpreter: what kernels compute, and every misuse of memory, barriers and launches that it refuses. */
import { describe, expect, it } from 'vitest';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import {
  add,
  and,
  binary,
  convert,
  div,
  eq,
  f32,
  globalIdX,
  i32,
  load,
  loadArray,
  localIdX,
  lt,
  mul,
  rem,
  select,
  sub,
  u32,
} from '../../compiler/kernel/make-expressions.ts';
import { binaryFunction } from '../../compiler/kernel/arithmetic.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { KernelLaunch } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { launch } from './launches.ts';
import { everythingKernel, histogramKernel, matmulKernel, scaleKernel, treeSumKernel } from './sample-kernels.ts';

/** A kernel with one output of `length` words that `write` fills. */
function kernelOf(size: number, write: (k: KernelBuilder) => void): Kernel {
  const k = new KernelBuilder('probe', size);
  write(k);
  return k.finish();
}

describe('the kernel interpreter computes', () => {
  it('a guarded map', () => {
    const y = new Float32Array([9, 9, 9, 9]);
    compileKernel(scaleKernel())(launch(1, { x: new Float32Array([1, 2, 3]), y }, { n: 3, factor: 0.1 }));
    const tenth = Math.fround(0.1);
    expect([...y]).toEqual([1 * tenth, Math.fround(2 * tenth), Math.fround(3 * tenth), 9]);
  });

  it('a matrix product, every operation rounded once', () => {
    const [rows, inner, cols] = [3, 5, 4];
    const a = Float32Array.from({ length: rows * inner }, (_, i) => Math.sin(i));
    const b = Float32Array.from({ length: inner * cols }, (_, i) => Math.cos(i));
    const c = new Float32Array(rows * cols);
    compileKernel(matmulKernel())(launch(1, { a, b, c }, { rows, inner, cols }));
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < cols; j++) {
        let acc = 0;
        for (let i = 0; i < inner; i++)
          acc = Math.fround(acc + Math.fround((a[r * inner + i] ?? NaN) * (b[i * cols + j] ?? NaN)));
        expect(c[r * cols + j]).toBe(acc);
      }
    }
  });

  it('a tree in workgroup memory, across barriers', () => {
    const x = Float32Array.from({ length: 128 }, (_, i) => i);
    const sums = new Float32Array(2);
    compileKernel(treeSumKernel(64))(launch(2, { x, sums }));
    expect([...sums]).toEqual([2016, 6112]);
  });

  it('atomics', () => {
    const x = new Uint32Array([1, 2, 1, 3, 1]);
    const counts = new Uint32Array(4);
    const most = new Int32Array([-5]);
    compileKernel(histogramKernel())(launch(2, { x, counts, most }));
    expect([...counts]).toEqual([0, 3, 1, 1]);
    expect([...most]).toEqual([3]);
  });

  it('every construct, as computed by hand for one thread', () => {
    const out = new Float32Array(3);
    const words = new Uint32Array(3);
    compileKernel(everythingKernel())(
      launch(
        1,
        { f: new Float32Array([0.5, 1, 2]), i: new Int32Array([4, 9, 0]), u: new Uint32Array([7, 1, 300]), out, words },
        { n: 1, shift: 3, eps: 0.25 },
      ),
    );
    const { fround: r } = Math;
    const x = 0.5;
    let acc = r(x + r(x + 0.25));
    acc = r(acc + r(r(Math.sqrt(x)) + r(1 / Math.sqrt(x))));
    acc = r(acc + r(0 + r(1 - r(1 * -x))));
    acc = r(acc - r(0.5 - r(r(x * x) + 0.25)));
    acc = r(acc / 1);
    // flag: 4 < 3 is false; at step 0: 0.5 < 0.25 is false, so !false = true; at step 2: !true = false.
    // bits = ((7 & 255) | (7 << 3)) ^ ~(7 >> 4) = 63 ^ 0xffffffff = 0xffffffc0, not below 7: bitcast of its low 30 bits.
    const bits = new DataView(new ArrayBuffer(4));
    bits.setUint32(0, 0x3fffffc0);
    expect(out[0]).toBe(bits.getFloat32(0));
    bits.setFloat32(0, acc);
    expect(words[0]).toBe(bits.getUint32(0));
    // n = 1: the other threads return.
    expect([...out.subarray(1), ...words.subarray(1)]).toEqual([0, 0, 0, 0]);
  });

  it('ids of two-dimensional launches', () => {
    const kernel = kernelOf(2, (k) => {
      const out = k.buffer('out', 'u32', 'read_write');
      const at = k.let(add(globalIdX, mul(u32(4), { kind: 'builtin', type: 'u32', name: 'workgroup_id_y' })));
      k.store(out, at, add(mul(at, 10), localIdX));
    });
    const out = new Uint32Array(12);
    compileKernel(kernel)({ ...launch(1, { out }), workgroups: [2, 3] });
    expect([...out]).toEqual([0, 11, 20, 31, 40, 51, 60, 71, 80, 91, 100, 111]);
  });

  it('the operations written out for speed as arithmetic.ts does', () => {
    const values = {
      f32: [0, -0, -1.5, 0.1, 16777217, 1e-30, 3e38].map(Math.fround),
      i32: [0, 1, -1, 3, -65537, 2147483647, -2147483648],
      u32: [0, 1, 3, 33, 65537, 2147483648, 4294967295],
    } as const;
    const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;
    const arithmetic = ['add', 'sub', 'mul', 'div', 'rem', 'min', 'max'] as const;
    const bitwise = ['bit_and', 'bit_or', 'bit_xor', 'shl', 'shr'] as const;
    for (const type of ['f32', 'i32', 'u32'] as const) {
      const [left, right] = [values[type], values[type]];
      const n = left.length;
      for (const op of type === 'f32' ? arithmetic : ([...arithmetic, ...bitwise] as const)) {
        const shift = op === 'shl' || op === 'shr';
        const counts = shift ? values.u32 : right;
        for (const leaves of [
          [true, true],
          [true, false],
          [false, true],
          [false, false],
        ]) {
          const kernel = kernelOf(n * n, (k) => {
            const x = k.buffer('x', type, 'read');
            const y = k.buffer('y', shift ? 'u32' : type, 'read');
            const out = k.buffer('out', type, 'read_write');
            const a = load(x, div(localIdX, n));
            const b = load(y, rem(localIdX, n));
            k.store(out, localIdX, binary(op, leaves[0] ? k.let(a) : a, leaves[1] ? k.let(b) : b));
          });
          const out = new arrays[type](n * n);
          const y = shift ? new Uint32Array(counts) : new arrays[type](counts);
          compileKernel(kernel)(launch(1, { x: new arrays[type](left), y, out }));
          const f = binaryFunction(op, type);
          expect([...out], `${op} on ${type}`).toEqual(left.flatMap((a) => counts.map((b) => f(a, b))));
        }
      }
    }
  });

  it('locals of every type, kept by each thread across barriers', () => {
    const kernel = kernelOf(4, (k) => {
      const out = k.buffer('out', 'i32', 'read_write');
      const turn = k.shared('turn', 'u32', 4);
      const own = k.let(add(localIdX, 1));
      const half = k.let(mul(convert('f32', localIdX), 0.5));
      const even = k.let(eq(rem(localIdX, 2), 0));
      const sum = k.var(i32(0));
      k.forRange(0, 3, 1, (round) => {
        k.storeArray(turn, localIdX, add(own, round));
        k.barrier();
        const left = k.let(loadArray(turn, rem(add(localIdX, 1), 4)));
        k.barrier();
        k.assign(sum, add(sum, convert('i32', left)));
      });
      k.store(out, localIdX, add(add(sum, select(even, i32(100), i32(0))), convert('i32', mul(half, 2000))));
    });
    const out = new Int32Array(4);
    compileKernel(kernel)(launch(1, { out }));
    // Three rounds of the right neighbour's number plus the round; 100 for even threads; 1000 for each place.
    expect([...out]).toEqual([109, 1012, 2115, 3006]);
  });

  it('bindings from an offset, and views of another type over the same bytes', () => {
    const words = new Uint32Array(new Float32Array([1, 2, 3, 4]).buffer);
    const y = new Float32Array(4);
    compileKernel(scaleKernel())({
      workgroups: [1, 1],
      buffers: new Map([
        ['x', { data: words, offset: 2 }],
        ['y', { data: y }],
      ]),
      uniforms: new Map([
        ['n', 2],
        ['factor', 2],
      ]),
    });
    expect([...y]).toEqual([6, 8, 0, 0]);
  });

  it('break, early return and integers that wrap', () => {
    const kernel = kernelOf(1, (k) => {
      const out = k.buffer('out', 'i32', 'read_write');
      const n = k.uniform('n', 'i32');
      const acc = k.var(i32(2147483647));
      k.forRange(i32(0), n, i32(1), (step) => {
        k.when(lt(i32(2), step), () => k.break());
        k.assign(acc, add(acc, 1));
      });
      k.store(out, 0, acc);
      k.when(lt(n, 100), () => k.return());
      k.store(out, 0, div(n, sub(n, n)));
    });
    const out = new Int32Array(1);
    const run = compileKernel(kernel);
    run(launch(1, { out }, { n: 10 }));
    expect(out[0]).toBe(-2147483646);
    run(launch(1, { out }, { n: 100 }));
    expect(out[0]).toBe(100);
  });

  it('the right side of `and` only where the left one holds', () => {
    const kernel = kernelOf(4, (k) => {
      const x = k.buffer('x', 'f32', 'read');
      const out = k.buffer('out', 'u32', 'read_write');
      const guarded = and(lt(globalIdX, 2), lt(load(x, globalIdX), 5));
      k.store(out, globalIdX, { kind: 'convert', type: 'u32', operand: guarded });
    });
    const out = new Uint32Array(4);
    compileKernel(kernel)(launch(1, { x: new Float32Array([1, 9]), out }));
    expect([...out]).toEqual([1, 0, 0, 0]);
  });

  it('a loop limit that its body changes', () => {
    const kernel = kernelOf(1, (k) => {
      const out = k.buffer('out', 'u32', 'read_write');
      const limit = k.var(u32(10));
      k.forRange(0, limit, 1, (i) => {
        k.store(out, 0, i);
        k.assign(limit, sub(limit, 1));
      });
    });
    const out = new Uint32Array(1);
    compileKernel(kernel)(launch(1, { out }));
    expect(out[0]).toBe(4);
  });
});

describe('the kernel interpreter refuses', () => {
  const refuses = (kernel: Kernel, given: KernelLaunch, message: RegExp) => {
    expect(() => compileKernel(kernel)(given)).toThrow(CompilerBug);
    expect(() => compileKernel(kernel)(given)).toThrow(message);
  };
  const one = () => new Float32Array(1);

  it('a load out of bounds', () => {
    refuses(
      scaleKernel(),
      launch(1, { x: one(), y: new Float32Array(4) }, { n: 2, factor: 1 }),
      /kernel scale: load of x\[1\] is out of bounds \(length 1\)/,
    );
  });

  it('a store out of bounds', () => {
    refuses(
      scaleKernel(),
      launch(1, { x: new Float32Array(4), y: one() }, { n: 2, factor: 1 }),
      /store to y\[1\] is out of bounds/,
    );
  });

  it('a load out of bounds in the side of a select that is not taken', () => {
    const kernel = kernelOf(2, (k) => {
      const x = k.buffer('x', 'f32', 'read');
      const y = k.buffer('y', 'f32', 'read_write');
      k.store(y, globalIdX, select(lt(globalIdX, 1), load(x, globalIdX), f32(0)));
    });
    refuses(kernel, launch(1, { x: one(), y: new Float32Array(2) }), /load of x\[1\]/);
  });

  it('two threads that store one element', () => {
    const kernel = kernelOf(2, (k) => k.store(k.buffer('y', 'f32', 'read_write'), 0, 1));
    refuses(kernel, launch(1, { y: one() }), /race: threads 0 and 1 both store y\[0\]/);
    expect(() => compileKernel(kernel)({ ...launch(1, { y: one() }), checks: {} })).not.toThrow();
  });

  it('a thread that loads what another stored, in either order', () => {
    const kernel = (loadAt: number) =>
      kernelOf(2, (k) => {
        const y = k.buffer('y', 'f32', 'read_write');
        const x = k.let(load(y, loadAt));
        k.store(y, globalIdX, x);
      });
    refuses(kernel(0), launch(1, { y: new Float32Array(2) }), /race: thread 1 loads y\[0\], which thread 0 stores/);
    refuses(
      kernel(1),
      launch(1, { y: new Float32Array(2) }),
      /race: thread 1 stores y\[1\], which another thread loads/,
    );
  });

  it('workgroup memory shared without a barrier', () => {
    const kernel = (meet: boolean) =>
      kernelOf(2, (k) => {
        const y = k.buffer('y', 'f32', 'read_write');
        const s = k.shared('s', 'f32', 2);
        k.storeArray(s, localIdX, f32(1));
        if (meet) k.barrier();
        k.store(y, globalIdX, loadArray(s, sub(u32(1), localIdX)));
      });
    const y = new Float32Array(2);
    compileKernel(kernel(true))(launch(1, { y }));
    expect([...y]).toEqual([1, 1]);
    refuses(kernel(false), launch(1, { y: new Float32Array(2) }), /race/);
  });

  it('an index beyond the array of a thread, though others have theirs behind it', () => {
    const kernel = kernelOf(2, (k) => {
      const y = k.buffer('y', 'f32', 'read_write');
      const own = k.array('thread', 'own', 'f32', 2);
      k.storeArray(own, k.uniform('at', 'u32'), f32(1));
      k.store(y, globalIdX, loadArray(own, u32(1)));
    });
    const y = new Float32Array(2);
    compileKernel(kernel)(launch(1, { y }, { at: 1 }));
    expect([...y]).toEqual([1, 1]);
    refuses(kernel, launch(1, { y }, { at: 2 }), /own\[2\] is out of bounds \(length 2\)/);
  });

  it('a barrier that not all threads reach', () => {
    const kernel = kernelOf(2, (k) => {
      const y = k.buffer('y', 'f32', 'read_write');
      k.when(lt(globalIdX, 1), () => k.return());
      k.barrier();
      k.store(y, globalIdX, f32(1));
    });
    refuses(kernel, launch(1, { y: new Float32Array(2) }), /1 of 2 threads returned before a barrier/);
    const divergent = kernelOf(2, (k) => k.when(lt(globalIdX, 1), () => k.barrier()));
    refuses(divergent, launch(1, {}), /threads disagree/);
  });

  it('a loop that does not advance', () => {
    const kernel = kernelOf(1, (k) => k.forRange(0, 5, k.uniform('step', 'u32'), () => undefined));
    refuses(kernel, launch(1, {}, { step: 0 }), /does not advance/);
  });

  it('missing and aliased bindings, and uniforms out of range', () => {
    const x = new Float32Array(4);
    refuses(scaleKernel(), launch(1, { x }, { n: 1, factor: 1 }), /buffer y is not bound/);
    refuses(scaleKernel(), launch(1, { x, y: x.subarray(3) }, { n: 1, factor: 1 }), /same memory/);
    refuses(scaleKernel(), launch(1, { x, y: one() }, { n: 1 }), /uniform factor has no value/);
    refuses(scaleKernel(), launch(1, { x, y: one() }, { n: -1, factor: 1 }), /uniform n: -1 is not representable/);
  });
});
