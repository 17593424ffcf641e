/**
 * golden.json: how the cases of a system become runs of an example. The file stands beside the model; examples/README.md
 * describes it for those who write one, the types here say the same to the compiler.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GoldenError } from './formula.ts';

/** A tensor of the case for a parameter or control of the model. */
export interface InputRule {
  /** Its name in the case, or a pattern: all that fit are stacked, in the order of their numbers. */
  readonly tensor?: string;
  /** Or a number or a list of the config, by formula. */
  readonly value?: string;
  /** A formula for each size. Without it the tensor's own. */
  readonly shape?: readonly string[];
  readonly element?: 'f32' | 'i32' | 'bool';
}

/** Other names, in order of preference, under which a case may store a weight of the model. */
export interface WeightRule {
  readonly name: string;
  /** Patterns. A hole that `name` does not have makes a list, which is joined along a dimension. */
  readonly also: readonly string[];
  readonly along?: number;
}

/** What a result of the model is compared with. A hole of the name is the index of the result's first axis. */
export interface ExpectedRule {
  /** Result, output or loss, by the name it is written under. */
  readonly is: string;
  /** A tensor, number by number … */
  readonly tensor?: string;
  /** … or picks, as sets. */
  readonly indices?: string;
  readonly weights?: string;
  /** The class of its tolerance: `output` unless said; picks use `weights`. */
  readonly within?: 'output' | 'weights';
  /** Which points of the result's first axis the case has, by a formula of the config and of tensors along that axis. All unless said. */
  readonly where?: string;
}

/** One run of an example for the cases of a system; golden.json may ask for several. */
export interface Mapping {
  /** Folder of the example. */
  readonly folder: string;
  readonly name: string;
  readonly systems: readonly string[];
  /** The cases the run is for, by a formula of their config; null for all. */
  readonly when: string | null;
  /**
   * A pattern of expected tensors: the run is made for each that the case has, and what its holes hold are numbers that the
   * formulas of the run may read by the holes' names. Null for one run.
   */
  readonly each: string | null;
  readonly modelFile: string;
  /** JavaScript file with the model's externs, or null. */
  readonly externFile: string | null;
  readonly entry: string;
  /** Axis or constant of the model to formula. */
  readonly set: ReadonlyMap<string, string>;
  /** Keys that follow from others, with the formula that gives them. */
  readonly follows: ReadonlyMap<string, string>;
  /** Cases of the systems that no run is for, by a formula of their config, with the reason. */
  readonly outside: ReadonlyMap<string, string>;
  /** Keys that mean nothing to the model, and expected tensors that are not compared, with the reason. */
  readonly ignore: ReadonlyMap<string, string>;
  readonly inputs: ReadonlyMap<string, InputRule>;
  readonly weights: readonly WeightRule[];
  readonly expected: readonly ExpectedRule[];
}

/** The runs of all examples that have any, by folder name. */
export function readMappings(examples: string): readonly Mapping[] {
  return readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(examples, entry.name, 'golden.json')))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => readExample(join(examples, entry.name), entry.name));
}

const fieldsOfRun = [
  'system',
  'when',
  'each',
  'entry',
  'extern',
  'set',
  'follows',
  'ignore',
  'inputs',
  'weights',
  'expected',
];

