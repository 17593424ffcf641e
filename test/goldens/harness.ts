/**
 * One case through one example: config to `--set`, tensors to inputs and weights, a run, and the comparison on all that
 * the case expects. What to do is data (`mapping.ts`); nothing here knows a system.
 */
import { GoldenError, type Scope, type Value, evaluate, keysOf } from './formula.ts';
import { type CaseHead, type GoldenCase, memorySource } from './golden-case.ts';
import type { Executor, RunRequest } from './executor.ts';
import { type NamedTensor, type Verdict, compareNumbers, comparePicks } from './compare-numbers.ts';
import type { ExpectedRule, InputRule, Mapping, WeightRule } from './mapping.ts';
import { type Holes, fill, matches } from './patterns.ts';

export interface Comparison extends Verdict {
  /** The tensor of the case. */
  readonly expected: string;
  /** And the tensor of weights that was compared with it, if the rule names one and the case has it. */
  readonly weights: string | null;
  /** The result of the model. */
  readonly actual: string;
}

export interface CaseReport {
  readonly case: string;
  readonly passed: boolean;
  readonly comparisons: readonly Comparison[];
  /** Why there is no answer to compare, or null. */
  readonly problem: string | null;
  /**
   * What no run answers for: keys and expected tensors that no mapping knows or excuses, keys that should follow from others
   * and do not. A case with one of them fails, since its numbers were compared with a run of something else.
   */
  readonly unanswered: readonly string[];
}

/** Whether an example declares the system of a case. Then one of its runs has to be for the case. */
export function isDeclared(head: CaseHead, mappings: readonly Mapping[]): boolean {
  return mappings.some(({ systems }) => systems.includes(head.system));
}

/** Why no run is for a case, in the words of the example that excuses it; null for any other case. */
export function excuseFor(head: CaseHead, mappings: readonly Mapping[]): string | null {
  for (const { systems, outside } of mappings) {
    if (!systems.includes(head.system)) continue;
    const found = [...outside].find(([when]) => evaluate(when, scopeOf(head, new Map())) === true);
    if (found !== undefined) return found[1];
  }
  return null;
}

/** The runs for a case. None for a system that no example declares; for one that is declared the case fails. */
export function mappingsFor(head: CaseHead, mappings: readonly Mapping[]): readonly Mapping[] {
  return mappings.filter(
    ({ systems, when }) =>
      systems.includes(head.system) && (when === null || evaluate(when, scopeOf(head, new Map())) === true),
  );
}

/** A run for the case as a whole (no holes), or for one of the expected tensors that its `each` names. */
interface Run {
  readonly mapping: Mapping;
  readonly holes: Holes;
}

function runsOf(golden: GoldenCase, mapping: Mapping): readonly Run[] {
  if (mapping.each === null) return [{ mapping, holes: new Map() }];
  return matches(mapping.each, golden.tensors.keys()).map(({ holes }) => ({ mapping, holes }));
}

/** Reads a case, makes its runs and compares. Never throws: what goes wrong is in the report. */
export async function runCase(
  read: () => GoldenCase,
  mappings: readonly Mapping[],
  executor: Executor,
): Promise<CaseReport> {
  let name = mappings[0]?.name ?? '';
  try {
    const golden = read();
    name = golden.name;
    const comparisons: Comparison[] = [];
    for (const { mapping, holes } of mappings.flatMap((mapping) => runsOf(golden, mapping))) {
      const results = await executor.run(requestFor(golden, mapping, holes));
      comparisons.push(...mapping.expected.flatMap((rule) => compare(filled(rule, holes), golden, results)));
    }
    const unanswered = [
      ...unknownKeys(golden, mappings),
      ...mappings.flatMap((mapping) => contradictions(golden, mapping)),
      ...uncompared(golden, mappings, comparisons),
    ];
    const problem =
      mappings.length === 0
        ? 'no run of an example that declares the system is for this config'
        : comparisons.length === 0
          ? 'nothing that the case expects is known to the mapping'
          : null;
    const passed = problem === null && unanswered.length === 0 && comparisons.every((comparison) => comparison.passed);
    return { case: name, passed, comparisons, problem, unanswered };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { case: name, passed: false, comparisons: [], problem, unanswered: [] };
  }
}

/** A rule of a run for one of several tensors: the holes that the run is for are filled, others stay. */
function filled(rule: ExpectedRule, holes: Holes): ExpectedRule {
  const text = (pattern: string | undefined): string | undefined =>
    pattern === undefined ? undefined : fill(pattern, holes);
  return { ...rule, tensor: text(rule.tensor), indices: text(rule.indices), weights: text(rule.weights) };
}

