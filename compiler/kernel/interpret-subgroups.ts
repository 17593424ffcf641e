/**
 * What the lanes of a subgroup do together, for the kernel interpreter: subgroup by subgroup, once all threads of the workgroup have
 * said what they give. A lane is the thread's number in the workgroup modulo the size.
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { binaryFunction } from './arithmetic.ts';
import { fault } from './interpret-memory.ts';
import type { SubgroupOp, ValueType } from './kernel-ir.ts';
import { isNumeric, scalarOf } from './kernel-typing.ts';

export type Lanes = Float32Array | Int32Array | Uint32Array | Uint8Array;

export interface Exchange {
  readonly kernel: string;
  readonly op: SubgroupOp;
  /** Of the value that each lane gives. */
  readonly type: ValueType;
  readonly subgroupSize: number;
  /** An array for each component, with an element for each thread. */
  readonly given: readonly Lanes[];
  /** The lane or mask that each thread names. */
  readonly lanes: Lanes;
  readonly results: readonly Lanes[];
}

/** Fills the results of all threads. */
export function exchange(how: Exchange): void {
  const threads = how.lanes.length;
  for (let first = 0; first < threads; first += how.subgroupSize) {
    if (how.op === 'ballot') ballot(how, first);
    else how.results.forEach((result, i) => one(how, at(how.given, i, 'kernel: component'), result, first));
  }
}

function one(how: Exchange, given: Lanes, result: Lanes, first: number): void {
  const { op, subgroupSize: size, lanes } = how;
  const word = (array: Lanes, thread: number): number => array[thread] ?? noNumber();
  const every = (value: (thread: number) => number): void => {
    for (let lane = 0; lane < size; lane++) result[first + lane] = value(first + lane);
  };
  switch (op) {
    case 'broadcast':
    case 'shuffle':
    case 'shuffle_xor':
      every((thread) => {
        const asked = word(lanes, thread);
        const from = op === 'shuffle_xor' ? (thread - first) ^ asked : asked;
        if (from < 0 || from >= size) fault(how.kernel, `subgroup ${op} of lane ${from}, and there are ${size}`);
        return word(given, first + from);
      });
      return;
    case 'add':
    case 'min':
    case 'max': {
      const type = scalarOf(how.type);
      const fold = binaryFunction(op, isNumeric(type) ? type : fault(how.kernel, `subgroup ${op} of bools`));
      let total = word(given, first);
      for (let lane = 1; lane < size; lane++) total = fold(total, word(given, first + lane));
      every(() => total);
      return;
    }
    case 'all':
    case 'any': {
      const lanesOfGroup = Array.from({ length: size }, (_, lane) => word(given, first + lane) !== 0);
      const truth = op === 'all' ? lanesOfGroup.every(Boolean) : lanesOfGroup.some(Boolean);
      every(() => (truth ? 1 : 0));
      return;
    }
    case 'ballot':
      return;
  }
}

/** Bit i of the four words is what lane i says. */
function ballot({ given, results, subgroupSize }: Exchange, first: number): void {
  const says = at(given, 0, 'kernel: component');
  results.forEach((result, i) => {
    let bits = 0;
    for (let bit = 0; bit < 32 && 32 * i + bit < subgroupSize; bit++)
      if ((says[first + 32 * i + bit] ?? noNumber()) !== 0) bits |= 1 << bit;
    for (let lane = 0; lane < subgroupSize; lane++) result[first + lane] = bits >>> 0;
  });
}
