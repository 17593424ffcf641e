/** The host sees the same call, whoever runs the program: the same axes in the same order, the same sizes, the same numbers. */
import { describe, expect, test } from 'vitest';
import type { HostCall, ExternFunction } from '../../runtime/contract/ask-host.ts';
import { onKernels, onReference, preparedOf, prepareText, ready } from './support.ts';

interface Seen {
  readonly instance: readonly (readonly [string, number])[];
  readonly points: number | null;
  readonly operands: readonly (readonly [string, string, readonly (string | { readonly name: string })[]])[];
  readonly results: HostCall['results'];
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
  return ({ instance, points, operands, results }: HostCall): Float64Array => {
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
    const prepared = preparedOf(model(body));
    const seen: Seen[] = [];
    await onKernels(ready(prepared, { sizes: new Map([['Q', 2]]), externs: new Map([['host', noting(seen)]]) }));
    expect(seen[0]?.operands[0]?.[1]).toBe('f32 [2, 3, 4]');
  });
});

/** Runs a model whose only function of the host is `host`, on three numbers x. */
function hosted(body: string, host: ExternFunction, on: typeof onReference) {
  const { prepared, diagnostics } = prepareText(`model Hosted {\n  axis T, G = 5, H = 7, M = 2\n  ${body}\n}\n`);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  const x = { element: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) } as const;
  return on(ready(prepared, { inputs: new Map([['x', x]]), externs: new Map([['host', host]]) }));
}

const choosing = `extern fn host(x: [T]) -> i32[T] in G
  forward(x: [T]) -> [T] { f32(host(x)) }`;
const testing = `extern fn host(x: [T]) -> (bool[T], [T])
  forward(x: [T]) -> [T] {
    let (on, y) = host(x)
    where(on, y, 0)
  }`;
const expert = `extern expert host[M](x: f32) -> i32 in G
  forward(x: [T]) -> [M, T] { f32(host(x)) }`;

describe.each([
  ['reference', onReference],
  ['kernels', onKernels],
] as const)('on %s', (_, on) => {
  const output = async (body: string, host: ExternFunction): Promise<readonly number[]> => [
    ...((await hosted(body, host, on)).get('output')?.data ?? []),
  ];

  test('a call tells the size of every axis of the type, and of what integers are points', async () => {
    const seen: HostCall[] = [];
    await hosted(
      `extern fn host[M](ids: i32[T] in H) -> i32[T] in G
  forward(x: [T]) -> [M, T] { f32(host(argmax(x * ones[T, H], over: H))) }`,
      (call) => {
        seen.push(call);
        return new Int32Array(3);
      },
      on,
    );
    expect(seen).toHaveLength(2);
    expect(Object.fromEntries(seen[0]?.sizes ?? [])).toEqual({ T: 3, H: 7, G: 5, M: 2 });
    expect(seen[0]?.operands.get('ids')).toMatchObject({ axes: ['T'], shape: [3], within: 'H' });
    expect(seen[0]?.results).toEqual([{ element: 'i32', axes: ['T'], shape: [3], within: 'G' }]);
  });

  test('a list of one tensor is that tensor, now or later', async () => {
    expect(await output(choosing, () => [Int32Array.of(4, -1, 0)])).toEqual([4, -1, 0]);
    expect(await output(choosing, async () => [[4, -1, 0]])).toEqual([4, -1, 0]);
    expect(await output(choosing, () => [4, -1, 0])).toEqual([4, -1, 0]);
  });

  test('conditions are true or not', async () => {
    expect(await output(testing, () => [[true, false, true], [1, 2, 3]])).toEqual([1, 0, 3]); // prettier-ignore
    expect(await output(testing, async () => [Uint8Array.of(0, 2, 1), Float32Array.of(1, 2, 3)])).toEqual([0, 2, 3]);
  });

  const throwing =
    (value: unknown): ExternFunction =>
    () => {
      throw value;
    };
  const wild =
    (text: string): ExternFunction =>
    () =>
      JSON.parse(text);
  test.each<[string, string, ExternFunction, RegExp]>([
    ['throws', choosing, throwing(new Error('the table is empty')), /host of the host failed: the table is empty/],
    ['throws a text', choosing, throwing('no luck'), /failed: no luck/],
    ['throws nothing', choosing, throwing(undefined), /failed: undefined/],
    ['throws what has no text', choosing, throwing(Object.create(null)), /failed/],
    ['rejects', choosing, () => Promise.reject(new Error('gone')), /failed: gone/],
    ['returns too few', choosing, () => [1, 2], /returned 2 numbers, 3 numbers of the shape \[3\] \(i32\[T\] in G\)/],
    ['returns too many', choosing, () => new Int32Array(4), /returned 4 numbers/],
    ['returns too many in a list', choosing, () => [new Int32Array(4)], /returned 4 numbers/],
    ['returns two tensors', choosing, () => [new Int32Array(3), new Int32Array(3)], /returned 2 tensors, 1 are wanted/],
    ['returns null', choosing, wild('null'), /returned null/],
    ['returns text', choosing, wild('"abc"'), /returned a string/],
    ['returns texts', choosing, wild('["a", "b", "c"]'), /returned/],
    ['returns an object', choosing, wild('{}'), /returned an object/],
    ['returns an index outside', choosing, () => [0, 5, 1], /returned 5, .* of G lies in -1 .. 4 at \[T: 1\]/],
    ['returns an index below', choosing, () => [0, 1, -2], /returned -2, .* at \[T: 2\]/],
    ['returns a fraction', choosing, () => [0.5, 0, 0], /returned 0.5, i32\[T\] in G is wanted at \[T: 0\]/],
    ['returns NaN', choosing, () => [0, NaN, 0], /returned NaN/],
    ['returns infinity', choosing, () => [0, 0, Infinity], /returned Infinity/],
    ['returns what is no i32', choosing.replace(' in G', ''), () => [0, 3e9, 0], /returned 3000000000/],
    ['returns one of two', testing, () => [[1, 2, 3]], /returned 1 tensor, 2 are wanted/],
    ['returns a short second', testing, () => [[1, 1, 1], [1]], /returned 1 number as result 2 of 2/],
    ['is an expert that throws', expert, throwing(new Error('no member')), /failed: no member/],
    ['is an expert that returns an index outside', expert, () => [0, 0, 9], /returned 9, .* at \[points: 2\]/],
  ])('a function that %s ends the run with its name and the place of the call', async (_what, body, host, told) => {
    const failed = hosted(body, host, on);
    await expect(failed).rejects.toThrow(told);
    await expect(failed).rejects.toMatchObject({
      code: 'MOE0714',
      place: expect.stringMatching(/^example\.moe:\d+:\d+$/),
    });
  });
});

test('formals of an extern are labels: they may have any name, each once', () => {
  const told = (formals: string): readonly string[] =>
    prepareText(`model Labels {
  axis T, G = 5
  const places = 2
  extern fn host(${formals}) -> [T]
  forward(x: [T]) -> [T] { host(x, x, x, x) }
}
`).diagnostics.map((d) => d.code);
  expect(told('places: [T], softmax: [T], host: [T], T: [T]')).toEqual([]);
  expect(told('a: [T], b: [T], c: [T], a: [T]')).toEqual(['MOE0202']);
});
