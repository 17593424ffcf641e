/**
 * What the examples compile to: a number of launches that does not depend on how many experts there are, nor on whether launches have
 * forms of device classes. That plans, kernels and shaders are valid is held where they are printed (test/plans).
 */
import type { AxisId, Graph } from '../../compiler/graph/graph-ir.ts';
import type { Choice, Schedule } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { elementsOf, type StoredSpace } from '../../compiler/schedule/memory/memory.ts';
import { asInteger, exact, multiply, substitute, type Size } from '../../dsl/types/size.ts';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import { analyse, type FrontEnd } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { schedule, settled } from '../../compiler/schedule/schedule.ts';
import { byCost } from '../../compiler/schedule/deciding/decider.ts';
import type { FusedGraph } from '../../compiler/graph/domains.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { Program } from '../../dsl/types/program.ts';
import { portableOf, webgpuCore } from '../../compiler/target.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import { overExamples } from '../support/sweeps.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

const portable = portableOf(webgpuCore);

function read(name: string): { readonly program: Program; readonly sources: FrontEnd['sources'] } {
  const file = (path: string): SourceFile => ({ name: path, text: readFileSync(join(examples, name, path), 'utf8') });
  const { program, sources, diagnostics } = analyse({ ...file('model.moe'), name: `${name}.moe` }, { resolve: file });
  if (program === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return { program, sources };
}

interface Decided {
  readonly schedule: Schedule;
  readonly fused: FusedGraph;
}

interface Schedules {
  readonly diagnostics: readonly Diagnostic[];
  readonly dynamic: readonly string[];
  readonly entries: readonly { readonly name: string; readonly inference: Decided; readonly withAux: Decided }[];
}

type Deciding = (fused: FusedGraph) => { readonly schedule: Schedule; readonly diagnostics: readonly Diagnostic[] };

/** What is decided for a program, and no further: of kernels and shaders nothing is claimed here. */
function schedulesOf(program: Program, sets: Readonly<Record<string, string>>, decide: Deciding): Schedules {
  const diagnostics: Diagnostic[] = [];
  const overrides = parseOverrides(new Map(Object.entries(sets)));
  const { entries, dynamic } = elaborate(program, { overrides }, (problem) => void diagnostics.push(problem));
  const decided = (graph: Graph): Decided => {
    const fused = optimise(graph);
    const { schedule: made, diagnostics: told } = decide(fused);
    diagnostics.push(...told);
    return { schedule: made, fused };
  };
  return {
    diagnostics,
    dynamic,
    entries: entries.map(({ name, inference, withAux }) => {
      const results = decided(inference);
      return { name, inference: results, withAux: withAux === inference ? results : decided(withAux) };
    }),
  };
}

/** With the plan, whose buffers show what does not fit the target. */
const withPlan: Deciding = (fused) => schedule(fused, portable);

/** Without it: buffers of fewer experts are no larger than those of many. */
const withoutPlan: Deciding = (fused) => {
  const { schedule: made, lowered } = settled(fused, portable, byCost, () => '');
  return { schedule: made, diagnostics: lowered.limitViolations };
};

/** What else an example needs said to have so many experts: in eight groups of one or two there is nothing to choose, and less to compute. */
const more: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'deepseek-v3': { G: '4' },
  'pangu-pro-moe': { G: '4' },
  // All sets of so many models would be too many to try.
  'composition-of-experts': { Set: '31' },
};

/** Examples whose experts are a few modules with names of their own: there is no number of them to set. */
const named = new Set(['duo-llm']);

/** Examples whose work may grow with the number of experts, no faster, and why it does. */
const dense: Readonly<Record<string, string>> = {
  'dynamic-moe': 'a token may need every expert: the bound is all of them, the work what it takes',
  gmope: 'every expert says how sure it is before one weighs',
  home: 'every expert works for every task it may see',
  'loss-free': 'there are no experts in it, only the router',
  mmoe: 'every expert works for every task',
  'nllb-moe': 'its queues have a fixed length: more experts have room for more tokens',
  ple: 'every expert works for every task it may see',
  scmoe: 'the ranks that answer are an input, which may name all',
  'selective-attention': 'every head takes positions',
  'soft-moe': 'every slot of every expert is a mixture of all tokens',
  'symbolic-moe': 'the experts are models of the host: only their strength is computed here',
  'union-of-experts': 'every slice takes half of the positions',
};

