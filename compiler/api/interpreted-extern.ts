/**
 * Host functions for the reference interpreter. The runtime calls an extern with the rows of its points gathered
 * (runtime/contract/externs.ts); here the same function gets the same call from whole tensors.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { askHost, type HostCall, type ExternFunction, type ExternOperand } from '../../runtime/contract/ask-host.ts';
import type { Tensor } from '../../runtime/contract/tensors.ts';
import type { ElementType } from '../../dsl/types/program.ts';
import type { Span } from '../../dsl/diagnostics/diagnostic.ts';
import type { ExternRun, ExternTensor } from '../../dsl/interpret/float64-backend.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import { asInteger } from '../../dsl/types/size.ts';

const sizesOf = (axes: readonly Axis[]): number[] => axes.map((a) => asInteger(a.size) ?? 0);
const namesOf = (axes: readonly Axis[]): string[] => axes.map((a) => a.name);
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

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

/** One call for each instance, and of an expert for all carried points. `functionOf` throws where there is none of a name. */
export function interpretedExtern(
  functionOf: (name: string) => ExternFunction,
  locationOf: (span: Span) => string,
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
    const call: HostCall = {
      name: run.name,
      instance: new Map(run.family.map((a, i) => [a.name, at(run.instance, i, 'api: index of an instance')])),
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
    const answers = await askHost(call, functionOf(run.name), locationOf(run.span));
    // Real numbers stay as they were given: the reference is in float64.
    return answers.map(({ data, words }, i) =>
      run.results[i]?.element === 'f32' ? Float64Array.from(data, Number) : Float64Array.from(words),
    );
  };
}
