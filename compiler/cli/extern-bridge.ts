/**
 * Host functions for the executors on the CPU. The runtime calls an extern with the rows of its points gathered
 * (runtime/externs.ts); here the same function gets the same call, whatever the executor holds.
 */
import { askHost, type ExternCall, type ExternFunction, type ExternOperand } from '../../runtime/ask-host.ts';
import { callExtern } from '../../runtime/externs.ts';
import type { AxisSpec, ExternSpec } from '../../runtime/manifest.ts';
import type { Tensor } from '../../runtime/tensors.ts';
import type { ElementType } from '../../dsl/types/program.ts';
import type { Span } from '../../dsl/diagnostics/diagnostic.ts';
import type { ExternRun, ExternTensor } from '../../dsl/interpret/algebra.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import { asInteger } from '../../dsl/types/size.ts';
import type { SimulatedExtern } from '../schedule/simulate.ts';
import { CliError } from './cli-error.ts';

const sizesOf = (axes: readonly Axis[]): number[] => axes.map((a) => asInteger(a.size) ?? 0);
const namesOf = (axes: readonly Axis[]): string[] => axes.map((a) => a.name);
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function functionOf(externs: ReadonlyMap<string, ExternFunction>, name: string): ExternFunction {
  const found = externs.get(name);
  if (found === undefined)
    throw new CliError(1, `the model calls ${name} on the host: give --extern FILE.js that exports it`);
  return found;
}

function dataOf(element: ElementType, data: Float64Array): Tensor['data'] {
  switch (element) {
    case 'f32':
    case 'f16':
      return Float32Array.from(data);
    case 'i32':
      return Int32Array.from(data);
    case 'bool':
      return Uint8Array.from(data);
  }
}

/** For the reference interpreter: one call for each instance, and of an expert for all carried points. */
export function interpretedExtern(
  externs: ReadonlyMap<string, ExternFunction>,
  place: (span: Span) => string,
  signal: AbortSignal | undefined,
) {
  return async (run: ExternRun): Promise<readonly Float64Array[]> => {
    const pointwise = run.role === 'expert';
    const points = count(sizesOf(run.carried));
    /** Names and sizes as the call has them: the carried axes of an expert's tensor are one axis of points. */
    const viewOf = ({ axes, within }: ExternTensor, inPoints: boolean) => {
      const own = axes.filter((x) => !run.carried.includes(x));
      const shown = inPoints ? own : axes;
      return {
        axes: [...(inPoints ? ['points'] : []), ...namesOf(shown)],
        shape: [...(inPoints ? [points] : []), ...sizesOf(shown)],
        within: within?.name ?? null,
      };
    };
    const varies = ({ axes }: ExternTensor): boolean => axes.some((x) => run.carried.includes(x));
    const call: ExternCall = {
      name: run.name,
      instance: new Map(run.family.map((a, i) => [a.name, run.instance[i] ?? 0])),
      sizes: new Map(run.mentions.map((a) => [a.name, asInteger(a.size) ?? 0])),
      carried: namesOf(run.carried),
      points: pointwise ? points : null,
      operands: new Map(
        run.args.map((a): [string, ExternOperand] => {
          const { element } = a;
          return [a.name, { element, ...viewOf(a, pointwise && varies(a)), data: dataOf(element, a.data) }];
        }),
      ),
      results: run.results.map((r) => ({ element: r.element, ...viewOf(r, pointwise) })),
      signal,
    };
    const answers = await askHost(call, functionOf(externs, run.name), place(run.span));
    // Real numbers stay as they were given: the reference is in float64.
    return answers.map(({ data, words }, i) =>
      run.results[i]?.element === 'f32' ? Float64Array.from(data, Number) : Float64Array.from(words),
    );
  };
}

/**
 * For simulated plans: exactly the runtime's part of the work, on the buffers of the simulation. Each instance with work is
 * called, told which it is, with the rows of its points gathered.
 */
export function simulatedExtern(externs: ReadonlyMap<string, ExternFunction>, signal: AbortSignal | undefined) {
  return async (call: SimulatedExtern): Promise<readonly ArrayLike<number>[]> => {
    const axes = (of: { readonly axes: readonly string[]; readonly shape: readonly number[] }): readonly AxisSpec[] =>
      of.axes.map((name, i) => ({ name, size: of.shape[i] ?? 0 }));
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
