/** Divisions by sizes of a run: conditions of the run, with their place, and only of what the run needs. */
import { describe, expect, it } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { webgpuCore } from '../../compiler/target.ts';
import type { SizeConstraintSpec } from '../../runtime/contract/manifest.ts';
import { InputError } from '../../runtime/contract/errors.ts';
import { checkSizeConstraints } from '../../runtime/running/feeds.ts';

function conditionsOf(body: string, decls = ''): readonly SizeConstraintSpec[] {
  const text = `model M {\n  axis T, D = 4, E = 2\n  ${decls}\n  forward(x: [T, D]) -> [D] { ${body} }\n}`;
  const source = { name: 'test.moe', text };
  const { program, diagnostics, sources } = analyse(source);
  if (program === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
  const compiled = compileProgram(program, { overrides: new Map(), target: webgpuCore, sources });
  expect(compiled.diagnostics).toEqual([]);
  return compiled.manifest?.entries[0]?.conditions ?? [];
}

/** What is said of a run with so many points of T. */
function said(conditions: readonly SizeConstraintSpec[], t: number, full = false): string {
  try {
    checkSizeConstraints(conditions, new Map([['T', t]]), full);
    return '';
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

describe('a division by a size of the run', () => {
  it('is refused where the size is 0, with its place', () => {
    const conditions = conditionsOf('sum(x, over: T) * (1 / T)');
    expect(said(conditions, 0)).toContain('1 is divided by T, which is 0 (test.moe:4:31, in a run with T = 0)');
    expect(said(conditions, 1)).toBe('');
  });

  it('may have a negative divisor', () => {
    const conditions = conditionsOf('sum(x, over: T) * (8 / (T - 3))');
    expect([0, 2, 3, 4].map((t) => said(conditions, t) === '')).toEqual([true, true, false, true]);
  });

  it('is found in the size of an axis, and before the conditions that are made of it', () => {
    const decls = 'axis P = floor(8 / T), Q = 2';
    const conditions = conditionsOf('sum(x, over: T) + sum(rename(iota(P), P: Q), over: Q)', decls);
    expect(said(conditions, 0)).toContain('8 is divided by T, which is 0');
    expect(said(conditions, 4)).toBe('');
    expect(said(conditions, 5)).toContain('differ in size');
  });

  it('is found in a remainder', () => {
    expect(said(conditionsOf('sum(x, over: T) * (7 % T)'), 0)).toContain('7 is divided by T');
  });

  it('is no condition where the divisor is never 0', () => {
    expect(conditionsOf('sum(x, over: T) * (1 / max(T - 1, 1)) + 3 / (T + 1) + 1 / ceil(T / 2 + 1 / 2)')).toEqual([]);
  });

  it('is no condition where a tensor is divided: a number of the run, not a size', () => {
    expect(conditionsOf('sum(x, over: T) / T')).toEqual([]);
  });

  it('of a loss is a condition of runs with losses only', () => {
    const conditions = conditionsOf('loss spread = sum(x, over: (T, D)) * (1 / (T - 1))\n    sum(x, over: T)');
    expect(said(conditions, 1, false)).toBe('');
    expect(said(conditions, 1, true)).toContain('1 is divided by T - 1');
  });
});
