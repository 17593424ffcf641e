/**
 * Golden plans: what every example compiles to, as text that a reviewer reads.
 *
 * `golden/NAME.plan.txt` has the schedule of each entry of an example (what was decided), its plan (launches, the formulas each is
 * given, memory, results) and the kernels it ships, each with a fingerprint of its text; `golden/NAME.wgsl.txt` the portable shaders of six examples whole. A change of one index formula is a
 * difference of a line. `npm run plans` writes them anew; the difference is then reviewed as any other. What is compiled for the text
 * is also valid: kernels and plans that the verifiers take, WGSL that Tint takes without a warning.
 *
 * `test/support/covering.txt` names examples that have between them every kind of thing that the plans of any example have: `npm test`
 * takes them for all where it sweeps (test/support/sweeps.ts). A kind that they lack is named here, and `npm run plans` chooses anew.
 *
 * `golden/hashes.txt` has `manifest.hash` of every example and of every program of `test/architectures`: a change that is said to
 * move code about leaves the whole file as it is, to the last byte of every shader, formula and label. `npm test` looks at its lines of the
 * covering examples and of those programs alone.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { regimesNamed } from '../../compiler/cli/running/stage-text.ts';
import { compileProgram, regimesOf, type Compilation, type CompiledPlan } from '../../compiler/compile.ts';
import { fingerprint } from '../../compiler/emit/hash.ts';
import { analyse } from '../../compiler/front-end.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { printPlan } from '../../compiler/schedule/memory/print-plan.ts';
import { planFaults } from '../../compiler/schedule/memory/verify-plan.ts';
import { webgpuCore } from '../../compiler/target.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import { validateWgsl } from '../support/null-device.ts';
import { covering, kindsOf, type PlanKinds } from '../support/plan-kinds.ts';
import { coveringExamples, overExamples, runsWhole } from '../support/sweeps.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const architectures = fileURLToPath(new URL('../architectures', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));
const programs = readdirSync(architectures).filter((file) => file.endsWith('.moe'));

/** Between them: lists by expert, groups of experts, queues, packed slots, chains over layers, choices by experts. */
const whole: ReadonlySet<string> = new Set(['mixtral', 'deepseek-v3', 'switch', 'soft-moe', 'rexmoe', 'expert-choice']);

function compile(folder: string, main: string): Compilation {
  const read = (file: string): SourceFile => ({ name: file, text: readFileSync(join(folder, file), 'utf8') });
  const { program, sources, diagnostics } = analyse(read(main), { resolve: read });
  if (program === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return compileProgram(program, { overrides: new Map(), target: webgpuCore, sources });
}

function planText({ entries, kernels, initialPlans }: Compilation): string {
  const both = ({ schedule, fused, plan }: CompiledPlan): string =>
    `${printSchedule(schedule, fused.graph)}\n${printPlan(plan)}`;
  const plans = entries.flatMap(({ name, inference, withAux }) =>
    [
      ...regimesNamed(name, inference),
      ...(inference === withAux ? [] : regimesNamed(`${name} with losses, outputs and updates`, withAux)),
    ].map(([title, compiled]) => `// ${title}\n${both(compiled)}`),
  );
  const initial = [...initialPlans].map(([path, plan]) => `// the first value of ${path}\n${printPlan(plan)}`);
  const list = kernels.map((kernel, i) => `${i} ${kernel.name}  ${fingerprint(printKernel(kernel))}`);
  return [...plans, ...initial, `// kernels\n${list.join('\n')}\n`].join('\n');
}

const hashes = new Map<string, string>();
const kinds = new Map<string, PlanKinds>();

/** Texts of kernels that the verifier has taken, and of shaders that Tint has: a fifth of them occur in several examples. */
const valid = new Set<string>();

const sweep = overExamples(names, (name) => [name]);

describe('what an example compiles to', () => {
  describe.each(names)('%s', (name) => {
    let kept: Compilation | null = null;
    const compiled = (): Compilation => (kept ??= compile(join(examples, name), 'model.moe'));
    afterAll(() => void (kept = null));

    sweep.testOf(name)('is what it was', async () => {
      hashes.set(name, compiled().manifest?.hash ?? 'has no manifest');
      kinds.set(name, kindsOf(compiled()));
      await expect(planText(compiled())).toMatchFileSnapshot(`golden/${name}.plan.txt`);
      if (!whole.has(name)) return;
      // Tiles of subgroups are long, and differ in what the portable ones differ in: the golden one of the family is to be read.
      const shown = (text: string): string =>
        text.startsWith('enable subgroups;') ? `// by subgroups, ${fingerprint(text)}` : text.trimEnd();
      const shaders = compiled()
        .shaders.map((text, i) => `// shader ${i}\n${shown(text)}\n`)
        .join('\n');
      await expect(shaders).toMatchFileSnapshot(`golden/${name}.wgsl.txt`);
    });

    sweep.testOf(name)('is valid', () => {
      const { diagnostics, kernels, entries } = compiled();
      expect(diagnostics).toEqual([]);
      const plans = [
        ...new Set(entries.flatMap((e) => [e.inference, e.withAux].flatMap(regimesOf).map(({ plan }) => plan))),
      ];
      const texts = new Map<Kernel, string>();
      for (const kernel of [...kernels, ...plans.flatMap((plan) => plan.kernels)]) {
        const text = texts.get(kernel) ?? printKernel(kernel);
        texts.set(kernel, text);
        if (valid.has(text)) continue;
        expect(verifyKernel(kernel, webgpuCore.limits)).toEqual([]);
        valid.add(text);
      }
      for (const plan of plans) {
        expect(planFaults(plan)).toEqual([]);
        expect(new Set(plan.kernels.map((kernel) => texts.get(kernel))).size).toBe(plan.kernels.length);
      }
    });

    sweep.testOf(name)('has shaders that Tint takes', async () => {
      for (const shader of compiled().shaders) {
        if (valid.has(shader)) continue;
        expect(await validateWgsl(shader)).toEqual([]);
        valid.add(shader);
      }
    });
  });

  it('has the hash it had, and so has every program of test/architectures', async () => {
    for (const file of programs) hashes.set(file, compile(architectures, file).manifest?.hash ?? 'has no manifest');
    const lines = [...hashes].map(([name, hash]) => `${name} ${hash}\n`);
    if (runsWhole) return expect(lines.join('')).toMatchFileSnapshot('golden/hashes.txt');
    const golden = readFileSync(new URL('golden/hashes.txt', import.meta.url), 'utf8').split(/(?<=\n)/);
    expect(golden).toEqual(expect.arrayContaining(lines));
  });

  (runsWhole ? it : it.todo)('is of no kind that the covering examples lack', async () => {
    expect(coveringExamples.filter((name) => !names.includes(name))).toEqual([]);
    const had = new Set(coveringExamples.flatMap((name) => [...(kinds.get(name)?.kinds ?? [])]));
    const missing = new Set([...kinds.values()].flatMap((own) => [...own.kinds]).filter((kind) => !had.has(kind)));
    expect(kinds.size).toBe(names.length);
    if (missing.size === 0) return;
    const list = covering(kinds).map((name) => `${name}\n`);
    await expect(list.join(''), [...missing].join('; ')).toMatchFileSnapshot('../support/covering.txt');
  });
});
