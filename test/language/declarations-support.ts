/** Programs run with the tensors of a checkpoint, by name, on the reference and on the kernels. */
import { expect } from 'vitest';
import { bindVariables, type MissingParams } from '../../runtime/weights/bind-weights.ts';
import type { WritableTensor } from '../../runtime/weights/safetensors.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { loadVariable } from '../../runtime/weights/weights.ts';
import type { NamedTensor, Prepared } from '../../compiler/cli/running/execution.ts';
import { diagnosticsOf, onKernels, onReference, preparedOf, ready } from './support.ts';

export interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface Case {
  readonly text: string;
  readonly entry?: string;
  readonly sets?: ReadonlyMap<string, string>;
  readonly weights?: Readonly<Record<string, Numbers>>;
  readonly missing?: MissingParams;
  readonly inputs: Readonly<Record<string, Numbers>>;
  /** What a run gives, by name. */
  readonly gives: Readonly<Record<string, readonly number[]>>;
}

export const vector = (...values: readonly number[]): Numbers => ({ shape: [values.length], values });

/** The numbers of the stores that a checkpoint fills. */
async function loaded(prepared: Prepared, given: Case): Promise<ReadonlyMap<string, Float64Array>> {
  const tensors = Object.entries(given.weights ?? {}).map(([name, { shape, values }]): WritableTensor => {
    return { name, dtype: 'F32', shape, data: Float32Array.from(values) };
  });
  const source = tensors.length === 0 ? null : fromTensors(tensors);
  const stores = new Map<string, Float64Array>();
  for (const binding of await bindVariables(prepared.manifest, source, given.missing ?? 'error')) {
    if (binding.slices === null || source === null) continue;
    const numbers = new Float64Array(binding.elements);
    const write = (offset: number, words: ArrayLike<number>): Promise<void> => {
      numbers.set(words, offset);
      return Promise.resolve();
    };
    expect(await loadVariable(binding, source, write, { allowNonFinite: false })).toEqual([]);
    stores.set(binding.variable.path, numbers);
  }
  return stores;
}

/** Runs a program on both executors; what it gives has to be exactly what the case says. */
export async function runs(given: Case): Promise<Prepared> {
  const options = {
    ...(given.entry === undefined ? {} : { entry: given.entry }),
    ...(given.sets === undefined ? {} : { sets: given.sets }),
  };
  const prepared = preparedOf(given.text, options);
  const inputs = new Map(
    Object.entries(given.inputs).map(([name, { shape, values }]): [string, NamedTensor] => [
      name,
      { element: 'f32', shape, data: Float32Array.from(values) },
    ]),
  );
  const stores = await loaded(prepared, given);
  const run = ready(
    { ...prepared, variables: stores },
    { inputs, stores, ...(given.sets === undefined ? {} : { sets: given.sets }) },
  );
  for (const [on, execute] of [
    ['the reference', onReference],
    ['the kernels', onKernels],
  ] as const) {
    const results = await execute(run);
    for (const [name, values] of Object.entries(given.gives))
      expect([...(results.get(name)?.data ?? [])], `${name} on ${on}`).toEqual(values);
  }
  return prepared;
}

/** The code, the marked text and the message of each mistake of a program. */
export function mistakes(
  text: string,
): readonly { readonly code: string; readonly at: string; readonly told: string }[] {
  return diagnosticsOf(text).map((d) => ({
    code: d.code,
    at: d.span === undefined ? '' : text.slice(d.span.start, d.span.end),
    told: `${d.message}; ${d.help ?? ''}`,
  }));
}

/** The paths of what a program needs of a checkpoint. */
export function pathsOf(prepared: Prepared): readonly string[] {
  return prepared.manifest.stores.map((s) => s.path);
}

/** The names of the tensors that a program is bound to, in order. */
export function tensorsOf(prepared: Prepared): readonly string[] {
  return prepared.manifest.stores.flatMap((s) => s.cells?.map((cell) => cell.tensor) ?? [s.path]);
}
