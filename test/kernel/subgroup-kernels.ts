/** Kernels of three dimensions, and of subgroups: shared by the tests of the interpreter, of shaders and of drivers. */
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import {
  add,
  bitXor,
  builtin,
  component,
  convert,
  eq,
  gt,
  load,
  localIndex,
  mul,
  rem,
  select,
  sub,
  subgroupLane,
  u32,
  vector,
} from '../../compiler/kernel/make-expressions.ts';

/** out[number of the thread] = its ids, a decimal digit each: workgroup z y x, local z y x. */
export function gridKernel(): Kernel {
  const k = new KernelBuilder('grid', [2, 3, 2]);
  const out = k.buffer('out', 'u32', 'read_write');
  const [gx, gy, gz] = (['x', 'y', 'z'] as const).map((d) => builtin(`workgroup_id_${d}`));
  const [lx, ly, lz] = (['x', 'y', 'z'] as const).map((d) => builtin(`local_id_${d}`));
  const [nx, ny] = (['x', 'y'] as const).map((d) => builtin(`num_workgroups_${d}`));
  if (!gx || !gy || !gz || !lx || !ly || !lz || !nx || !ny) throw new Error('an id is missing');
  const group = k.let(add(mul(add(mul(gz, ny), gy), nx), gx));
  const digits = [gz, gy, gx, lz, ly, lx].reduce((number, digit) => add(mul(number, 10), digit), u32(0));
  // A thread's global ids are its workgroup's times the sides, and its own.
  const sides = [2, 3, 2];
  const wrong = (['x', 'y', 'z'] as const).map((d, i) =>
    sub(builtin(`global_id_${d}`), add(mul(builtin(`workgroup_id_${d}`), sides[i] ?? 0), builtin(`local_id_${d}`))),
  );
  k.store(
    out,
    add(mul(group, 12), localIndex),
    add(
      digits,
      wrong.reduce((sum, w) => add(sum, w), u32(0)),
    ),
  );
  return k.finish();
}

/** Words that a thread of `subgroupsKernel` stores. */
export const SUBGROUP_WORDS = 16;

/** Every subgroup operation on x (u32) and f (f32), a thread's results side by side; two rows of two subgroups of `size`. */
export function subgroupsKernel(size: number): Kernel {
  const k = new KernelBuilder('subgroups', [2 * size, 2, 1], size);
  const x = k.buffer('x', 'u32', 'read');
  const f = k.buffer('f', 'f32', 'read');
  const out = k.buffer('out', 'u32', 'read_write');
  const floats = k.buffer('floats', 'f32', 'read_write', 4);
  const own = k.let(load(x, localIndex));
  const odd = k.let(eq(rem(own, 2), 1));
  const signed = k.let(sub(convert('i32', rem(own, 100)), 50));
  const pair = k.let(vector(load(f, localIndex), convert('f32', localIndex)));
  const ballot = k.vote('ballot', odd);
  const moved = k.shuffle(pair, rem(own, size));
  const folded = [1, 2].reduce((sum, mask) => k.let(add(sum, k.shuffleXor(sum, mask))), component(pair, 0));
  const words = [
    k.broadcast(own, size - 1),
    k.shuffle(own, rem(add(subgroupLane, 1), size)),
    k.shuffleXor(own, 1),
    k.fold('add', own),
    k.fold('min', own),
    k.fold('max', own),
    convert('u32', k.fold('min', signed)),
    convert('u32', k.fold('max', signed)),
    component(ballot, 0),
    bitXor(component(ballot, 1), component(ballot, 3)),
    select(k.vote('all', odd), u32(1), u32(0)),
    select(k.vote('any', gt(own, 4000000000)), u32(1), u32(0)),
    subgroupLane,
  ];
  words.forEach((word, i) => k.store(out, add(mul(localIndex, SUBGROUP_WORDS), i), word));
  k.store(
    floats,
    localIndex,
    vector(component(moved, 0), component(moved, 1), folded, k.broadcast(component(pair, 0), 2)),
  );
  return k.finish();
}
