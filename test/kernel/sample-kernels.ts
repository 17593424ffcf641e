/** Small kernels that together use every construct of the IR; shared by the tests of this room. */
import {
  abs,
  add,
  and,
  bitAnd,
  bitNot,
  bitOr,
  bitXor,
  bitcast,
  bool,
  bufferLength,
  ceil,
  convert,
  div,
  f32,
  floor,
  fma,
  ge,
  globalIdX,
  globalIdY,
  i32,
  load,
  loadArray,
  localIdX,
  lt,
  max,
  min,
  mul,
  neg,
  not,
  numWorkgroupsX,
  or,
  rem,
  rsqrt,
  select,
  shl,
  shr,
  sign,
  sqrt,
  sub,
  u32,
  workgroupIdX,
  workgroupIdY,
} from '../../compiler/kernel/make-expressions.ts';
import type { Kernel, KernelExpr } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';

/** y[i] = x[i] * factor for i < n. */
export function scaleKernel(): Kernel {
  const k = new KernelBuilder('scale', 64);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const n = k.uniform('n', 'u32');
  const factor = k.uniform('factor', 'f32');
  const i = k.let(globalIdX);
  k.when(lt(i, n), () => k.store(y, i, mul(load(x, i), factor)));
  return k.finish();
}

/** c = a b with a: [rows, inner], b: [inner, cols]; one thread per element of c. */
export function matmulKernel(): Kernel {
  const k = new KernelBuilder('matmul', 64);
  const a = k.buffer('a', 'f32', 'read');
  const b = k.buffer('b', 'f32', 'read');
  const c = k.buffer('c', 'f32', 'read_write');
  const [rows, inner, cols] = [k.uniform('rows', 'u32'), k.uniform('inner', 'u32'), k.uniform('cols', 'u32')];
  const at = k.let(globalIdX);
  k.when(lt(at, mul(rows, cols)), () => {
    const row = k.let(div(at, cols));
    const col = k.let(rem(at, cols));
    const acc = k.var(f32(0));
    k.forRange(0, inner, 1, (i) => {
      k.assign(acc, add(acc, mul(load(a, add(mul(row, inner), i)), load(b, add(mul(i, cols), col)))));
    });
    k.store(c, at, acc);
  });
  return k.finish();
}

/** y[t] = Σ x[t · n + i] for i below n in steps, by two threads, with a loop tested at its bottom or at its top. */
export function onceKernel(once: boolean, step: number): Kernel {
  const k = new KernelBuilder('sum', 2);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const n = k.uniform('n', 'u32');
  const t = k.let(globalIdX);
  const acc = k.var(f32(0));
  const term = (i: KernelExpr) => k.assign(acc, add(acc, load(x, add(mul(t, n), i))));
  if (once) k.forOnce(0, n, step, term);
  else k.forRange(0, n, step, term);
  k.store(y, t, acc);
  return k.finish();
}

/** y[t] = Σ over three rounds and two in each, with locals, a branch and a loop inside; all rounds are written out. */
export function unrolledKernel(): Kernel {
  const k = new KernelBuilder('unrolled', 2);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const t = k.let(globalIdX);
  const acc = k.var(f32(0));
  k.forUnrolled(0, 3, 1, (i) => {
    const own = k.let(load(x, add(mul(t, 6), i)));
    k.forUnrolled(0, 2, 1, (j) => {
      const twice = k.var(mul(own, convert('f32', add(j, 1))));
      k.when(lt(j, i), () => k.assign(twice, add(twice, load(x, add(mul(t, 6), add(i, 3))))));
      k.assign(acc, add(acc, mul(twice, 2)));
    });
    k.forRange(0, i, 1, (r) => k.assign(acc, add(acc, load(x, add(mul(t, 6), r)))));
  });
  k.store(y, t, acc);
  return k.finish();
}

/** sums[g] = the sum of the workgroup's `width` numbers, by a tree in workgroup memory. */
export function treeSumKernel(width = 64): Kernel {
  const k = new KernelBuilder('tree_sum', width);
  const x = k.buffer('x', 'f32', 'read');
  const sums = k.buffer('sums', 'f32', 'read_write');
  const partial = k.shared('partial', 'f32', width);
  k.storeArray(partial, localIdX, load(x, globalIdX));
  k.barrier();
  k.forRange(0, Math.log2(width), 1, (level) => {
    const half = k.let(shr(u32(width / 2), level));
    k.when(lt(localIdX, half), () => {
      k.storeArray(partial, localIdX, add(loadArray(partial, localIdX), loadArray(partial, add(localIdX, half))));
    });
    k.barrier();
  });
  k.when(lt(localIdX, 1), () => k.store(sums, workgroupIdX, loadArray(partial, 0)));
  return k.finish();
}

