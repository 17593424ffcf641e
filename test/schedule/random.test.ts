/**
 * Random programs through the whole back end: passes, schedule, kernels on the CPU; against exact mathematics, within bounds that are
 * derived from the program and not tuned (graph/error-bound.ts). Where a choice is nearly a tie the bound covers both outcomes.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asInteger, zero } from '../../dsl/types/size.ts';
import { boundGraph } from '../../compiler/graph/error-bound.ts';
import { inOrder } from '../../compiler/graph/tensor-points.ts';
import type { AxisId, NodeId } from '../../compiler/graph/graph-ir.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { printPlan } from '../../compiler/schedule/memory/print-plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { simulatePlan } from '../support/simulate-plan.ts';
import { verifyPlan } from '../../compiler/schedule/memory/verify-plan.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { programs } from '../passes/random-graphs.ts';

it('kernels compute what the graph means', async () => {
  let onAssignmentLists = 0;
  let runs = 0;
  const outcome = await fc.check(
    fc.asyncProperty(programs, async ({ bench, results }) => {
      const graph = bench.graph(...results);
      const fused = optimise(graph);
      const { plan } = schedule(fused, webgpuCore);
      expect(verifyPlan(plan, webgpuCore)).toEqual([]);
      const run = { inputs: bench.inputs, stores: new Map<string, number[]>(), sizes: new Map<string, number>() };
      const simulated = await simulatePlan(plan, run, { races: true });
      runs++;
      if (plan.kernels.some((k) => k.name === 'compact_fill')) onAssignmentLists++;

      const bounds = boundGraph(graph, {
        sizes: run.sizes,
        numbersOf: (name) => Float64Array.from(bench.inputs.get(name) ?? []),
        given: () => null,
      });
      const exact = (node: NodeId, axes: readonly AxisId[]) => {
        const bound = bounds.get(node);
        if (bound === undefined) throw new Error(`no bound of %${node}`);
        const shape = bound.axes.map((a) => asInteger(graph.axes.get(a)?.size ?? zero) ?? 0);
        const value = inOrder({ axes: bound.axes, shape, data: bound.value }, axes);
        const delta = inOrder({ axes: bound.axes, shape, data: bound.delta }, axes);
        return { value, delta };
      };
      const text = () => `${printGraph(fused.graph, { domains: fused.domains })}\n${printPlan(plan)}`;
      const compare = (
        got: ArrayLike<number>,
        node: NodeId,
        axes: readonly AxisId[],
        counts: (i: number) => boolean,
        what: string,
      ) => {
        const { value, delta } = exact(node, axes);
        expect(got.length).toBe(value.length);
        for (const [i, v] of value.entries()) {
          if (!counts(i)) continue;
          const off = Math.abs((got[i] ?? NaN) - v);
          if (!(off <= (delta[i] ?? 0)))
            throw new Error(`${what}[${i}] is ${got[i]}, not ${v} ± ${delta[i]}\n${text()}`);
        }
      };
      const given = simulated.results();
      for (const output of graph.outputs) {
        const result = given.get(output.name);
        if (output.kind === 'tensor' && result?.kind === 'tensor')
          compare(result.data, output.node, output.axes, () => true, output.name);
        if (output.kind !== 'route' || result?.kind !== 'route') continue;
        const support = [...output.sources, ...output.targets];
        compare(result.present.data, output.present, support, () => true, `${output.name}.present`);
        const present = exact(output.present, support);
        const width = result.weight.data.length / Math.max(present.value.length, 1);
        const sure = (i: number) => present.value[i] === 1 && present.delta[i] === 0;
        compare(
          result.weight.data,
          output.weight,
          [...support, ...output.payload],
          (i) => sure(Math.floor(i / width)),
          `${output.name}.weight`,
        );
        compare(result.rank.data, output.rank, support, sure, `${output.name}.rank`);
      }
    }),
    { numRuns: 150 },
  );
  // The program itself is long to read: its graph and plan are in the error.
  if (outcome.failed) {
    const { errorInstance: error, seed, counterexamplePath: path } = outcome;
    throw new Error(`seed ${seed}, path ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  // The programs are about something: assignments are made in a fair part of them.
  expect(onAssignmentLists / runs).toBeGreaterThan(0.2);
}, 300_000);
