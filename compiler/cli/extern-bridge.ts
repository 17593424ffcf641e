/**
 * Host functions for the executors on the CPU. The runtime calls an extern with the rows of its points gathered
 * (runtime/externs.ts); here the same function gets the same call, whatever the executor holds.
 */
import type { ExternCall, ExternFunction } from '../../runtime/externs.ts';
import type { Tensor, TensorData } from '../../runtime/tensors.ts';
import type { ExternRun } from '../../dsl/interpret/algebra.ts';
import type { Axis } from '../../dsl/meaning/axis.ts';
import { asInteger } from '../../dsl/meaning/size.ts';
import type { SimulatedExtern } from '../schedule/simulate.ts';
import { CliError } from './cli-error.ts';

const sizesOf = (axes: readonly Axis[]): number[] => axes.map((a) => asInteger(a.size) ?? 0);
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function functionOf(externs: ReadonlyMap<string, ExternFunction>, name: string): ExternFunction {
  const found = externs.get(name);
  if (found === undefined)
    throw new CliError(1, `the model calls ${name} on the host: give --extern FILE.js that exports it`);
  return found;
}

function listOf(value: TensorData | readonly TensorData[], results: number): readonly ArrayLike<number>[] {
  const list: readonly unknown[] = results === 1 ? [value] : Array.isArray(value) ? value : [value];
  return list.map((data) => (isNumbers(data) ? Float64Array.from(data, Number) : new Float64Array(0)));
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  return ArrayBuffer.isView(value) || Array.isArray(value);
}

/** For the reference interpreter: one call for each instance, over all carried points. */
export function interpretedExtern(externs: ReadonlyMap<string, ExternFunction>) {
  return (run: ExternRun): Promise<readonly Float64Array[]> => {
    const points = count(sizesOf(run.carried));
    const call: ExternCall = {
      name: run.name,
      instance: new Map(run.family.map((a, i) => [a.name, run.instance[i] ?? 0])),
      points,
      operands: new Map(
        run.args.map((a): [string, Tensor] => {
          const own = a.axes.filter((x) => !run.carried.includes(x));
          return [
            a.name,
            {
              element: 'f32',
              axes: ['points', ...own.map((x) => x.name)],
              shape: [points, ...sizesOf(own)],
              data: Float32Array.from(a.data),
            },
          ];
        }),
      ),
      results: run.results.map((r) => ({
        element: 'f32',
        shape: [points, ...sizesOf(r.axes.filter((x) => !run.carried.includes(x)))],
      })),
      signal: undefined,
    };
    return Promise.resolve(functionOf(externs, run.name)(call)).then((value) =>
      listOf(value, run.results.length).map((data) => Float64Array.from(data)),
    );
  };
}

/** For simulated plans: operands arrive whole; called once, or once for each instance with the points its mask has. */
export function simulatedExtern(externs: ReadonlyMap<string, ExternFunction>) {
  return async (call: SimulatedExtern): Promise<readonly ArrayLike<number>[]> => {
    const fn = functionOf(externs, call.name);
    const value = await fn({
      name: call.name,
      instance: new Map(),
      points: null,
      operands: new Map(
        call.operands.map((o): [string, Tensor] => [
          o.name,
          {
            element: o.element,
            axes: o.axes,
            shape: o.shape,
            data: o.element === 'i32' ? Int32Array.from(o.data) : Float32Array.from(o.data),
          },
        ]),
      ),
      results: call.results.map((r) => ({ element: 'f32', shape: r.shape })),
      signal: undefined,
    });
    return listOf(value, call.results.length);
  };
}
