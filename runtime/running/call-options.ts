/**
 * What callers pass beside numbers, checked where it enters: types say what is right, but JavaScript does not hold anybody to them,
 * and a wrong option must not reach the device or anybody else's run.
 */
import { InputError } from '../contract/errors.ts';
import type { Named } from '../contract/named.ts';
import type { WatchStep } from './run.ts';
import type { InputValue } from '../contract/tensors.ts';

export interface RunOptions {
  /** Run-time controls by path; those not given have their default. */
  readonly controls?: Named<InputValue>;
  /** Sizes of dynamic axes that do not follow from the inputs. */
  readonly sizes?: Named<number>;
  /** Seed of all draws, a whole number of 32 bits; 0 unless given. */
  readonly seed?: number;
  readonly losses?: boolean;
  readonly outputs?: boolean;
  /** Store the new states when the run has ended well. Where nothing is said and a state that is read would have moved, that is told once. */
  readonly update?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds that the device may take to answer; none unless given. */
  readonly timeout?: number;
  /** Refuse inputs with values that are not finite. */
  readonly checkFinite?: boolean;
  /** Looks at the run launch by launch, which is slow: for `moec verify`. */
  readonly watch?: WatchStep;
}

/** The largest delay that timers of JavaScript keep; a longer wait is as good as none. */
const MAX_DELAY = 2 ** 31 - 1;

function wrong(what: string, value: unknown, wanted: string): InputError {
  return new InputError('MOE0767', `${what} is ${describe(value)}, ${wanted} is wanted`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

/** Things by name: a Map or a plain object. */
export function checkNamed(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw wrong(what, value, 'an object or a Map of things by name');
}

export function checkOptions(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(what, value, 'an object');
}

/** Sizes of axes: whole numbers from 0. Which axes there are is not checked here. */
export function checkSizes(sizes: Named<number>): void {
  checkNamed(sizes, 'sizes');
  for (const [axis, size] of sizes instanceof Map ? sizes : Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw wrong(`the size of ${String(axis)}`, size, 'a whole number from 0');
  }
}

/** A bound in bytes. */
export function checkBytes(bytes: unknown, what: string): void {
  if (typeof bytes !== 'number' || !(bytes >= 0)) throw wrong(what, bytes, 'a number of bytes');
}

/** A seed of draws: a whole number of 32 bits. */
export function checkSeed(seed: unknown): void {
  if (typeof seed !== 'number' || !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw wrong('seed', seed, 'a whole number from 0 to 4294967295');
}

/** Milliseconds to wait for the device, or null for as long as it takes. */
export function readTimeout(timeout: unknown): number | null {
  if (timeout === undefined || timeout === null) return null;
  if (typeof timeout !== 'number' || !(timeout > 0))
    throw wrong('timeout', timeout, 'a number of milliseconds above 0');
  return timeout > MAX_DELAY ? null : timeout;
}

export function checkFlags(options: object, names: readonly string[]): void {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined && typeof value !== 'boolean') throw wrong(name, value, 'true or false');
  }
}

export function checkChoice(value: unknown, what: string, choices: readonly string[]): void {
  if (value !== undefined && !choices.some((choice) => choice === value))
    throw wrong(what, value, choices.join(' or '));
}

export function checkFunction(value: unknown, what: string): void {
  if (value !== undefined && typeof value !== 'function') throw wrong(what, value, 'a function');
}

/** An AbortSignal, whatever realm it is from. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const good =
    typeof signal === 'object' &&
    signal !== null &&
    'aborted' in signal &&
    typeof Reflect.get(signal, 'addEventListener') === 'function';
  if (!good) throw wrong('signal', signal, 'an AbortSignal');
}

/** A device that commands can be given to; told by its behaviour, since the class is not global in every host. */
export function checkDeviceOption(device: unknown): void {
  const good =
    typeof device === 'object' && device !== null && 'queue' in device && 'limits' in device && 'lost' in device;
  if (!good) throw wrong('device', device, 'a GPUDevice (requestDevice gives one)');
}

/** A reader of weights, as `fromFile`, `fromFetch` and their like give one. */
export function checkSource(weights: unknown): void {
  if (weights === undefined || weights === null) return;
  const good =
    typeof weights === 'object' &&
    Reflect.get(weights, 'tensors') instanceof Map &&
    typeof Reflect.get(weights, 'read') === 'function';
  if (!good) throw wrong('weights', weights, 'a source of weights (fromFile, fromFetch, fromBytes)');
}

/** The outcome of work, or the signal's reason as soon as it is aborted and `mayStop` allows; the work itself goes on. */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  mayStop: () => boolean = () => true,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      if (mayStop()) reject(abortReason(signal));
    };
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException('the work was aborted', 'AbortError');
}
