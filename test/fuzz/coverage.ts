/** Which constructs random programs use, and how many programs use each. */
import { allOperations } from './body.ts';
import { makeProgram } from './program.ts';
import { seedOf } from './orders.ts';

/** Constructs that are no operation of a line: declarations, arguments, forms of calls. */
export const declaredConstructs: readonly string[] = [
  'param', 'library experts', 'own experts', 'nested router', 'function', 'told family', 'router', 'union', 'second entry', 'expert choice',
  'capacity', 'state', 'state of a router', 'loss', 'loss of an instance', 'loss of a router', 'output', 'output of an instance',
  'output of a router', 'control', 'by:', 'where:', 'k of the run', 'normalize', 'queue in order', 'queue by keys', 'mask', 'is', 'member', 'weights of a pick',
  'window', 'own layer', 'fixed layer', 'layer before', 'collecting', 'chain with memory', 'routed experts', 'scaled input', 'lifted sum',
  'dot of experts', 'call experts', 'call fn', 'call router', 'call entry', 'route result', 'f32 result', 'f16 result', 'i32 result',
  'bool result', 'uniform', 'normal', 'gumbel', 'load', 'count', 'sum', 'mean', 'max', 'min', 'var', 'std', 'logsumexp', 'l2norm', 'rmsnorm',
  'layernorm', 'dot',
]; // prettier-ignore

/** All constructs that a program can use. */
export function constructs(): readonly string[] {
  return [...new Set([...allOperations().map((o) => o.name), ...declaredConstructs])].sort();
}

/** In how many of the programs each construct stands. */
export function coverage(seed: number, programs: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(constructs().map((name) => [name, 0]));
  for (let i = 0; i < programs; i++) {
    for (const name of makeProgram(seedOf(seed, i)).used.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

export function coverageTable(seed: number, programs: number): string {
  const rows = [...coverage(seed, programs)].sort(([, a], [, b]) => b - a);
  return `${rows.map(([name, n]) => `${String(n).padStart(7)}  ${name}`).join('\n')}\n${programs} programs from seed ${seed}\n`;
}
