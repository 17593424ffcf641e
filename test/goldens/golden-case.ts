/**
 * A case: the numbers an original implementation gave, with everything it took to get them. On disk a folder with
 * `case.json` (system, config, tolerance, and more for readers) and `case.safetensors` (inputs, weights under the original's
 * names, and what is expected).
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { SourceTensor, WeightSource } from '../../runtime/weights/weight-source.ts';
import { parseHeader } from '../../runtime/weights/safetensors.ts';
import { GoldenError, type Value } from './formula.ts';
import type { Bound, NamedTensor, Tolerance } from './compare-numbers.ts';
import { record, text } from './mapping.ts';

export interface GoldenCase {
  readonly name: string;
  readonly system: string;
  /**
   * Nested entries are joined by points: `psr.t`. An entry that is an object is itself there with the value true, one that is
   * a list with its text, and its parts under `dims.0`, `dims.1`, …, `dims.length`.
   */
  readonly config: ReadonlyMap<string, Value>;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly tolerance: Tolerance;
}

/** What `case.json` means where it says nothing, as the makers of the cases set it: f32 of two implementations that add in other orders. */
export const usualTolerance: Tolerance = { output: { atol: 2e-5, rtol: 1e-4 }, weights: { atol: 2e-6, rtol: 1e-5 } };

/** Folders of cases under a folder, in alphabetical order; the folder itself may be a case. */
export function findCases(folder: string): readonly string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new GoldenError(`${folder} is not a folder`);
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.name === 'case.json')) return [folder];
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .flatMap((name) => findCases(join(folder, name)));
}

export type CaseHead = Pick<GoldenCase, 'name' | 'system' | 'config'>;

/** Which system a case is of, and its config. Nothing more is looked at: a case that no example covers may say the rest as it likes. */
export function readCaseHead(folder: string): CaseHead {
  const { where, root } = readJson(folder);
  return {
    name: text(root.get('case') ?? basename(folder), `${where}: case`),
    system: text(root.get('system'), `${where}: system`),
    config: new Map(flatten(record(root.get('config') ?? {}, `${where}: config`), '')),
  };
}

export function readCase(folder: string): GoldenCase {
  const { where, root } = readJson(folder);
  return {
    ...readCaseHead(folder),
    tolerance: toleranceOf(record(root.get('tolerance') ?? {}, `${where}: tolerance`), `${where}: tolerance`),
    tensors: readTensors(join(folder, 'case.safetensors')),
  };
}

function readJson(folder: string): { readonly where: string; readonly root: ReadonlyMap<string, unknown> } {
  const where = join(folder, 'case.json');
  return { where, root: record(JSON.parse(readFileSync(where, 'utf8')), where) };
}

/** A class of numbers may have a bound of its own; `abs` and `rel` beside the classes are the bound of all. */
function toleranceOf(fields: ReadonlyMap<string, unknown>, where: string): Tolerance {
  const common = fields.has('abs') || fields.has('rel');
  const usual = common ? bound(new Map([...fields].filter(([key]) => key === 'abs' || key === 'rel')), where) : null;
  const classBound = (key: 'output' | 'weights'): Bound =>
    fields.has(key)
      ? bound(record(fields.get(key), `${where}.${key}`), `${where}.${key}`)
      : (usual ?? usualTolerance[key]);
  return { output: classBound('output'), weights: classBound('weights') };
}

function bound(fields: ReadonlyMap<string, unknown>, where: string): Bound {
  const number = (...keys: readonly string[]): number => {
    const given = keys.map((key) => fields.get(key)).find((value) => value !== undefined) ?? 0;
    if (typeof given !== 'number') throw new GoldenError(`${where}: ${keys.join(' or ')} is not a number`);
    return given;
  };
  return { atol: number('atol', 'abs'), rtol: number('rtol', 'rel') };
}

function flatten(fields: ReadonlyMap<string, unknown>, prefix: string): readonly (readonly [string, Value])[] {
  return [...fields].flatMap(([key, value]): readonly (readonly [string, Value])[] => {
    const path = prefix + key;
    if (value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      return [[path, value]];
    if (Array.isArray(value)) {
      const parts = flatten(new Map(value.map((part: unknown, i) => [String(i), part])), `${path}.`);
      return [[path, JSON.stringify(value)], [`${path}.length`, value.length], ...parts];
    }
    return [[path, true], ...flatten(record(value, path), `${path}.`)];
  });
}

/** All tensors of a safetensors file. Cases are small and hold nothing but f32 and i32. */
function readTensors(path: string): ReadonlyMap<string, NamedTensor> {
  const file = readFileSync(path);
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const header = parseHeader(bytes, bytes.length, path);
  const tensors = new Map<string, NamedTensor>();
  for (const { name, dtype, shape, byteOffset, byteLength } of header.tensors.values()) {
    const piece = bytes.slice(byteOffset, byteOffset + byteLength).buffer;
    if (dtype === 'F32') tensors.set(name, { element: 'f32', shape, data: new Float32Array(piece) });
    else if (dtype === 'I32') tensors.set(name, { element: 'i32', shape, data: new Int32Array(piece) });
    else throw new GoldenError(`${path}: ${name} is stored as ${dtype}; cases hold F32 and I32`);
  }
  return tensors;
}

/** Tensors in memory as a source of weights. */
export function memorySource(tensors: ReadonlyMap<string, NamedTensor>): WeightSource {
  const bytesOf = (tensor: NamedTensor): Uint8Array =>
    new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const entries = [...tensors].map(([name, tensor]): readonly [string, SourceTensor] => [
    name,
    { dtype: tensor.element === 'i32' ? 'I32' : 'F32', shape: tensor.shape, byteLength: tensor.data.byteLength },
  ]);
  return {
    tensors: new Map(entries),
    read: (name, byteOffset, byteLength) => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new GoldenError(`there is no tensor ${name}`);
      return Promise.resolve(bytesOf(tensor).slice(byteOffset, byteOffset + byteLength));
    },
    close: () => Promise.resolve(),
  };
}
