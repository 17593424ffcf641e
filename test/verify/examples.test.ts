/**
 * Every example of the repository, run by the kernels on the CPU and judged launch by launch: numbers of each result are compared, at
 * least 95 of 100 in all, and none is off. `npx vitest run test/verify/examples.test.ts` prints the table.
 *
 * Sizes: axes of 32 points and more are halved until they have fewer, where the example compiles like that.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { loadExterns } from '../../compiler/cli/run-options.ts';
import { stepwiseOnKernels } from '../../compiler/cli/stepwise.ts';
import { verdictOf } from '../../compiler/cli/verdicts.ts';
import { asNumber } from '../../dsl/meaning/size.ts';
import { prepareText, ready } from '../language/support.ts';

const folder = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(folder, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));
const lines: string[] = [];

function prepared(name: string) {
  const files = readdirSync(join(folder, name)).filter((f) => f.endsWith('.moe'));
  const texts = new Map(files.map((f) => [f, readFileSync(join(folder, name, f), 'utf8')] as const));
  const text = texts.get('model.moe') ?? '';
  const whole = prepareText(text, { name: 'model.moe', files: texts }).prepared;
  if (whole === null) throw new Error('the example has mistakes');
  const sets = new Map<string, string>();
  for (const axis of whole.entry.plain.graph.axes.values()) {
    let size = asNumber(axis.size) ?? 0;
    const declared = new RegExp(`\\baxis\\b[^\\n]*\\b${axis.name} = \\d+`).test(text);
    if (!declared || size < 32) continue;
    while (size >= 32 && size % 2 === 0) size /= 2;
    sets.set(axis.name, String(size));
  }
  const small = prepareText(text, { name: 'model.moe', files: texts, sets }).prepared;
  return small === null ? { run: whole, sets: new Map<string, string>() } : { run: small, sets };
}

it.each(names)(
  '%s',
  async (name) => {
    const { run, sets } = prepared(name);
    const host = join(folder, name, 'host.mjs');
    const externs = existsSync(host) ? { externs: await loadExterns(host) } : {};
    const sizes = new Map(run.manifest.dynamic.map((axis) => [axis, 5] as const));
    const given = ready(run, { sizes, sets, ...externs });
    const stepwise = await stepwiseOnKernels(given);
    const verdict = verdictOf(given, stepwise, null);
    const { compared, undecided, left } = verdict.launches;
    lines.push(`${name.padEnd(28)} ${String(compared).padStart(8)} compared, ${undecided} undecided, ${left} left f32`);
    expect(verdict.firstWrong).toBe(null);
    expect(compared).toBeGreaterThanOrEqual(0.95 * (compared + undecided + left));
    for (const tensor of verdict.tensors) {
      const isHosts = tensor.reason?.startsWith('nothing was compared: it is the host') === true && existsSync(host);
      const count = tensor.shape.reduce((n, k) => n * k, 1);
      if (!isHosts && count > 0) expect(tensor.compared, `${name}: ${tensor.name}`).toBeGreaterThan(0);
    }
  },
  120_000,
);

afterAll(() => {
  console.log(lines.join('\n'));
});
