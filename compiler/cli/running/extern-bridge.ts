/**
 * Host functions for simulated plans. The runtime calls an extern with the rows of its points gathered (runtime/contract/externs.ts); here the
 * same function gets the same call from the buffers of the simulation. For the reference it is `compiler/api/interpreted-extern.ts`.
 */
import { noNumber } from '../../../dsl/diagnostics/invariants.ts';
import type { ExternFunction } from '../../../runtime/contract/ask-host.ts';
import { callExtern } from '../../../runtime/contract/externs.ts';
import type { AxisSpec, ExternSpec } from '../../../runtime/contract/manifest.ts';
import type { ElementType } from '../../../dsl/types/program.ts';
import type { SimulatedExtern } from '../../schedule/executing/simulate.ts';
import { CliError } from '../terminal/cli-error.ts';

/** The function of the host that the model calls so. Throws CliError 1 where none was given. */
export function functionOf(externs: ReadonlyMap<string, ExternFunction>, name: string): ExternFunction {
  const found = externs.get(name);
  if (found === undefined)
    throw new CliError(1, `the model calls ${name} on the host: give --extern FILE.js that exports it`);
  return found;
}

/**
 * For simulated plans: exactly the runtime's part of the work, on the buffers of the simulation. Each instance with work is
 * called, told which it is, with the rows of its points gathered.
 */
export function simulatedExtern(externs: ReadonlyMap<string, ExternFunction>, signal: AbortSignal | undefined) {
  return async (call: SimulatedExtern): Promise<readonly ArrayLike<number>[]> => {
    const axes = (of: { readonly axes: readonly string[]; readonly shape: readonly number[] }): readonly AxisSpec[] =>
      of.axes.map((name, i) => ({ name, size: of.shape[i] ?? noNumber() }));
    const spec: ExternSpec = {
      kind: 'extern',
      name: call.name,
      place: call.place,
      operands: call.operands.map((o) => ({
        name: o.name,
        buffer: 0,
        element: o.element,
        axes: axes(o),
        within: o.within,
      })),
      results: call.results.map((r) => ({ buffer: 0, element: r.element, axes: axes(r), within: r.within })),
      sizes: call.sizes,
      carried: call.carried,
      family: call.family,
      points: call.points,
      mask: call.mask === null ? null : { buffer: 0, axes: axes(call.mask) },
    };
    const words = {
      operands: call.operands.map((o) => wordsOf(o.element, o.data)),
      mask: call.mask === null ? null : wordsOf('bool', call.mask.data),
    };
    const answered = await callExtern(spec, new Map(), words, functionOf(externs, call.name), signal);
    return answered.map((numbers, i) => {
      const { buffer, byteOffset, length } = numbers;
      const element = call.results[i]?.element ?? 'f32';
      if (element === 'i32') return new Int32Array(buffer, byteOffset, length);
      return element === 'bool' ? numbers : new Float32Array(buffer, byteOffset, length);
    });
  };
}

function wordsOf(element: ElementType, data: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  switch (element) {
    case 'f32':
    case 'f16':
      return new Uint32Array(Float32Array.from(data).buffer);
    case 'i32':
      return new Uint32Array(Int32Array.from(data).buffer);
    case 'bool':
      return Uint32Array.from(data);
  }
}