function readExample(folder: string, name: string): readonly Mapping[] {
  const where = `examples/${name}/golden.json`;
  const root = record(JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')), where);
  const common = known(root, [...fieldsOfRun, 'outside', 'runs'], where);
  if (!common.has('runs')) return [readMapping(common, folder, name, where)];
  const runs = list(common.get('runs'), `${where}: runs`).map((run, i) =>
    known(record(run, `${where}: runs[${i}]`), fieldsOfRun, `${where}: runs[${i}]`),
  );
  return runs.map((run, i) => readMapping(withCommon(run, common, where), folder, name, `${where}: runs[${i}]`));
}

/** A run with what it does not say itself; of `set`, `inputs` and the like it adds to the common entries. */
function withCommon(
  run: ReadonlyMap<string, unknown>,
  common: ReadonlyMap<string, unknown>,
  where: string,
): ReadonlyMap<string, unknown> {
  const merged = new Map([...common].filter(([key]) => key !== 'runs'));
  for (const [key, value] of run) {
    const base = merged.get(key);
    if (Array.isArray(value) && Array.isArray(base)) merged.set(key, [...base, ...value]);
    else if (typeof value === 'object' && typeof base === 'object' && !Array.isArray(value))
      merged.set(key, Object.fromEntries([...record(base, where), ...record(value, where)]));
    else merged.set(key, value);
  }
  return merged;
}

function readMapping(root: ReadonlyMap<string, unknown>, folder: string, name: string, where: string): Mapping {
  const systems = typeof root.get('system') === 'string' ? [root.get('system')] : root.get('system');
  const extern = optionalText(root.get('extern'), `${where}: extern`);
  return {
    folder,
    name,
    systems: list(systems, `${where}: system`).map((s) => text(s, `${where}: system`)),
    when: optionalText(root.get('when'), `${where}: when`) ?? null,
    each: optionalText(root.get('each'), `${where}: each`) ?? null,
    modelFile: join(folder, 'model.moe'),
    externFile: extern === undefined ? null : join(folder, extern),
    entry: text(root.get('entry') ?? 'forward', `${where}: entry`),
    set: texts(root.get('set') ?? {}, `${where}: set`),
    follows: texts(root.get('follows') ?? {}, `${where}: follows`),
    outside: texts(root.get('outside') ?? {}, `${where}: outside`),
    ignore: texts(root.get('ignore') ?? {}, `${where}: ignore`),
    inputs: new Map(
      [...record(root.get('inputs') ?? {}, `${where}: inputs`)].map(([key, value]) => [
        key,
        inputRule(value, `${where}: inputs.${key}`),
      ]),
    ),
    weights: list(root.get('weights') ?? [], `${where}: weights`).map((rule, i) =>
      weightRule(rule, `${where}: weights[${i}]`),
    ),
    expected: list(root.get('expected') ?? [], `${where}: expected`).map((rule, i) =>
      expectedRule(rule, `${where}: expected[${i}]`),
    ),
  };
}

function inputRule(value: unknown, where: string): InputRule {
  if (typeof value === 'string') return { tensor: value };
  const fields = known(record(value, where), ['tensor', 'value', 'shape', 'element'], where);
  const element = fields.get('element');
  if (element !== undefined && element !== 'f32' && element !== 'i32' && element !== 'bool') {
    throw new GoldenError(`${where}: element is f32, i32 or bool`);
  }
  const shape = fields.get('shape');
  return {
    tensor: optionalText(fields.get('tensor'), where),
    value: optionalText(fields.get('value'), where),
    shape: shape === undefined ? undefined : list(shape, where).map((size) => text(size, where)),
    element,
  };
}

function weightRule(value: unknown, where: string): WeightRule {
  const fields = known(record(value, where), ['name', 'also', 'along'], where);
  const along = fields.get('along');
  if (along !== undefined && typeof along !== 'number') throw new GoldenError(`${where}: along is a number`);
  return {
    name: text(fields.get('name'), where),
    also: list(fields.get('also'), where).map((name) => text(name, where)),
    along,
  };
}

function expectedRule(value: unknown, where: string): ExpectedRule {
  const fields = known(record(value, where), ['is', 'tensor', 'indices', 'weights', 'within', 'where'], where);
  const within = fields.get('within');
  if (within !== undefined && within !== 'output' && within !== 'weights') {
    throw new GoldenError(`${where}: within is output or weights`);
  }
  const rule = {
    is: text(fields.get('is'), where),
    tensor: optionalText(fields.get('tensor'), where),
    indices: optionalText(fields.get('indices'), where),
    weights: optionalText(fields.get('weights'), where),
    where: optionalText(fields.get('where'), where),
    within,
  } as const;
  if ((rule.tensor === undefined) === (rule.indices === undefined))
    throw new GoldenError(`${where}: says either tensor or indices`);
  return rule;
}

function known(
  fields: ReadonlyMap<string, unknown>,
  names: readonly string[],
  where: string,
): ReadonlyMap<string, unknown> {
  const extra = [...fields.keys()].find((key) => !names.includes(key));
  if (extra !== undefined) throw new GoldenError(`${where}: ${extra} is not known; there are ${names.join(', ')}`);
  return fields;
}

/** An object as a map. */
export function record(value: unknown, where: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new GoldenError(`${where} is not an object`);
  return new Map<string, unknown>(Object.entries(value));
}

export function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new GoldenError(`${where} is not a list`);
  return value;
}

export function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new GoldenError(`${where} is not a string`);
  return value;
}

function optionalText(value: unknown, where: string): string | undefined {
  return value === undefined ? undefined : text(value, where);
}

function texts(value: unknown, where: string): ReadonlyMap<string, string> {
  return new Map([...record(value, where)].map(([key, entry]) => [key, text(entry, `${where}.${key}`)]));
}
