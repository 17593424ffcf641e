/**
 * The theorem (SEMANTICS 8.3) on random programs: a value computed on its domain only, with NaN everywhere else,
 * gives the same results to the last bit.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { verifySparse } from '../../compiler/graph/verify-graph.ts';
import { sparsify } from '../../compiler/passes/sparsify.ts';
import { programs } from './random-graphs.ts';
import { resultsOf } from './results.ts';

it('nothing outside a domain is read', () => {
  let sparseValues = 0;
  let values = 0;
  fc.assert(
    fc.property(programs, ({ bench, results }) => {
      const graph = bench.graph(...results);
      const run = { inputs: bench.inputs };
      const wanted = resultsOf(graph, run);
      const sparse = sparsify(graph);
      verifySparse(sparse, 'graph');
      for (const d of sparse.domains.values()) {
        values++;
        if (d.presences.length > 0) sparseValues++;
      }
      const got = resultsOf(sparse.graph, { ...run, domains: sparse.domains, poison: true });
      expect(got, printGraph(sparse.graph, { domains: sparse.domains })).toEqual(wanted);
    }),
    { numRuns: 250 },
  );
  // The programs are about something: a fair part of all values has a domain.
  expect(sparseValues / values).toBeGreaterThan(0.05);
});