/** Each thread takes four numbers into an array of its own, and gives them back in the order that a number of it says. */
export function ownArrayKernel(): Kernel {
  const k = new KernelBuilder('own_array', 8);
  const x = k.buffer('x', 'f32', 'read');
  const order = k.buffer('order', 'u32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const own = k.array('thread', 'own', 'f32', 4);
  const first = k.let(mul(globalIdX, 4));
  k.forRange(0, 4, 1, (i) => k.storeArray(own, i, load(x, add(first, i))));
  k.forRange(0, 4, 1, (i) => k.store(y, add(first, i), loadArray(own, load(order, add(first, i)))));
  return k.finish();
}

/** counts[x[i]] += 1 for i < length(x), and the largest of x in most[0]. */
export function histogramKernel(): Kernel {
  const k = new KernelBuilder('histogram', 32);
  const x = k.buffer('x', 'u32', 'read');
  const counts = k.buffer('counts', 'atomic_u32', 'read_write');
  const most = k.buffer('most', 'atomic_i32', 'read_write');
  k.when(lt(globalIdX, bufferLength(x)), () => {
    const value = k.let(load(x, globalIdX));
    k.atomic('add', counts, value, 1);
    k.atomic('max', most, 0, convert('i32', value));
  });
  return k.finish();
}

/** Every expression and statement once; the index of an element is its thread's. */
export function everythingKernel(): Kernel {
  const k = new KernelBuilder('everything', 16);
  const f = k.buffer('f', 'f32', 'read');
  const i = k.buffer('i', 'i32', 'read');
  const u = k.buffer('u', 'u32', 'read');
  const out = k.buffer('out', 'f32', 'read_write');
  const words = k.buffer('words', 'u32', 'read_write');
  const n = k.uniform('n', 'u32');
  const shift = k.uniform('shift', 'i32');
  const eps = k.uniform('eps', 'f32');
  const at = k.let(add(globalIdX, mul(globalIdY, mul(numWorkgroupsX, 16))));
  k.when(or(ge(at, n), not(lt(workgroupIdY, 65535))), () => k.return());
  const x = k.let(load(f, at));
  const a = k.let(load(i, at));
  const b = k.let(load(u, at));
  const acc = k.var(add(x, add(abs(x), eps)));
  k.assign(acc, add(acc, add(sqrt(x), rsqrt(x))));
  k.assign(acc, add(acc, add(floor(x), sub(ceil(x), mul(sign(x), neg(x))))));
  k.assign(acc, sub(acc, sub(x, fma(x, x, eps))));
  k.assign(acc, div(acc, max(rem(x, 3), 1)));
  const ints = k.let(add(add(div(a, shift), rem(a, shift)), mul(min(a, i32(-2147483648)), sub(a, i32(-7)))));
  const bits = k.let(bitXor(bitOr(bitAnd(b, 255), shl(b, 3)), bitNot(shr(b, convert('u32', a)))));
  const flags = k.var(and(lt(a, shift), bool(true)), 'flag');
  k.forRange(i32(0), a, i32(2), (step) => {
    k.when(lt(i32(6), step), () => k.break());
    k.assign(flags, select(lt(x, eps), lt(a, step), not(flags)));
  });
  k.when(
    flags,
    () => k.store(out, at, acc),
    () => k.store(out, at, select(lt(bits, b), convert('f32', ints), bitcast('f32', bitAnd(bits, u32(0x3fffffff))))),
  );
  k.store(words, at, add(convert('u32', flags), add(bitcast('u32', acc), convert('u32', x))));
  return k.finish();
}

export const samples: readonly (readonly [string, Kernel])[] = [
  ['scale', scaleKernel()],
  ['matmul', matmulKernel()],
  ['tree_sum', treeSumKernel()],
  ['own_array', ownArrayKernel()],
  ['histogram', histogramKernel()],
  ['everything', everythingKernel()],
];
