/**
 * What the examples compile to: a number of launches that does not depend on how many experts there are, nor on whether launches have
 * forms of device classes. That plans, kernels and shaders are valid is held where they are printed (test/plans).
 */
import type { AxisId } from '../../compiler/graph/graph-ir.ts';
import type { Choice, Schedule } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { elementsOf, type StoredSpace } from '../../compiler/schedule/memory/memory.ts';
import { asInteger, exact, multiply, substitute, type Size } from '../../dsl/types/size.ts';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { compileProgram, type Compilation } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { portableOf, webgpuCore, type Target } from '../../compiler/target.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

const portable = portableOf(webgpuCore);

function compile(name: string, sets: Readonly<Record<string, string>>, target: Target): Compilation {
  const read = (file: string): SourceFile => ({ name: file, text: readFileSync(join(examples, name, file), 'utf8') });
  const front = analyse({ ...read('model.moe'), name: `${name}.moe` }, { resolve: read });
  if (front.program === null) throw new Error(front.diagnostics.map((d) => d.message).join('; '));
  return compileProgram(front.program, {
    overrides: parseOverrides(new Map(Object.entries(sets))),
    target,
    sources: front.sources,
  });
}

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
  readonly few: Compilation;
  readonly many: Compilation;
}

/** An example with 16 experts and with 64: compiled when first asked for, once for all claims, and let go of after them. */
function withFewAndMany(name: string): () => FewAndMany {
  let compiled: FewAndMany | null = null;
  afterAll(() => void (compiled = null));
  const of = (experts: number): Compilation => compile(name, { E: String(experts), ...more[name] }, portable);
  return () => (compiled ??= { few: of(16), many: of(64) });
}

/** Values that a schedule computes: each by a step of its own, or as part of a row. */
function valuesIn({ steps }: Schedule): readonly { readonly choice: Choice; readonly space: StoredSpace }[] {
  return steps.flatMap((step): ReturnType<typeof valuesIn> => {
    if (step.kind === 'row') return step.phases.flat();
    return step.kind === 'value' ? [step] : [];
  });
}

/** Products and sums of all contractions of an entry where they are computed, with this size for all that a run decides. */
function contractionWork(compiled: Compilation, size: number): number {
  const [entry] = compiled.entries.filter((e) => e.name === 'forward').concat(compiled.entries);
  if (entry === undefined) throw new Error('there is no entry');
  const sizes = new Map(compiled.elaboration.dynamic.map((name) => [name, size] as const));
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
    const [few, many] = ['16', '64'].map((E) => compile('mixtral', { E }, portable).manifest?.hash);
    expect(few).toBeDefined();
    expect(many).not.toBe(few);
  });

  it('have as many launches with forms of device classes as without', () => {
    for (const name of ['mixtral', 'deepseek-v3', 'soft-moe']) {
      const launches = [webgpuCore, portable].map((target) =>
        compile(name, {}, target).entries.map(({ inference, withAux }) => [
          inference.plan.steps.length,
          withAux.plan.steps.length,
        ]),
      );
      expect(launches[0], name).toEqual(launches[1]);
    }
  });

  describe.each(names.filter((name) => !named.has(name)))('%s', (name) => {
    const byExperts = withFewAndMany(name);
    it('values that are computed do not depend on the number of experts', () => {
      const { few, many } = byExperts();
      expect(few.diagnostics).toEqual([]);
      expect(many.diagnostics).toEqual([]);
      // A row has room for so many scores, so how many of the values share a launch depends on experts; how many there are does not.
      const values = (c: Compilation): number[] =>
        c.entries.flatMap((e) => [e.inference, e.withAux].map(({ schedule }) => valuesIn(schedule).length));
      expect(values(many)).toEqual(values(few));
    });

    it(`work is in proportion to ${dense[name] === undefined ? 'assignments' : 'experts'}`, () => {
      const { few, many } = byExperts();
      // Only the router sees four times as many experts.
      const growth = dense[name] === undefined ? 1.5 : 4;
      expect(contractionWork(many, 32), dense[name]).toBeLessThanOrEqual(growth * contractionWork(few, 32));
    });
  });
});
