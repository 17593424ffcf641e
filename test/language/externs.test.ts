/** The host sees the same call, whoever runs the program: the same axes in the same order, the same sizes, the same numbers. */
import { describe, expect, test } from 'vitest';
import type { ExternCall } from '../../runtime/ask-host.ts';
import { onKernels, onReference, prepareText, ready } from './support.ts';

interface Seen {
  readonly instance: readonly (readonly [string, number])[];
  readonly points: number | null;
  readonly operands: readonly (readonly [string, string, readonly (string | { readonly name: string })[]])[];
  readonly results: ExternCall['results'];
}

const programs: readonly (readonly [string, string])[] = [
  [
    'a function, whose operand is made in another order',
    `extern fn host(x: [Q, K, D]) -> [Q, D]
  forward(x: [Q, D]) -> [Q, D] { host(w * x) }`,
  ],
  [
    'a function that is carried along an axis',
    `extern fn host(x: [K, D], v: [K, D]) -> [D]
  forward(x: [Q, D]) -> [Q, D] { host(w * x, w) }`,
  ],
  [
    'an expert for all points, with an operand that is the same for all',
    `extern expert host(x: [D], store: [K, D]) -> [K]
  forward(x: [Q, D]) -> [Q, K] { host(x, w) }`,
  ],
  [
    'an expert with numbers that are no f32',
    `extern expert host(x: [D], which: i32[D], on: bool[D]) -> i32[D]
  forward(x: [Q, D]) -> i32[Q, D] { host(x, iota(D), x > 0) }`,
  ],
];

const model = (body: string): string => `model Hosted {
  axis Q, K = 3, D = 4
  param w: [K, D]
  ${body}
}
`;

/** A function of the host that notes its calls. Its answer is the operand's numbers, repeated. */
function noting(seen: Seen[]) {
  return ({ instance, points, operands, results }: ExternCall): Float64Array => {
    seen.push({
      instance: [...instance],
      points,
      operands: [...operands].map(([name, t]) => [name, `${t.element} [${t.shape.join(', ')}]`, t.axes]),
      results,
    });
    const [first] = operands.values();
    const length = results[0]?.shape.reduce((a, b) => a * b, 1) ?? 0;
    const data = first?.data ?? [];
    return Float64Array.from({ length }, (_, i) => Math.round((data[i % Math.max(data.length, 1)] ?? 0) * 8));
  };
}

const namesOf = (seen: readonly Seen[]): unknown =>
  seen.map((call) => ({
    ...call,
    operands: call.operands.map(([name, type, axes]) => [
      name,
      type,
      axes.map((a) => (typeof a === 'string' ? a : a.name)),
    ]),
  }));

describe('the reference and the kernels ask the host the same', () => {
  test.each(programs)('%s', async (_, body) => {
    const { prepared, diagnostics } = prepareText(model(body));
    if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
    const calls: readonly [Seen[], Seen[]] = [[], []];
    const run = (seen: Seen[]) =>
      ready(prepared, { sizes: new Map([['Q', 2]]), externs: new Map([['host', noting(seen)]]) });
    const reference = await onReference(run(calls[0]));
    const kernels = await onKernels(run(calls[1]));
    expect(calls[0].length).toBeGreaterThan(0);
    expect(namesOf(calls[1])).toEqual(namesOf(calls[0]));
    for (const [name, tensor] of reference) {
      expect([...(kernels.get(name)?.data ?? [])].map((v) => Math.round(v))).toEqual(
        [...tensor.data].map((v) => Math.round(v)),
      );
    }
  });

  test('own axes are in declared order', async () => {
    const [[, body] = ['', '']] = programs;
    const { prepared } = prepareText(model(body));
    if (prepared === null) throw new Error('the program has mistakes');
    const seen: Seen[] = [];
    await onKernels(ready(prepared, { sizes: new Map([['Q', 2]]), externs: new Map([['host', noting(seen)]]) }));
    expect(seen[0]?.operands[0]?.[1]).toBe('f32 [2, 3, 4]');
  });
});