/** What an executor is asked for. Throws GoldenError where case and mapping do not fit. */
export function requestFor(golden: GoldenCase, mapping: Mapping, holes: Holes = new Map()): RunRequest {
  const tensors = withOtherNames(golden.tensors, mapping.weights);
  const scope = withHoles(scopeOf(golden, tensors), holes);
  const sets = new Map<string, string>();
  for (const [name, formula] of mapping.set) {
    const value = evaluate(formula, scope);
    if (value !== null) sets.set(name, String(value));
  }
  const inputs = new Map<string, NamedTensor>();
  for (const [name, rule] of mapping.inputs) {
    const tensor = inputOf(rule, tensors, scope);
    if (tensor !== null) inputs.set(name, tensor);
  }
  const isWeight = (name: string): boolean => !/^(input|expected)(\.|$)/.test(name);
  const weights = new Map([...tensors].filter(([name]) => isWeight(name)));
  return {
    modelFile: mapping.modelFile,
    externFile: mapping.externFile,
    sets,
    entry: mapping.entry,
    inputs,
    weights: memorySource(weights),
    want: { losses: true, outputs: true },
  };
}

function scopeOf(golden: Pick<GoldenCase, 'config'>, tensors: ReadonlyMap<string, NamedTensor>): Scope {
  return {
    key: (path) => golden.config.get(path) ?? null,
    call: (name, args) => {
      const [first] = args;
      if (name === 'floor' && (typeof first === 'number' || first === null))
        return first === null ? null : Math.floor(first);
      const [, second, third] = args;
      if (name === 'if' && args.length === 3) return first === true ? (second ?? null) : (third ?? null);
      if (name === 'list') return JSON.stringify(args);
      // range(a, b): the whole numbers from a up to b, without b, as the text of a list.
      if (name === 'range' && typeof first === 'number' && typeof second === 'number')
        return JSON.stringify(Array.from({ length: Math.max(second - first, 0) }, (_, i) => first + i));
      if (name === 'max' && typeof first === 'number' && typeof second === 'number') return Math.max(first, second);
      // size('weight', 1): a size of a stored tensor, null if the case has none of that name.
      if (name === 'size' && typeof first === 'string' && typeof second === 'number')
        return tensors.get(first)?.shape[second] ?? null;
      throw new GoldenError(`there is no function ${name} of ${args.map(String).join(', ')}`);
    },
  };
}

/** What the holes of `each` hold are numbers by their names. */
function withHoles(scope: Scope, holes: Holes): Scope {
  return {
    call: scope.call,
    key: (path) => {
      const held = holes.get(path);
      return held === undefined ? scope.key(path) : Number(held);
    },
  };
}

function inputOf(rule: InputRule, tensors: ReadonlyMap<string, NamedTensor>, scope: Scope): NamedTensor | null {
  const element = rule.element ?? 'f32';
  const parts = partsOf(rule, tensors, scope);
  if (parts === null) return null;
  const numbers = parts.flatMap((part) => [...part.data]);
  const [first] = parts;
  const own = parts.length === 1 && first !== undefined ? first.shape : [parts.length, ...(first?.shape ?? [])];
  const shape = rule.shape === undefined ? own : rule.shape.map((size) => sizeOf(size, scope));
  if (shape.reduce((product, size) => product * size, 1) !== numbers.length) {
    throw new GoldenError(
      `${rule.tensor ?? rule.value ?? ''} holds ${numbers.length} numbers, not [${shape.join(', ')}]`,
    );
  }
  const data =
    element === 'f32'
      ? Float32Array.from(numbers)
      : element === 'i32'
        ? Int32Array.from(numbers)
        : Uint8Array.from(numbers, (n) => (n === 0 ? 0 : 1));
  return { element, shape, data };
}

/** The tensors an input is made of, or null: the case has none, and the control keeps its default. */
function partsOf(
  rule: InputRule,
  tensors: ReadonlyMap<string, NamedTensor>,
  scope: Scope,
): readonly NamedTensor[] | null {
  if (rule.value !== undefined) {
    const value = evaluate(rule.value, scope);
    if (value === null) return null;
    // A list of the config is known by its text.
    const numbers: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    if (!Array.isArray(numbers)) return [{ element: 'f32', shape: [], data: Float64Array.of(Number(numbers)) }];
    return [{ element: 'f32', shape: [numbers.length], data: Float64Array.from(numbers, Number) }];
  }
  const found = matches(rule.tensor ?? '', tensors.keys()).flatMap(({ name }) => tensors.get(name) ?? []);
  return found.length === 0 ? null : found;
}

