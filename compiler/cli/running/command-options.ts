/** How values of options are read that several verbs share. Which options there are is in verbs.ts. */
import { targets, type Target } from '../../target.ts';
import { usageError } from '../terminal/cli-error.ts';
import type { ProjectOptions } from './project.ts';

/** The options of `loadProject` among those of a verb. */
export function projectOptions(options: ProjectOptions): ProjectOptions {
  const { model, root } = options;
  return { ...(model === undefined ? {} : { model }), ...(root === undefined ? {} : { root }) };
}

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

/** `--sizes T=1,16 --sizes B=2`: the sizes of each regime, every one of an axis with every one of the others. */
export function parseRegimes(list: readonly string[]): readonly ReadonlyMap<string, number>[] {
  return [...parseSets(list, '--sizes')].reduce<readonly ReadonlyMap<string, number>[]>(
    (regimes, [name, text]) => {
      const sizes = text.split(',').map((size) => parseSizes([`${name}=${size.trim()}`]).get(name) ?? 0);
      return regimes.flatMap((regime) => [...new Set(sizes)].map((size) => new Map([...regime, [name, size]])));
    },
    [new Map()],
  );
}

export function parseTarget(name: string): Target {
  const target = targets.get(name);
  if (target === undefined)
    throw usageError(`there is no target ${name}`, `targets: ${[...targets.keys()].join(', ')}`);
  return target;
}
