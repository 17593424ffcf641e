/** Options that several verbs share, and how their values are read. */
import { InvalidArgumentError, Option } from 'commander';
import { targets, type Target } from '../target.ts';
import { usageError } from './exit.ts';
import type { ProjectOptions } from './project.ts';

/** Gathers the values of an option that may stand several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** `a,b` and repeated options alike. */
export function collectNames(value: string, before: readonly string[]): readonly string[] {
  return [
    ...before,
    ...value
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ];
}

export const setOption = (): Option =>
  new Option('--set <name=value>', 'a size or constant of the model; may stand several times')
    .argParser(collect)
    .default([], 'none');

export const modelOption = (): Option =>
  new Option('--model <name>', 'which model of the file, where there are several');

export const rootOption = (): Option =>
  new Option('--root <dir>', 'the folder that imports stay below; by default that of the model file');

/** The options of `loadProject` among those of a verb. */
export function projectOptions(options: ProjectOptions): ProjectOptions {
  const { model, root } = options;
  return { ...(model === undefined ? {} : { model }), ...(root === undefined ? {} : { root }) };
}

export const targetOption = (): Option =>
  new Option('--target <name>', 'what the kernels are for').default('webgpu-core');

/** `['D=64', 'K=2']` → D: 64, K: 2 as texts. Exit code 2 for anything else, and for a name that stands twice. */
export function parseSets(list: readonly string[], option = '--set'): ReadonlyMap<string, string> {
  const sets = new Map<string, string>();
  for (const text of list) {
    const at = text.indexOf('=');
    const name = text.slice(0, at).trim();
    if (at < 0 || name === '')
      throw usageError(`${option} ${text}: a name, =, and a value are wanted`, `${option} D=64`);
    if (sets.has(name)) throw usageError(`${option} gives ${name} twice`);
    sets.set(name, text.slice(at + 1).trim());
  }
  return sets;
}

/** `--size T=64`: sizes of dynamic axes. */
export function parseSizes(list: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    [...parseSets(list, '--size')].map(([name, text]) => {
      const size = Number(text);
      if (!/^\d+$/.test(text) || !Number.isSafeInteger(size))
        throw usageError(`--size ${name}=${text}: a size is a whole number`);
      return [name, size];
    }),
  );
}

export function parseTarget(name: string): Target {
  const target = targets.get(name);
  if (target === undefined)
    throw usageError(`there is no target ${name}`, `targets: ${[...targets.keys()].join(', ')}`);
  return target;
}

/** For commander: a whole number from 0 on. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('a whole number is wanted');
  return value;
}

/** For commander: a whole number of 32 bits, as draws are seeded with. */
export function seedNumber(text: string): number {
  const value = wholeNumber(text);
  if (value >= 2 ** 32) throw new InvalidArgumentError('a whole number below 2^32 is wanted');
  return value;
}
