/** Options of calls, as JavaScript may pass them: what is wrong is refused by name, with what is wanted, before anything is done. */
import { describe, expect, it } from 'vitest';
import {
  abortReason,
  checkBytes,
  checkChoice,
  checkDeviceOption,
  checkFlags,
  checkFunction,
  checkNamed,
  checkOptions,
  checkSeed,
  checkSignal,
  checkSizes,
  checkSource,
  readTimeout,
  untilAborted,
} from '../../runtime/running/call-options.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';

describe('an option that is wrong', () => {
  it.each<[string, () => unknown, string]>([
    ['a list', () => checkNamed([], 'inputs'), 'inputs is a list, an object or a Map of things by name is wanted'],
    ['an array', () => checkNamed(new Float32Array(1), 'inputs'), 'inputs is a value of type object'],
    ['a text', () => checkOptions('abc', 'options'), 'options is "abc", an object is wanted'],
    [
      'a long text',
      () => checkOptions('a'.repeat(99), 'options'),
      `options is "${'a'.repeat(40)}", an object is wanted`,
    ],
    ['null', () => checkOptions(null, 'options'), 'options is null'],
    ['a size below 0', () => checkSizes({ T: -1 }), 'the size of T is -1, a whole number from 0 is wanted'],
    ['a size in a Map', () => checkSizes(new Map([['T', 0.5]])), 'the size of T is 0.5'],
    ['bytes that are none', () => checkBytes(NaN, 'memoryBudget'), 'memoryBudget is NaN, a number of bytes is wanted'],
    ['bytes as text', () => checkBytes('1 GB', 'memoryBudget'), 'memoryBudget is "1 GB"'],
    [
      'a seed of more than 32 bits',
      () => checkSeed(2 ** 32),
      'seed is 4294967296, a whole number from 0 to 4294967295',
    ],
    ['a seed that is no integer', () => checkSeed(0.5), 'seed is 0.5'],
    ['a time of 0', () => readTimeout(0), 'timeout is 0, a number of milliseconds above 0 is wanted'],
    ['a time that is none', () => readTimeout(NaN), 'timeout is NaN'],
    ['a flag that is a number', () => checkFlags({ losses: 1 }, ['losses']), 'losses is 1, true or false is wanted'],
    [
      'a choice that is none',
      () => checkChoice('none', 'missing', ['error', 'initialise']),
      'missing is "none", error or initialise',
    ],
    [
      'what is no function',
      () => checkFunction({}, 'onProgress'),
      'onProgress is a value of type object, a function is wanted',
    ],
    [
      'a signal that is none',
      () => checkSignal({ aborted: false }),
      'signal is a value of type object, an AbortSignal is wanted',
    ],
    [
      'a promise of a device',
      () => checkDeviceOption(Promise.resolve()),
      'device is a value of type object, a GPUDevice',
    ],
    [
      'tensors for their source',
      () => checkSource({ tensors: {} }),
      'weights is a value of type object, a source of weights',
    ],
    [
      'a path for a source',
      () => checkSource('model.safetensors'),
      'weights is "model.safetensors", a source of weights',
    ],
  ])('%s is named', (_, call, says) => {
    expect(call).toThrow(expect.objectContaining({ code: 'MOE0767', message: expect.stringContaining(says) }));
  });
});

describe('an option that is right', () => {
  it('passes', () => {
    checkNamed(new Map(), 'inputs');
    checkSizes({ T: 0 });
    checkBytes(Infinity, 'memoryBudget');
    checkSeed(2 ** 32 - 1);
    checkFlags({ losses: true }, ['losses', 'outputs']);
    checkChoice(undefined, 'missing', ['error']);
    checkSignal(new AbortController().signal);
    checkDeviceOption({ queue: {}, limits: {}, lost: {} });
    checkSource(fromTensors([]));
    checkSource(null);
  });

  it('of a time longer than timers keep waits for as long as it takes', () => {
    expect(readTimeout(2 ** 31 - 1)).toBe(2 ** 31 - 1);
    expect(readTimeout(2 ** 31)).toBeNull();
    expect(readTimeout(Infinity)).toBeNull();
    expect(readTimeout(undefined)).toBeNull();
  });
});

describe('work under a signal', () => {
  const never = new Promise<never>(() => undefined);

  it('ends with the reason of the signal, or an AbortError', async () => {
    const given = new AbortController();
    const reason = new Error('enough');
    const stopped = untilAborted(never, given.signal);
    given.abort(reason);
    await expect(stopped).rejects.toBe(reason);
    const bare = new AbortController();
    const other = untilAborted(never, bare.signal);
    bare.abort();
    await expect(other).rejects.toMatchObject({ name: 'AbortError' });
    // Signals of other realms may carry no reason.
    expect(abortReason({ ...new AbortController().signal, reason: undefined })).toMatchObject({ name: 'AbortError' });
  });

  it('is not given up where it may not stop, and has its own outcome', async () => {
    const { signal, abort } = (() => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: () => controller.abort() };
    })();
    let finish = (_: string): void => undefined;
    const work = untilAborted(new Promise<string>((resolve) => (finish = resolve)), signal, () => false);
    abort();
    finish('done');
    await expect(work).resolves.toBe('done');
    await expect(untilAborted(Promise.reject(new Error('no')), new AbortController().signal)).rejects.toThrow('no');
  });
});
