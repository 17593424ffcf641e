/**
 * What the examples compile to: a number of launches that does not depend on how many experts there are, nor on whether launches have
 * forms of device classes. That plans, kernels and shaders are valid is held where they are printed (test/plans).
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { compileProgram, type Compilation } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { describeLaunches } from '../../compiler/schedule/memory/print-plan.ts';
import { webgpuCore, type Target } from '../../compiler/target.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

/** Only what every device runs: forms of classes, which are most of the text of a kernel, add no launch. */
const portable: Target = { ...webgpuCore, classes: [] };

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
  const of = (experts: number, target: Target): Compilation =>
    compile(name, { E: String(experts), ...more[name] }, target);
  return () => (compiled ??= { few: of(16, portable), many: of(64, webgpuCore) });
}

/** Floating-point operations of all contractions in the plan of an entry, with this size for all that a run decides. */
function contractionWork(compiled: Compilation, size: number): number {
  const [entry] = compiled.entries.filter((e) => e.name === 'forward').concat(compiled.entries);
  if (entry === undefined) throw new Error('there is no entry');
  const sizes = new Map(compiled.elaboration.dynamic.map((name) => [name, size] as const));
  return describeLaunches(entry.inference.plan, sizes)
    .filter(({ kernel }) => /^(contract|matmul|grouped_matmul)/.test(kernel))
    .reduce((sum, { flops }) => sum + Number(flops), 0);
}

describe('the examples', () => {
  it('are another module with another number of experts', () => {
    const [few, many] = ['16', '64'].map((E) => compile('mixtral', { E }, portable).manifest?.hash);
    expect(few).toBeDefined();
    expect(many).not.toBe(few);
  });

  describe.each(names.filter((name) => !named.has(name)))('%s', (name) => {
    const byExperts = withFewAndMany(name);
    it('launches do not grow with the number of experts', () => {
      const { few, many } = byExperts();
      expect(few.diagnostics).toEqual([]);
      expect(many.diagnostics).toEqual([]);
      const launches = (c: Compilation): number[] =>
        c.entries.flatMap((e) => [e.inference.plan.steps.length, e.withAux.plan.steps.length]);
      const [of16, of64] = [launches(few), launches(many)];
      expect(of64.length).toBe(of16.length);
      // A row has room for so many scores: what it has no room for beside them is a launch or two more, whatever the number of experts.
      for (const [i, n] of of64.entries()) {
        const before = of16[i] ?? NaN;
        expect(n, `${of16.join()} → ${of64.join()}`).toBeLessThanOrEqual(before + Math.max(2, before / 10));
      }
    });

    it(`work is in proportion to ${dense[name] === undefined ? 'assignments' : 'experts'}`, () => {
      const { few, many } = byExperts();
      // Only the router sees four times as many experts.
      const growth = dense[name] === undefined ? 1.5 : 4;
      // A contraction that is part of a row where experts are few may have a launch where they are many: a hundredth is for those.
      expect(contractionWork(many, 32), dense[name]).toBeLessThanOrEqual(1.01 * growth * contractionWork(few, 32));
    });
  });
});
