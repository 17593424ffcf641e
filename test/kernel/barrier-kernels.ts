/** Kernels with one barrier each, under control that is or is not the same for all threads of a workgroup. */
import { eq, load, loadArray, localIdX, lt, u32, workgroupIdX } from '../../compiler/kernel/make-expressions.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';

type Write = readonly [string, (k: KernelBuilder) => void];

const uniform: readonly Write[] = [
  ['in a loop with uniform bounds', (k) => k.forRange(0, k.uniform('n', 'u32'), 1, () => k.barrier())],
  ['under a workgroup id', (k) => k.when(lt(workgroupIdX, 2), () => k.barrier())],
  [
    'in a loop bounded by a read-only buffer at a uniform index',
    (k) => k.forRange(0, load(k.buffer('ends', 'u32', 'read'), workgroupIdX), 1, () => k.barrier()),
  ],
  [
    'after an if on the thread',
    (k) => (k.when(lt(localIdX, 1), () => k.store(k.buffer('y', 'f32', 'read_write'), 0, 1)), k.barrier()),
  ],
  [
    'after a loop that threads leave alone',
    (k) => {
      k.forRange(0, 4, 1, () => k.when(lt(localIdX, 1), () => k.break()));
      k.barrier();
    },
  ],
  ['after a return of the whole workgroup', (k) => (k.when(lt(workgroupIdX, 2), () => k.return()), k.barrier())],
];
const divergent: readonly Write[] = [
  ['under the thread id', (k) => k.when(lt(localIdX, 2), () => k.barrier())],
  [
    'under a writable buffer',
    (k) => {
      const y = k.buffer('y', 'u32', 'read_write');
      k.when(lt(load(y, 0), 2), () => k.barrier());
    },
  ],
  [
    'under workgroup memory',
    (k) => {
      const s = k.shared('s', 'u32', 1);
      k.when(lt(loadArray(s, 0), 2), () => k.barrier());
    },
  ],
  ['after a return of some threads', (k) => (k.when(lt(localIdX, 1), () => k.return()), k.barrier())],
  [
    'after a break of some threads, in the next round',
    (k) =>
      k.forRange(0, 4, 1, () => {
        k.barrier();
        k.when(lt(localIdX, 1), () => k.break());
      }),
  ],
  [
    'under a variable assigned by some threads',
    (k) => {
      const v = k.var(u32(0));
      k.when(lt(localIdX, 1), () => k.assign(v, u32(1)));
      k.when(eq(v, 0), () => k.barrier());
    },
  ],
  [
    'under a variable that a later round makes divergent',
    (k) => {
      const v = k.var(u32(0));
      k.forRange(0, 4, 1, () => {
        k.when(eq(v, 0), () => k.barrier());
        k.assign(v, localIdX);
      });
    },
  ],
  ['in a loop with divergent bounds', (k) => k.forRange(0, localIdX, 1, () => k.barrier())],
  [
    'after a return inside a loop',
    (k) => {
      k.forRange(0, 4, 1, () => k.when(lt(localIdX, 1), () => k.return()));
      k.barrier();
    },
  ],
];

const kernels = (writes: readonly Write[]): readonly (readonly [string, Kernel])[] =>
  writes.map(([name, write]) => {
    const k = new KernelBuilder('barrier', 4);
    write(k);
    return [name, k.finish()];
  });

/** [where the barrier stands, the kernel]: these are good. */
export const uniformBarriers = kernels(uniform);
/** [where the barrier stands, the kernel]: these are not. */
export const divergentBarriers = kernels(divergent);
