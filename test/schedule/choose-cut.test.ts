/** Which value gets memory when a launch binds too many buffers, and what a whole program makes of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import type { NodeId } from '../../compiler/graph/graph-ir.ts';
import { idOf } from '../../dsl/types/ids.ts';
import { analyse } from '../../compiler/front-end.ts';
import { chooseSplit, type InlinedValues } from '../../compiler/schedule/deciding/choose-split.ts';
import type { Plan } from '../../compiler/schedule/memory/plan.ts';
import { verifyPlan } from '../../compiler/schedule/memory/verify-plan.ts';
import { webgpuCore } from '../../compiler/target.ts';

/** Nodes with their operands; each leaf node reads the buffer of its own number. */
function passing(
  operands: Readonly<Record<number, readonly number[]>>,
  alsoByLaunch: readonly number[] = [],
): InlinedValues {
  const nodes = new Map(Object.entries(operands).map(([id, of]) => [idOf<NodeId>(Number(id)), of.map(idOf<NodeId>)]));
  const readers = new Map<number, Set<NodeId | null>>();
  for (const [node, of] of nodes) {
    for (const operand of of) {
      if (!nodes.has(operand)) readers.set(operand, (readers.get(operand) ?? new Set()).add(node));
    }
  }
  for (const buffer of alsoByLaunch) readers.set(buffer, (readers.get(buffer) ?? new Set()).add(null));
  return { inlined: new Set(nodes.keys()), readers, operandsOf: (id) => nodes.get(id) ?? [] };
}

describe('chooseCut', () => {
  it('takes what frees most and fits a launch of its own', () => {
    // 30 reads nine buffers, 20 and 21 some of them: 20 has five.
    const tree = passing({ 30: [20, 21], 20: [1, 2, 3, 4, 5], 21: [6, 7, 8, 9] });
    expect(chooseSplit(tree, 7)).toBe(20);
    expect(chooseSplit(tree, 9)).toBe(30);
    expect(chooseSplit(tree, 4)).toBe(21);
  });

  it('does not count a buffer that is read elsewhere too', () => {
    const shared = passing({ 30: [20, 21], 20: [1, 2, 3], 21: [4, 5] }, [1, 2]);
    expect(chooseSplit(shared, 4)).toBe(21);
  });

  it('is null where every value is one load', () => {
    expect(chooseSplit(passing({ 20: [1], 21: [2] }), 7)).toBeNull();
  });
});

describe('programs that read much at once', () => {
  const plansOf = (file: string): readonly Plan[] => {
    const text = readFileSync(new URL(`../language/breadth/${file}`, import.meta.url), 'utf8');
    const front = analyse({ name: file, text });
    if (front.program === null) throw new Error(file);
    const options = { overrides: new Map(), target: webgpuCore, sources: front.sources };
    const { entries, diagnostics } = compileProgram(front.program, options);
    expect(diagnostics).toEqual([]);
    return entries.map((e) => e.inference.plan);
  };

  it.each(['many-routes.moe', 'many-parts.moe', 'routers-in-routers.moe', 'routers-four-deep.moe'])(
    '%s fits eight buffers',
    (file) => {
      for (const plan of plansOf(file)) expect(verifyPlan(plan, webgpuCore)).toEqual([]);
    },
  );

  it('keeps what routers decide inside experts on assignments: nothing is as large as all axes together', () => {
    const launches = plansOf('routers-in-routers.moe').flatMap(({ steps }) =>
      steps.flatMap((s) => (s.kind === 'launch' ? [s] : [])),
    );
    const dense = launches.filter(({ work }) => /T × E0 × E1/.test(work.domain));
    expect(dense.map(({ label, work }) => `${label} over ${work.domain}`)).toEqual([]);
  });
});
