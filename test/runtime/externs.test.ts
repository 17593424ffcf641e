/** Functions of the host: which rows they are given, where their results go, and what happens when they fail. */
import { describe, expect, it } from 'vitest';
import type { HostCall, ExternFunction } from '../../runtime/contract/ask-host.ts';
import { callExtern } from '../../runtime/contract/externs.ts';
import type { AxisSpec, ExternSpec } from '../../runtime/contract/manifest.ts';
import { readRoute } from '../../runtime/contract/routes.ts';

const axis = (name: string, size: AxisSpec['size']): AxisSpec => ({ name, size });
const T = axis('T', 'T');
const M = axis('M', 2);
const D = axis('D', 2);
const sizes = new Map([['T', 3]]);
const floats = (...values: readonly number[]): Uint32Array<ArrayBuffer> =>
  new Uint32Array(Float32Array.from(values).buffer);
const asFloats = (words: Uint32Array<ArrayBuffer> | undefined): readonly number[] => [
  ...new Float32Array(words?.buffer ?? new ArrayBuffer(0)),
];

const expert: ExternSpec = {
  kind: 'extern',
  name: 'expert',
  place: 'hosted.moe:9:3',
  operands: [
    { name: 'x', buffer: 0, element: 'f32', axes: [T, D], within: null },
    { name: 'bias', buffer: 1, element: 'f32', axes: [M, D], within: null },
  ],
  results: [{ buffer: 2, element: 'f32', axes: [M, T, D], within: null }],
  sizes: [D, M],
  carried: ['T'],
  family: [M],
  points: [T],
  mask: { buffer: 3, axes: [M, T] },
};

describe('an expert of the host', () => {
  const words = {
    operands: [floats(1, 2, 3, 4, 5, 6), floats(10, 20, 30, 40)],
    mask: Uint32Array.of(1, 0, 1, 0, 0, 0),
  };

  it('is called once for each member that has work, with its rows', async () => {
    const calls: HostCall[] = [];
    const run: ExternFunction = async (call) => {
      calls.push(call);
      return [...(call.operands.get('x')?.data ?? [])].map(
        (value) => value + Number(call.operands.get('bias')?.data[0]),
      );
    };
    const [result] = await callExtern(expert, sizes, words, run, undefined);
    expect(calls).toHaveLength(1);
    expect([...(calls[0]?.instance ?? [])]).toEqual([['M', 0]]);
    expect(calls[0]?.points).toBe(2);
    expect(calls[0]?.operands.get('x')).toMatchObject({ axes: ['points', 'D'], shape: [2, 2] });
    expect([...(calls[0]?.operands.get('bias')?.data ?? [])]).toEqual([10, 20]);
    expect(asFloats(result)).toEqual([11, 12, 0, 0, 15, 16, 0, 0, 0, 0, 0, 0]);
  });

  it('without a mask works at every point', async () => {
    const seen: (number | null)[] = [];
    const run: ExternFunction = ({ points, operands, results }) => {
      seen.push(points);
      expect(operands.get('x')?.shape).toEqual([3, 2]);
      expect(operands.get('bias')?.shape).toEqual([2]);
      expect(results).toEqual([{ element: 'f32', axes: ['points', 'D'], shape: [3, 2], within: null }]);
      return operands.get('x')?.data ?? [];
    };
    const [result] = await callExtern({ ...expert, mask: null }, sizes, { ...words, mask: null }, run, undefined);
    expect(seen).toEqual([3, 3]);
    expect(asFloats(result)).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
  });

  it.each<[string, ExternFunction]>([
    ['throws', () => Promise.reject(new Error('no'))],
    ['returns too little', () => [1]],
    ['returns text', () => JSON.parse('"x"')],
    ['returns two tensors', () => [[1, 2, 3, 4], [1]]],
  ])('that %s ends the run', async (_, run) => {
    await expect(callExtern(expert, sizes, words, run, undefined)).rejects.toMatchObject({ code: 'MOE0714' });
  });

  it('is not called when the caller gave up', async () => {
    const run: ExternFunction = () => expect.unreachable();
    await expect(callExtern(expert, sizes, words, run, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('a function of the host', () => {
  it('gets whole tensors, for each member of its family', async () => {
    const whole: ExternSpec = {
      ...expert,
      points: null,
      mask: null,
      results: [{ buffer: 2, element: 'i32', axes: [M], within: null }],
      sizes: [T, D, M],
      carried: [],
    };
    const seen: (readonly number[])[] = [];
    const run: ExternFunction = ({ operands, instance, points }) => {
      expect(points).toBeNull();
      seen.push([...(operands.get('bias')?.data ?? [])]);
      expect(operands.get('x')?.shape).toEqual([3, 2]);
      return [7 + (instance.get('M') ?? 0)];
    };
    const words = { operands: [floats(1, 2, 3, 4, 5, 6), floats(10, 20, 30, 40)], mask: null };
    const [result] = await callExtern(whole, sizes, words, run, undefined);
    expect(seen).toEqual([
      [10, 20],
      [30, 40],
    ]);
    expect([...(result ?? [])]).toEqual([7, 8]);
  });
});

describe('a route', () => {
  const spec = {
    kind: 'route',
    element: 'f32',
    name: 'r',
    group: 'result',
    present: 0,
    weight: 1,
    rank: 2,
    sources: [T],
    targets: [axis('E', 3)],
    payload: [],
    most: 2,
  } as const;

  it('lists what is present by rank, and then by place', () => {
    const route = readRoute(spec, new Map([['T', 2]]), {
      present: Uint32Array.of(1, 0, 1, 0, 0, 1),
      rank: new Uint32Array(Int32Array.of(1, -1, 0, 9, 9, 0).buffer),
      weight: floats(0.25, 9, 0.75, 9, 9, 1),
    });
    expect([...route.indices.data]).toEqual([2, 0, 2, -1]);
    expect([...route.weights.data]).toEqual([0.75, 0.25, 1, 0]);
    expect(route.indices.shape).toEqual([2, 2]);
  });

  it('with more than it can have is a bug that is noticed', () => {
    const words = { present: Uint32Array.of(1, 1, 1), rank: new Uint32Array(3), weight: new Uint32Array(3) };
    expect(() => readRoute(spec, new Map([['T', 1]]), words)).toThrow(/MOE0700/);
  });
});
