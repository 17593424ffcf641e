/**
 * The typed errors of a compiled model.
 *
 * What it is for: everything a caller can do something about arrives as one of these classes, with a stable `code`
 * (MOE06xx weights, MOE07xx run time; `moec explain CODE` tells more). Stopping by an `AbortSignal` rejects with the
 * signal's own reason, by convention a `DOMException` named AbortError.
 *
 * Invariant: a run that rejects has delivered nothing, neither results nor new states.
 */

/** Codes of weights (06) and of run time (07), with what each stands for. */
export const errorCodes = {
  MOE0600: 'several faults in the weights, listed',
  MOE0601: 'a weights file ends before its header does',
  MOE0602: 'the header of a weights file is larger than is accepted',
  MOE0603: 'the header of a weights file is not UTF-8',
  MOE0604: 'the header of a weights file is not the JSON object it should be',
  MOE0605: 'a name occurs twice in a weights file',
  MOE0606: 'a number of a weights file is not a plain whole number',
  MOE0607: 'an entry of a weights file lacks a field or has one too many',
  MOE0608: 'the element type of a tensor is not known or not readable',
  MOE0609: 'the shape of a tensor is too large or has too many axes',
  MOE0610: 'a tensor lies outside of its file, or ends before it begins',
  MOE0611: 'two tensors of a file overlap',
  MOE0612: 'bytes of a weights file belong to no tensor',
  MOE0614: 'the bytes of a tensor are not what its shape and element type need',
  MOE0615: 'a weights file has more tensors or metadata than is accepted',
  MOE0616: 'a weights file was cut short or changed while it was read',
  MOE0617: 'a weights path is not a regular file',
  MOE0618: 'a weights file lies outside of the folder of the model',
  MOE0619: 'a weights file is of another format',
  MOE0620: 'the index of a sharded checkpoint is malformed',
  MOE0621: 'a file of the checkpoint is missing',
  MOE0622: 'the index of a sharded checkpoint and its files disagree',
  MOE0623: 'weights could not be fetched by ranges',
  MOE0630: 'the checkpoint lacks a tensor',
  MOE0631: 'a tensor of the checkpoint has another shape',
  MOE0632: 'a tensor of the checkpoint has another element type',
  MOE0633: 'a tensor of the checkpoint holds a value that is not finite',
  MOE0634: 'a number of the checkpoint does not fit the type it is declared with',
  MOE0635: 'a parameter has neither a tensor nor an initial value',
  MOE0636: 'an index of the checkpoint lies outside of its axis',
  MOE0700: 'a kernel was refused by the device: a bug of the compiler',
  MOE0701: 'no adapter',
  MOE0702: 'the device lacks features or limits that the model needs',
  MOE0703: 'the device was lost',
  MOE0704: 'the device ran out of memory',
  MOE0705: 'the memory plan does not fit the device or the budget',
  MOE0706: 'an input is missing, or is none of the model',
  MOE0707: 'an input has the wrong type',
  MOE0708: 'an input has the wrong shape',
  MOE0709: 'two inputs give an axis two sizes',
  MOE0710: 'an index of an input lies outside of its axis',
  MOE0711: 'a run met a value that has no meaning, such as a score that is not a number',
  MOE0712: 'the model was disposed',
  MOE0713: 'the device did not answer in time',
  MOE0714: 'a function of the host failed or returned the wrong thing',
  MOE0715: 'the sizes of a run break a condition of the model',
  MOE0716: 'the module and the runtime are of different versions',
  MOE0717: 'the kernels of a class of devices could not be loaded',
  MOE0767: 'an option of a call is not what it should be',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The base of all errors that a compiled model throws on purpose. */
export class MoecError extends Error {
  /** One of `errorCodes`, or a code that the compiler wrote into the manifest. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The GPU device is gone: make a new one and create the model again. */
export class DeviceLostError extends MoecError {
  /** WebGPU's reason: `destroyed` by somebody, or `unknown`. */
  readonly reason: GPUDeviceLostReason;

  constructor(reason: GPUDeviceLostReason, message: string) {
    const what = reason === 'destroyed' ? 'it was destroyed' : 'the driver or the system took it away';
    super('MOE0703', `the device was lost: ${what}${message === '' ? '' : ` (${message})`}`);
    this.reason = reason;
  }
}

/** Memory does not suffice. `needed` and `limit` are bytes; `limit` is null where the driver told none. */
export class OutOfMemoryError extends MoecError {
  readonly needed: number;
  readonly limit: number | null;

  constructor(code: 'MOE0704' | 'MOE0705', message: string, needed: number, limit: number | null) {
    super(code, message);
    this.needed = needed;
    this.limit = limit;
  }
}

/** One fault of a checkpoint: which file and tensor, where they are known, and what is wrong. */
export interface WeightsProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly file?: string;
  readonly tensor?: string;
  /** What to do about it. Several faults may have the same. */
  readonly help?: string;
}

/** The weights are at fault. All faults that were found are in `problems`; with a single one `code` is its code. */
export class WeightsError extends MoecError {
  readonly problems: readonly WeightsProblem[];

  constructor(problems: readonly WeightsProblem[]) {
    const [first] = problems;
    const single = first !== undefined && problems.length === 1;
    const told = single ? describeProblem(first) : describeProblems(problems);
    super(single ? first.code : 'MOE0600', [told, ...helpOf(problems)].join('\n  help: '));
    this.problems = problems;
  }
}

const MAX_LISTED = 50;

function describeProblem(problem: WeightsProblem): string {
  return problem.file === undefined ? problem.message : `${problem.file}: ${problem.message}`;
}

/** What to do about some faults, each way once, as lines of a message. */
export function helpOf(problems: readonly WeightsProblem[]): readonly string[] {
  return [...new Set(problems.flatMap(({ help }) => help ?? []))];
}

function describeProblems(problems: readonly WeightsProblem[]): string {
  const listed = problems.slice(0, MAX_LISTED).map((problem) => `\n  ${problem.code}: ${describeProblem(problem)}`);
  const rest = problems.length - listed.length;
  const tail = rest > 0 ? `\n  and ${rest} more` : '';
  return `${problems.length} faults in the weights${listed.join('')}${tail}`;
}

/** A weights fault that stands alone. */
export function weightsFault(
  code: ErrorCode,
  message: string,
  where: { readonly file?: string; readonly tensor?: string } = {},
): WeightsError {
  return new WeightsError([{ code, message, ...where }]);
}

/** What a caller passed to a run is at fault. */
export class InputError extends MoecError {
  /** Which input, where one is to blame. */
  readonly input: string | null;

  constructor(code: ErrorCode, message: string, input: string | null = null) {
    super(code, message);
    this.input = input;
  }
}

/**
 * What a run met that has no meaning: scores that are NaN, indices out of range, an empty maximum; and a function of the host that
 * failed or returned what its type has not (`cause` is what it threw).
 */
export class RunError extends MoecError {
  /** Where in the program, as `file.moe:line:column`. */
  readonly place: string;
  /** The first point at which it happened: axis name to index. */
  readonly point: ReadonlyMap<string, number>;

  constructor(
    code: string,
    message: string,
    location: string,
    point: ReadonlyMap<string, number>,
    options?: ErrorOptions,
  ) {
    const where = [...point].map(([axis, index]) => `${axis}: ${index}`).join(', ');
    super(code, `${message}${where === '' ? '' : ` at [${where}]`} (${location})`, options);
    this.place = location;
    this.point = point;
  }
}

/** The device does not satisfy the model: every missing feature and limit is listed. */
export class RequirementsError extends MoecError {
  readonly missing: readonly string[];

  constructor(missing: readonly string[]) {
    super('MOE0702', `the device does not suffice:${missing.map((line) => `\n  ${line}`).join('')}`);
    this.missing = missing;
  }
}

/** The device did not answer in time. It is unusable from here on: destroying it may block as long as the work does. */
export class TimeoutError extends MoecError {
  constructor(milliseconds: number) {
    super('MOE0713', `the device did not answer within ${milliseconds} ms`);
  }
}
