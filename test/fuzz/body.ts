/** Bodies: a number of lines, each by an operation that is drawn by its weight among those the program uses. */
import { callOperations } from './call-operations.ts';
import type { Made, Operation } from './operations.ts';
import { routeOperations } from './route-operations.ts';
import type { Scope } from './scope.ts';
import { tensorOperations } from './tensor-operations.ts';

export function allOperations(): readonly Operation[] {
  return [...tensorOperations, ...routeOperations, ...callOperations];
}

/** Writes about `count` lines. `first`, if given, is tried for the first line. */
export function writeBody(s: Scope, count: number, first?: () => Made | null): void {
  const operations = allOperations().filter((o) => s.world.features.has(o.feature));
  const weighted = operations.map((o) => [o.weight, o] as const);
  const begin = first?.() ?? null;
  if (begin !== null) s.bind(begin.text, begin.type);
  for (let made = 0, tries = 0; made < count && tries < 12 * count; tries++) {
    const operation = s.random.weighted(weighted);
    const before = s.lines.length;
    const one = operation.make(s);
    if (one === null) {
      // Lines that only this attempt would have read stay: they are legal.
      if (s.lines.length > before) made += 0;
      continue;
    }
    s.world.use(operation.name);
    s.bind(one.text, one.type);
    made += 1;
  }
}