interface FewAndMany {
  readonly few: Schedules;
  readonly many: Schedules;
}

/** An example with 16 experts and with 64: decided when first asked for, once for all claims, and let go of after them. */
function withFewAndMany(name: string): () => FewAndMany {
  let decided: FewAndMany | null = null;
  afterAll(() => void (decided = null));
  return () => {
    if (decided !== null) return decided;
    const { program } = read(name);
    const of = (experts: number, decide: Deciding): Schedules =>
      schedulesOf(program, { E: String(experts), ...more[name] }, decide);
    return (decided = { few: of(16, withoutPlan), many: of(64, withPlan) });
  };
}

/** Values that a schedule computes: each by a step of its own, or as part of a row. */
function valuesIn({ steps }: Schedule): readonly { readonly choice: Choice; readonly space: StoredSpace }[] {
  return steps.flatMap((step): ReturnType<typeof valuesIn> => {
    if (step.kind === 'row') return step.phases.flat();
    return step.kind === 'value' ? [step] : [];
  });
}

/** Products and sums of all contractions of an entry where they are computed, with this size for all that a run decides. */
function contractionWork({ entries, dynamic }: Schedules, size: number): number {
  const entry = entries.find((e) => e.name === 'forward') ?? entries[0];
  if (entry === undefined) throw new Error('there is no entry');
  const sizes = new Map(dynamic.map((name) => [name, size] as const));
  const { axes } = entry.inference.fused.graph;
  const sizeOf = (axis: AxisId): Size => axes.get(axis)?.size ?? exact(NaN);
  const operations = valuesIn(entry.inference.schedule).flatMap(({ choice, space }) => {
    const heads =
      choice.family === 'tile'
        ? choice.heads.map(({ node }) => node)
        : choice.node.kind === 'contract'
          ? [choice.node]
          : [];
    return heads.map(({ over }) => multiply([exact(2), elementsOf(space, sizeOf), ...over.map(sizeOf)]));
  });
  return operations.reduce((sum, formula) => sum + (asInteger(substitute(formula, sizes)) ?? NaN), 0);
}

describe('the examples', () => {
  it('are another module with another number of experts', () => {
    const { program, sources } = read('mixtral');
    const [few, many] = ['16', '64'].map((E) => {
      const overrides = parseOverrides(new Map([['E', E]]));
      return compileProgram(program, { overrides, target: portable, sources }).manifest?.hash;
    });
    expect(few).toBeDefined();
    expect(many).not.toBe(few);
  });

  it('have as many launches with forms of device classes as without', () => {
    for (const name of ['mixtral', 'deepseek-v3', 'soft-moe']) {
      const { entries } = elaborate(read(name).program, { overrides: new Map() }, (problem) => {
        throw new Error(problem.message);
      });
      const graphs = entries.flatMap(({ inference, withAux }) => [optimise(inference), optimise(withAux)]);
      const launches = [webgpuCore, portable].map((target) =>
        graphs.map((fused) => schedule(fused, target).plan.steps.length),
      );
      expect(launches[0], name).toEqual(launches[1]);
    }
  });

  const unnamed = names.filter((name) => !named.has(name));
  const sweep = overExamples(unnamed, (name) => [name]);
  describe.each(unnamed)('%s', (name) => {
    const claim = sweep.testOf(name);
    const byExperts = withFewAndMany(name);
    claim('values that are computed do not depend on the number of experts', () => {
      const { few, many } = byExperts();
      expect(few.diagnostics).toEqual([]);
      expect(many.diagnostics).toEqual([]);
      // A row has room for so many scores, so how many of the values share a launch depends on experts; how many there are does not.
      const values = (c: Schedules): number[] =>
        c.entries.flatMap((e) => [e.inference, e.withAux].map(({ schedule }) => valuesIn(schedule).length));
      expect(values(many)).toEqual(values(few));
    });

    claim(`work is in proportion to ${dense[name] === undefined ? 'assignments' : 'experts'}`, () => {
      const { few, many } = byExperts();
      // Only the router sees four times as many experts.
      const growth = dense[name] === undefined ? 1.5 : 4;
      expect(contractionWork(many, 32), dense[name]).toBeLessThanOrEqual(growth * contractionWork(few, 32));
    });
  });
});