function sizeOf(formula: string, scope: Scope): number {
  const size = evaluate(formula, scope);
  if (typeof size !== 'number') throw new GoldenError(`the size ${formula} is ${String(size)}`);
  return size;
}

/** The tensors, and under the model's names those that the case stores under others. */
function withOtherNames(
  tensors: ReadonlyMap<string, NamedTensor>,
  rules: readonly WeightRule[],
): ReadonlyMap<string, NamedTensor> {
  const all = new Map(tensors);
  for (const rule of rules) {
    for (const pattern of rule.also) {
      // Grouped by the name they make: a list of pieces where the pattern has a hole more than the name.
      const groups = new Map<string, NamedTensor[]>();
      for (const { name, holes } of matches(pattern, tensors.keys())) {
        const tensor = tensors.get(name);
        const made = fill(rule.name, holes);
        if (tensor !== undefined) groups.set(made, [...(groups.get(made) ?? []), tensor]);
      }
      for (const [made, pieces] of groups) {
        if (!all.has(made)) all.set(made, join(pieces, rule.along ?? 0));
      }
    }
  }
  return all;
}

/** f32 matrices, one after another along a dimension. */
function join(pieces: readonly NamedTensor[], along: number): NamedTensor {
  const [first] = pieces;
  if (first === undefined) throw new GoldenError('nothing to join');
  if (pieces.length === 1) return first;
  const outer = first.shape.slice(0, along).reduce((product, size) => product * size, 1);
  const data: number[] = [];
  for (let row = 0; row < outer; row++) {
    for (const piece of pieces) {
      const length = piece.data.length / outer;
      data.push(...piece.data.subarray(row * length, (row + 1) * length));
    }
  }
  const length = pieces.reduce((sum, piece) => sum + (piece.shape[along] ?? 0), 0);
  return {
    element: 'f32',
    shape: first.shape.map((size, i) => (i === along ? length : size)),
    data: Float32Array.from(data),
  };
}

function compare(
  rule: ExpectedRule,
  golden: GoldenCase,
  results: ReadonlyMap<string, NamedTensor>,
): readonly Comparison[] {
  const pattern = rule.indices ?? rule.tensor ?? '';
  return matches(pattern, golden.tensors.keys()).map(({ name, holes }): Comparison => {
    const [index] = [...holes.values()].map(Number);
    const at = index === undefined ? '' : `[${index}]`;
    const verdict = rule.indices === undefined ? compareTensor(rule, name, index) : compareRoute(rule, name, index);
    const weights = rule.indices === undefined || rule.weights === undefined ? null : fill(rule.weights, holes);
    const found = weights !== null && golden.tensors.has(weights) ? weights : null;
    return { ...verdict, expected: name, weights: found, actual: rule.is + at };

    function partOf(rule: ExpectedRule, result: string, index: number | undefined): NamedTensor | null {
      const tensor = sliceOf(results.get(result), index);
      return tensor === null || rule.where === undefined ? tensor : onlyWhere(tensor, rule.where, golden);
    }

    function compareTensor(rule: ExpectedRule, name: string, index: number | undefined): Verdict {
      const actual = partOf(rule, rule.is, index);
      const expected = golden.tensors.get(name);
      if (actual === null || expected === undefined) return missing(rule.is, results);
      return compareNumbers(actual, expected, golden.tolerance[rule.within ?? 'output']);
    }

    function compareRoute(rule: ExpectedRule, name: string, index: number | undefined): Verdict {
      const indices = partOf(rule, `${rule.is}.indices`, index);
      const weights = partOf(rule, `${rule.is}.weights`, index);
      const expected = golden.tensors.get(name);
      if (indices === null || weights === null || expected === undefined) return missing(`${rule.is}.indices`, results);
      const expectedWeights =
        rule.weights === undefined ? null : (golden.tensors.get(fill(rule.weights, holes)) ?? null);
      return comparePicks(
        { indices, weights },
        { indices: expected, weights: expectedWeights },
        golden.tolerance[rule.within ?? 'weights'],
      );
    }
  });
}

