/** What a function of the host gives back is checked as an input is: what is wrong is told with the shape that is wanted, and the point. */
import { describe, expect, it } from 'vitest';
import { askHost, type ExternFunction, type ExternResult, type HostCall } from '../../runtime/contract/ask-host.ts';

const result = (element: ExternResult['element'], within: string | null = null): ExternResult => ({
  element,
  axes: ['T', 'D'],
  shape: [2, 3],
  within,
});
const call = (results: readonly ExternResult[], signal?: AbortSignal): HostCall => ({
  name: 'look_up',
  operands: new Map(),
  results,
  instance: new Map(),
  carried: [],
  points: 1,
  sizes: new Map([['E', 4]]),
  signal,
});
const one = result('f32');
const ids = result('i32', 'E');
/** JavaScript holds nobody to the type of what is given back. */
const isFunction = (run: unknown): run is ExternFunction => typeof run === 'function';
const answer = (results: readonly ExternResult[], value: unknown) => {
  const run: unknown = () => value;
  if (!isFunction(run)) throw new Error('no function');
  return askHost(call(results), run, 'm.moe:1:1');
};

describe('a function of the host', () => {
  it.each<[string, readonly ExternResult[], unknown, string]>([
    ['nothing', [one], undefined, 'returned nothing, 6 numbers of the shape [2, 3] (f32[T, D]) are wanted'],
    ['null', [one], null, 'returned null, 6 numbers'],
    ['text', [one], 'abc', 'returned a string, 6 numbers'],
    ['big integers', [one], new BigInt64Array(6), 'returned a BigInt64Array, 6 numbers'],
    ['one number too few', [one], [1, 2, 3, 4, 5], 'returned 5 numbers, 6 numbers'],
    ['one tensor of two', [one, one], [[1, 2, 3, 4, 5, 6]], 'returned 1 tensor, 2 are wanted'],
    [
      'a list of text as the second',
      [one, one],
      [[1, 2, 3, 4, 5, 6], ['a']],
      'returned a list that holds other things than numbers as result 2 of 2',
    ],
    ['a fraction', [ids], [0, 1, 2, 0.5, 0, 0], 'returned 0.5, i32[T, D] in E is wanted'],
    [
      'no point of the axis',
      [ids],
      [0, 1, 2, 3, 4, 0],
      'returned 4, i32[T, D] in E is wanted: an index of E lies in -1 .. 3',
    ],
    ['no i32', [result('i32')], [2 ** 31, 0, 0, 0, 0, 0], 'returned 2147483648, i32[T, D] is wanted'],
  ])('that returns %s', async (_, results, value, says) => {
    await expect(answer(results, value)).rejects.toMatchObject({
      code: 'MOE0714',
      message: expect.stringContaining(says),
    });
  });

  it('is told at which point it was wrong', async () => {
    await expect(answer([ids], [0, 1, 2, 3, 4, 0])).rejects.toMatchObject({
      point: new Map([
        ['T', 1],
        ['D', 1],
      ]),
    });
  });

  it('that throws is told in its words, whatever it throws', async () => {
    const mute = {
      get message() {
        throw new Error('again');
      },
    };
    for (const [thrown, says] of [
      [new Error('no such table'), 'failed: no such table'],
      [new TypeError(), 'failed: TypeError'],
      ['gone', 'failed: gone'],
      [{ message: 'as an object' }, 'failed: as an object'],
      [mute, 'failed: it threw what has no text'],
    ] as const) {
      const failing: ExternFunction = () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- a host may throw anything
        throw thrown;
      };
      const told = { code: 'MOE0714', message: expect.stringContaining(says) };
      await expect(askHost(call([one]), failing, 'm.moe:1:1')).rejects.toMatchObject(told);
    }
  });

  it('that was given up rejects with what it threw, not with a fault of its own', async () => {
    const reason = new Error('enough');
    const failing: ExternFunction = () => Promise.reject(reason);
    await expect(askHost(call([one], AbortSignal.abort()), failing, 'm.moe:1:1')).rejects.toBe(reason);
  });

  it('of one result may give a tensor or a list of one', async () => {
    for (const value of [[1, 2, 3, 4, 5, 6], [[1, 2, 3, 4, 5, 6]], Float64Array.of(1, 2, 3, 4, 5, 6)])
      expect((await answer([one], value)).map(({ words }) => [...words])).toEqual([[1, 2, 3, 4, 5, 6]]);
  });
});
