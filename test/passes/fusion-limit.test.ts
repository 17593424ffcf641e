/** Fusion has a limit: a program that is deep is cut into launches, and no kernel grows with it. */
import { describe, expect, it } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { mostInlined } from '../../compiler/graph/node-memory.ts';
import { simulatePlan } from '../support/simulate-plan.ts';
import { webgpuCore } from '../../compiler/target.ts';

async function run(text: string): Promise<{ readonly launches: number; readonly output: readonly number[] }> {
  const { program, diagnostics } = analyse({ name: 'deep.moe', text });
  if (program === null) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const { entries } = compileProgram(program, { overrides: new Map(), target: webgpuCore, sources: [] });
  const plan = entries[0]?.inference.plan;
  if (plan === undefined) throw new Error('no plan');
  const { results } = await simulatePlan(plan, {
    inputs: new Map([['x', [3, 0.5]]]),
    stores: new Map(),
    sizes: new Map([['T', 2]]),
    seed: 0,
  });
  const output = results().get('output');
  if (output?.kind !== 'tensor') throw new Error('no output');
  return { launches: plan.steps.length, output: Array.from(output.data) };
}

const steps = (count: number, step: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => step(i + 1)).join('\n    ');

const model = (body: string): string => `model Deep {
  axis T
  forward(x: [T]) -> [T] {
    ${body}
  }
}
`;

describe('fusion', () => {
  it('computes as much as its limit in passing', async () => {
    const lets = (count: number): string =>
      model(`let a0 = x\n    ${steps(count, (i) => `let a${i} = a${i - 1} + ${i}`)}\n    a${count}`);
    expect((await run(lets(mostInlined))).launches).toBe(1);
    expect((await run(lets(mostInlined + 1))).launches).toBeLessThanOrEqual(2);
  });

  it('stores what is beyond it, in a row of steps on from one another', async () => {
    const { launches, output } = await run(
      model(`let a0 = x\n    ${steps(1000, (i) => `let a${i} = -(a${i - 1} + 1)`)}\n    a1000`),
    );
    expect(output).toEqual([3, 0.5]);
    expect(launches).toBeGreaterThanOrEqual(Math.floor(2000 / (mostInlined + 1)));
    expect(launches).toBeLessThanOrEqual(Math.ceil(2000 / mostInlined));
  });

  it('does so in a chain of many steps', async () => {
    const { launches, output } = await run(
      model('chain l in L carrying h = x { h * 0.5 + 0.25 }').replace('axis T', 'axis T, L = 600'),
    );
    expect(output).toEqual([0.5, 0.5]);
    expect(launches).toBeGreaterThan(1);
  });
});
