/**
 * Regimes: which runs have few rows and a plan of their own, what it is, and who runs it. That both plans give the same bits is held by
 * test/examples/regimes.test.ts on the kernels, by test/gpu/regimes.test.ts on an adapter and by the fuzzer for random programs.
 */
import { describe, expect, it } from 'vitest';
import { hashOf, planFor, regimesOf } from '../../compiler/compile.ts';
import { stageText } from '../../compiler/cli/running/stage-text.ts';
import { manifestFaults } from '../../compiler/emit/verify-manifest.ts';
import { areFew, fewRows, limitsText } from '../../compiler/schedule/deciding/regimes.ts';
import { planFor as planOfRun } from '../../runtime/contract/regimes.ts';
import type { Manifest, PlanSpec } from '../../runtime/contract/manifest.ts';
import { manifestOfClass } from '../../runtime/contract/device-class.ts';
import { planMemory } from '../../runtime/running/memory-plan.ts';
import { preparedOf } from '../language/support.ts';

const layer = (axes: string, more = ''): string => `import { SwiGLU } from "std"
model M {
  axis ${axes}
  axis D = 64, F = 64, E = 8
  experts ffn[E] = SwiGLU<F>
  router gate(x: [T, D]) -> route[T -> E] {
    param w: [E, D]
    softmax(top_k(w @ x, 2, over: E), over: E)
  }
  ${more}
  forward(x: [T, D]) -> [T, D] { gate(x) @ ffn(x) }
}`;

describe('few rows', () => {
  it.each([
    // Two of eight: four matrices of 3.5, and six of 4.6.
    [2, 8, 2],
    [1, 8, 4],
    [8, 128, 8],
    [8, 256, 15],
    // One row shares nothing, however many it chooses.
    [8, 8, 1],
    [1, 1, 1],
    [1, 1000, 256],
  ])('are those that read a quarter more at most: %i of %i', (chosen, targets, rows) => {
    expect(fewRows(chosen, targets)).toBe(rows);
    const shared = (n: number): number => targets * (1 - (1 - chosen / targets) ** n);
    if (rows > 1) expect(chosen * rows).toBeLessThanOrEqual(1.25 * shared(rows));
    if (rows < 256) expect(chosen * (rows + 1)).toBeGreaterThan(1.25 * shared(rows + 1));
  });

  it('have a plan without lists, which is told beside the other', () => {
    const { entry, compilation } = preparedOf(layer('T'), { plans: 'results' });
    const { few, schedule } = entry.inference;
    if (few === null) throw new Error('there is one plan');
    expect(limitsText(few.when)).toBe('T <= 2');
    expect(schedule.assignmentLists.some(({ form }) => form.kind === 'grouped')).toBe(true);
    expect(few.plan.schedule.assignmentLists.map(({ form }) => form.kind)).toEqual(['slots']);
    expect(few.plan.plan.steps.length).toBeLessThan(entry.inference.plan.steps.length);
    expect(stageText('plan', compilation)).toContain('// forward, where T <= 2\nplan forward');
    expect(stageText('schedule', compilation)).toContain(`// graph ${hashOf(few.plan)}\n`);
    expect([1, 2, 3].map((T) => areFew(few.when, new Map([['T', T]])))).toEqual([true, true, false]);
    expect(planFor(entry.inference, new Map([['T', 2]]))).toBe(few.plan);
    expect(planFor(entry.inference, new Map([['T', 3]]))).toBe(entry.inference);
  });

  it('need no condition where sizes are known: then there is one plan', () => {
    const kinds = (axes: string) => {
      const { inference } = preparedOf(layer(axes), { plans: 'results' }).entry;
      return [inference.regime, inference.few, inference.plan.steps.length] as const;
    };
    expect(kinds('T = 2').slice(0, 2)).toEqual(['few', null]);
    expect(kinds('T = 3').slice(0, 2)).toEqual(['many', null]);
    expect(kinds('T = 2')[2]).toBeLessThan(kinds('T = 3')[2]);
  });

  it('have no plan of their own beside losses alone, and have one beside updates', () => {
    const loss = 'loss size = mean(x * x, over: (T, D))';
    const body = (more: string): string =>
      layer('T', 'state seen: [D] = 0').replace('{ gate(x) @ ffn(x) }', `{ ${more}\n gate(x) @ ffn(x) }`);
    const fewOf = (more: string) => preparedOf(body(more), { plans: 'all' }).entry.withAux.few;
    expect(fewOf(loss)).toBe(null);
    expect(fewOf('update seen = seen + sum(x, over: T)')).not.toBe(null);
  });

  it('are asked for, or are not', () => {
    const steps = (regime?: 'few' | 'many') =>
      regimesOf(preparedOf(layer('T'), { plans: 'results', ...(regime === undefined ? {} : { regime }) }).entry.inference)
        .map(({ regime: of, plan }) => [of, plan.steps.length] as const); // prettier-ignore
    const [many, few] = steps();
    expect([steps('many'), steps('few')]).toEqual([[many], [few]]);
  });
});

describe('a manifest with two plans', () => {
  const { manifest, compilation } = preparedOf(layer('T'), { plans: 'results' });
  const planOf = (of: Manifest): PlanSpec => {
    const [entry] = of.entries;
    if (entry === undefined) throw new Error('there is no entry');
    return entry.plan;
  };
  const plan = planOf(manifest);
  const { few } = plan;
  if (few === undefined) throw new Error('there is one plan');

  it('says by its sizes which of them a run has, in every class', () => {
    for (const name of ['portable', 'simd4', 'simd8']) {
      const own = planOf(manifestOfClass(manifest, name));
      expect(planOfRun(own, new Map([['T', 2]]))).toBe(own.few?.plan);
      expect(planOfRun(own, new Map([['T', 3]]))).toBe(own);
      expect(own.few?.plan.steps.every((step) => step.kind === 'launch' && step.forms === undefined)).toBe(true);
    }
    const scratch = (T: number): number => planMemory(manifest, { sizes: { T } }).scratch;
    expect(scratch(2)).toBeLessThan(scratch(3));
  });

  const withFew = (change: Partial<PlanSpec>, when = few.when): Manifest => {
    const own = { ...plan, few: { when, plan: { ...few.plan, ...change } } };
    return { ...manifest, entries: manifest.entries.map((entry) => ({ ...entry, plan: own, full: own })) };
  };
  it.each([
    ['no condition', withFew({}, []), /for few rows: no size says when/],
    ['a condition on an unknown size', withFew({}, [{ rows: 'U', most: 1 }]), /a size is of U/],
    ['other results', withFew({ results: [] }), /for few rows: its results are /],
    ['more inputs', withFew({ buffers: [...few.plan.buffers, { label: 'y', elements: 1, kind: 'store', store: 99 }] }), /only it takes y/],
    ['a third plan', withFew({ few }), /for few rows: it has another one/],
    ['a kernel that is not there', withFew({ steps: few.plan.steps.map((step) => ({ ...step, kernel: 99 })) }), /for few rows: .*there is no kernel 99/],
  ])('is refused with %s', (_, wrong, message) => {
    expect(manifestFaults(manifest, compilation.shaders)).toEqual([]);
    expect(manifestFaults(wrong, compilation.shaders).join('\n')).toMatch(message);
  }); // prettier-ignore
});
