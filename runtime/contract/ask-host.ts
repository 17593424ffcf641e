/**
 * One call of a function of the host: what it is told, and what its answer has to be. The same for every executor.
 *
 * Invariant: whatever the function does (throws, gives numbers that its type has not), the run ends in one RunError MOE0714 with
 * its name, what it did, and the place of the call; only a run that was given up ends in the signal's own reason.
 */
import { missing } from './bug.ts';
import { RunError } from './errors.ts';
import type { ManifestElement } from './manifest.ts';
import { elementCount } from './sizes.ts';
import { type Tensor, type TensorData, isTensorData, toWords } from './tensors.ts';

/** An operand: its numbers, and the axis that its integers are points of (null: they are numbers). */
export interface ExternOperand extends Tensor {
  readonly within: string | null;
}

/** What has to be returned: element type, axes, shape, and the axis that integers must be points of, or -1 (null: they are numbers). */
export interface ExternResult {
  readonly element: ManifestElement;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly within: string | null;
}

/** One call of a function of the host. */
export interface HostCall {
  readonly name: string;
  /** Which member of the family: axis name to index. */
  readonly instance: ReadonlyMap<string, number>;
  /** The size of every axis that the function's type mentions: of operands, of results, behind `in`, of its family. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The axes that the call carries, in front of the declared ones; of an expert those whose points the rows are. */
  readonly carried: readonly string[];
  /** Number of points the call is for; null where operands come whole. */
  readonly points: number | null;
  readonly operands: ReadonlyMap<string, ExternOperand>;
  /** What has to be returned, in order. */
  readonly results: readonly ExternResult[];
  readonly signal: AbortSignal | undefined;
}

/** Returns the numbers of its result, row-major; of several results a list. A list of one tensor and the tensor are the same. */
export type ExternFunction = (
  call: HostCall,
) => TensorData | readonly TensorData[] | Promise<TensorData | readonly TensorData[]>;

/** A result as the function gave it, and as 32-bit words. */
export interface Answer {
  readonly data: TensorData;
  readonly words: ReturnType<typeof toWords>;
}

/** Calls the function and checks what it gives. `location` is that of the call: `mixtral.moe:14:5`. Throws RunError MOE0714. */
export async function askHost(call: HostCall, run: ExternFunction, location: string): Promise<readonly Answer[]> {
  const failed = (told: string, point: ReadonlyMap<string, number> = new Map(), options?: ErrorOptions): RunError =>
    new RunError('MOE0714', `the function ${call.name} of the host ${told}`, location, point, options);
  let value: unknown;
  try {
    value = await run(call);
  } catch (error) {
    if (call.signal?.aborted === true) throw error;
    throw failed(`failed: ${messageOf(error)}`, undefined, { cause: error });
  }
  const list = listOf(value, call.results.length);
  if (list.length !== call.results.length) {
    throw failed(`returned ${counted(list.length, 'tensor')}, ${call.results.length} are wanted`);
  }
  return call.results.map((result, i) => {
    const which = call.results.length === 1 ? '' : ` as result ${i + 1} of ${call.results.length}`;
    const data = list[i];
    const wanted = elementCount(result.shape);
    const shown = `${result.element}[${result.axes.join(', ')}]${result.within === null ? '' : ` in ${result.within}`}`;
    if (!isTensorData(data) || data.length !== wanted) {
      const got = isTensorData(data) ? counted(data.length, 'number') : kindOf(data);
      const shape = `[${result.shape.join(', ')}]`;
      throw failed(`returned ${got}${which}, ${counted(wanted, 'number')} of the shape ${shape} (${shown}) are wanted`);
    }
    if (result.element === 'i32') {
      const limit = result.within === null ? null : (call.sizes.get(result.within) ?? null);
      const bad = firstFault(data, limit);
      if (bad >= 0) {
        const range =
          limit === null || !isInteger(data[bad]) ? '' : `: an index of ${result.within} lies in -1 .. ${limit - 1}`;
        throw failed(`returned ${String(data[bad])}${which}, ${shown} is wanted${range}`, pointOf(result, bad));
      }
    }
    return { data, words: toWords({ name: call.name, element: result.element, axes: [], within: null }, data, null) };
  });
}

/** A tensor is a list of one tensor. */
function listOf(value: unknown, results: number): readonly unknown[] {
  if (results === 1 && isTensorData(value)) return [value];
  return Array.isArray(value) ? value : [value];
}

const isInteger = (value: unknown): boolean => Number(value) === (Number(value) | 0);

/** The first number that is no i32, or no point of an axis of `limit` points nor -1; -1 if there is none. */
function firstFault(data: TensorData, limit: number | null): number {
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!isInteger(value) || (limit !== null && (value < -1 || value >= limit))) return i;
  }
  return -1;
}

function pointOf({ axes, shape }: ExternResult, linear: number): ReadonlyMap<string, number> {
  const point: [string, number][] = [];
  let rest = linear;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? missing('extent');
    point.unshift([axes[i] ?? missing('axis'), rest % size]);
    rest = Math.floor(rest / size);
  }
  return new Map(point);
}

/** What somebody threw, in words; anything can be thrown. */
function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return error.message === '' ? error.name : error.message;
    const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error;
    return String(message ?? error);
  } catch {
    return 'it threw what has no text';
  }
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list that holds other things than numbers';
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
