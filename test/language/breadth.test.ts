/**
 * The breadth of the language: every program in `breadth/`, every entry, on the reference interpreter and on the kernels, at
 * several sizes of the axes a run decides, 0 among them. Numbers agree within the bounds derived for each of them; what passes
 * through the host, past which nothing can be derived, within a relative 1e-4: f32 operands of a short sum, rounded twice.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { HostCall, ExternFunction } from '../../runtime/contract/ask-host.ts';
import { differences, onKernels, onReference, preparedOf, prepareText, ready, relativeDifferences } from './support.ts';

const folder = fileURLToPath(new URL('./breadth/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.moe'));

const product = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** An expert of the host: of each row its sum, times the place in the answer, plus which expert it is. */
function answer({ operands, results, instance }: HostCall): Float64Array {
  const [request] = operands.values();
  const [result] = results;
  const expert = [...instance.values()][0] ?? 0;
  const shape = result?.shape ?? [];
  const width = shape.at(-1) ?? 1;
  const length = request?.shape.at(-1) ?? 1;
  return Float64Array.from({ length: product(shape) }, (_, i) => {
    const row = Math.floor(i / width);
    const numbers = Array.from(request?.data ?? []).slice(row * length, (row + 1) * length);
    return numbers.reduce((sum, n) => sum + n, 0) * (1 + (i % width)) + expert;
  });
}

/** Whole tensors, several results. */
function lookUp({ operands, results }: HostCall): readonly Float64Array[] {
  const [x] = operands.values();
  return results.map(({ shape }, r) =>
    Float64Array.from({ length: product(shape) }, (_, i) => (x?.data[i] ?? 0) * (r + 2)),
  );
}

const externs: ReadonlyMap<string, ExternFunction> = new Map<string, ExternFunction>([
  ['answer', answer],
  ['look_up', lookUp],
]);

/** Sizes of the dynamic axes: some, one of each, none. */
const runs: readonly (readonly [string, (axis: string) => number])[] = [
  ['several', (axis) => (axis === 'B' ? 2 : 5)],
  ['one', () => 1],
  ['none', () => 0],
];

const cases = files.flatMap((file) => {
  const text = readFileSync(`${folder}${file}`, 'utf8');
  const { prepared, diagnostics } = prepareText(text, { name: file });
  if (prepared === null) throw new Error(`${file}: ${diagnostics.map((d) => `${d.code} ${d.message}`).join('; ')}`);
  return prepared.program.entries.map(({ name }) => ({ file, entry: name, text }));
});

describe('the reference and the kernels agree', () => {
  describe.each(cases)('$file $entry', ({ file, entry, text }) => {
    const { prepared } = prepareText(text, { name: file, entry });
    test.each(runs)('%s', async (_, sizeOf) => {
      if (prepared === null) throw new Error('compiled a moment ago');
      const sizes = new Map(prepared.manifest.dynamic.map((name) => [name, sizeOf(name)]));
      const run = ready(prepared, { sizes, externs });
      const reference = await onReference(run);
      const kernels = await onKernels(run);
      expect([...kernels.keys()].sort()).toEqual([...reference.keys()].sort());
      const outside = prepared.entry.elaborated.withAux.externs.length > 0;
      expect(outside ? relativeDifferences(kernels, reference, 1e-4) : differences(run, kernels, reference)).toEqual(
        [],
      );
    });
  });
});

test('kernels compute the initial values that the reference computes', async () => {
  const text = `model M {
    axis T
    axis L = 3, E = 4
    fn f[l in L](x: [E]) -> [E] {
      param w: [E] = l + 0.5 * normal[E]
      state s: [E] = 2 * l
      x * w + s
    }
    forward(x: [T, E]) -> [T, E] { sum(f(x), over: L) }
  }`;
  const prepared = preparedOf(text);
  const run = ready(prepared, { sizes: new Map([['T', 3]]) });
  const open = { ...run, prepared: { ...run.prepared, variables: new Map<string, Float64Array>() } };
  expect(differences(run, await onKernels(open), await onReference(open))).toEqual([]);
});