function missing(name: string, results: ReadonlyMap<string, NamedTensor>): Verdict {
  const problem = `the run gave no ${name}; it gave ${[...results.keys()].join(', ')}`;
  return { passed: false, worst: Infinity, error: Infinity, problem };
}

/** A tensor, or its part at an index of the first axis. */
function sliceOf(tensor: NamedTensor | undefined, index: number | undefined): NamedTensor | null {
  if (tensor === undefined) return null;
  if (index === undefined) return tensor;
  const [outer, ...shape] = tensor.shape;
  if (outer === undefined || index >= outer) return null;
  const length = tensor.data.length / outer;
  return {
    ...tensor,
    shape,
    data: tensor.data.slice(index * length, (index + 1) * length),
  };
}

/** The points of the first axis where a formula holds. A tensor's name is there its number at the point. */
function onlyWhere(tensor: NamedTensor, where: string, golden: GoldenCase): NamedTensor {
  const [outer = 0, ...shape] = tensor.shape;
  const length = tensor.data.length / Math.max(outer, 1);
  const { key, call } = scopeOf(golden, golden.tensors);
  const holds = Array.from({ length: outer }, (_, i) =>
    evaluate(where, { key: (path) => golden.tensors.get(path)?.data[i] ?? key(path), call }),
  );
  const data = tensor.data.filter((_, i) => holds[Math.floor(i / length)] === true);
  return { ...tensor, shape: [holds.filter((h) => h === true).length, ...shape], data };
}

/**
 * Keys of the config that no run's mapping says anything about. The entries of an object are keys of their own; a list is read
 * whole or part by part.
 */
function unknownKeys(golden: GoldenCase, mappings: readonly Mapping[]): readonly string[] {
  const known = new Set(mappings.flatMap(keysKnownTo));
  const isKnown = (key: string): boolean => {
    if (known.has(key)) return true;
    const parent = key.slice(0, Math.max(key.lastIndexOf('.'), 0));
    if (parent === '') return false;
    // Reading a list reads its parts; that there is an object says nothing of its entries, unless it is excused whole.
    return golden.config.has(`${parent}.length`) || mappings.some(({ ignore }) => ignore.has(parent))
      ? isKnown(parent)
      : false;
  };
  const isRead = (key: string): boolean =>
    isKnown(key) || [...golden.config.keys()].some((other) => other.startsWith(`${key}.`) && known.has(other));
  // How long a list is shows in its parts.
  const isLength = (key: string): boolean =>
    key.endsWith('.length') && String(golden.config.get(key.slice(0, -'.length'.length))).startsWith('[');
  return [...golden.config.keys()]
    .filter((key) => !isLength(key) && !isRead(key))
    .map((key) => `config key ${key} is not mapped`);
}

/** Keys, with the whole path of an entry, that a mapping reads or excuses. */
function keysKnownTo(mapping: Mapping): readonly string[] {
  return [
    ...(mapping.when === null ? [] : keysOf(mapping.when)),
    ...[...mapping.set.values(), ...mapping.follows.values()].flatMap(keysOf),
    ...[...mapping.inputs.values()]
      .flatMap((rule) => [...(rule.shape ?? []), ...(rule.value === undefined ? [] : [rule.value])])
      .flatMap(keysOf),
    ...mapping.expected.flatMap(({ where }) => (where === undefined ? [] : keysOf(where))),
    ...mapping.follows.keys(),
    ...mapping.ignore.keys(),
  ];
}

/** Keys that should follow from others and do not. */
function contradictions(golden: GoldenCase, mapping: Mapping): readonly string[] {
  const scope = scopeOf(golden, golden.tensors);
  return [...mapping.follows].flatMap(([key, formula]) => {
    const given = golden.config.get(key) ?? null;
    const follows: Value = evaluate(formula, scope);
    return given === null || given === follows
      ? []
      : [`config says ${key} = ${String(given)}, ${formula} gives ${String(follows)}`];
  });
}

/** Expected tensors that no comparison was made of, and that no mapping excuses. */
function uncompared(
  golden: GoldenCase,
  mappings: readonly Mapping[],
  comparisons: readonly Comparison[],
): readonly string[] {
  const compared = new Set(comparisons.flatMap(({ expected, weights }) => [expected, weights]));
  return [...golden.tensors.keys()]
    .filter((name) => /^expected(\.|$)/.test(name) && !compared.has(name))
    .filter((name) => !mappings.some(({ ignore }) => ignore.has(name)))
    .map((name) => `${name} is not compared`);
}
