/**
 * `npm run graph -- FILE [--size T=3] [--seed N]`: runs a graph's text with made inputs, by the graph's interpreter and by the kernels on the
 * CPU, and compares the kernels launch by launch. What `moec compile --emit=graph` printed, made small by hand, is a bug report.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { asInteger, substitute } from '../../dsl/types/size.ts';
import { interpretGraph, inOrder } from '../../compiler/graph/interpret-graph.ts';
import type { AxisId, GraphInput } from '../../compiler/graph/graph-ir.ts';
import { parseGraph } from '../../compiler/graph/parse-graph.ts';
import { verifyGraph } from '../../compiler/graph/verify-graph.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { simulatePlan } from '../support/simulate-plan.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { StepComparer } from '../../compiler/verify/step-comparer.ts';
import { summarise } from '../../compiler/verify/summary.ts';
import { Random } from '../fuzz/random.ts';

export interface RanGraph {
  /** One line for each result: what the kernels gave, and the graph's interpreter. */
  readonly lines: readonly string[];
  readonly compared: number;
  /** What is off first, or null. */
  readonly wrong: string | null;
}

/** Runs a graph's text. Axes that a run decides have the size given, or 3. */
export async function runGraphText(text: string, given: ReadonlyMap<string, number>, seed: number): Promise<RanGraph> {
  const { graph } = parseGraph(text);
  verifyGraph(graph, 'parse');
  const dynamic = [...graph.axes.values()].flatMap(({ size }) => (size.kind === 'dynamic' ? [size.axis] : []));
  const sizes = new Map(dynamic.map((name) => [name, given.get(name) ?? 3]));
  const sizeOf = (axis: AxisId | null): number =>
    axis === null ? 0 : (asInteger(substitute(graph.axes.get(axis)?.size ?? { kind: 'real', value: 0 }, sizes)) ?? 0);
  const random = new Random(seed);
  const numbersOf = (input: GraphInput): Float64Array => {
    const count = input.axes.reduce((n, a) => n * sizeOf(a), 1);
    return Float64Array.from({ length: count }, () => {
      if (input.element === 'bool') return random.below(2);
      if (input.element === 'i32')
        return input.within === null ? random.between(-3, 6) : random.below(sizeOf(input.within) + 1) - 1;
      return random.between(-32, 32) / 16;
    });
  };
  const inputs = new Map(graph.inputs.filter((l) => l.default === null).map((l) => [l.name, numbersOf(l)]));
  const { values } = interpretGraph(graph, { inputs, sizes, seed });
  const fused = optimise(graph);
  const { plan, contents } = schedule(fused, webgpuCore);
  const comparer = new StepComparer({
    fused,
    plan,
    contents,
    sizes,
    seed,
    numbersOf: (name) => inputs.get(name) ?? null,
  });
  const ran = await simulatePlan(plan, {
    inputs, stores: inputs, sizes, seed, after: (step, words) => comparer.take(step, words),
  }); // prettier-ignore
  const { compared, firstWrong } = summarise(comparer);
  const results = ran.results();
  const lines = graph.outputs.map((output) => {
    const result = results.get(output.name);
    const node = output.kind === 'tensor' ? output.node : output.present;
    const axes = output.kind === 'tensor' ? output.axes : [...output.sources, ...output.targets];
    const value = values[node];
    const wanted = value === undefined ? [] : [...inOrder(value, axes)];
    const got = result === undefined ? [] : [...(result.kind === 'tensor' ? result.data : result.present.data)];
    const show = (list: readonly number[]): string => list.slice(0, 8).map((n) => String(Number(n.toPrecision(6)))).join(' '); // prettier-ignore
    return `${output.name}: kernels ${show(got)} | graph ${show(wanted)}`;
  });
  const wrong =
    firstWrong === null
      ? null
      : `${firstWrong.comparison.label}, ${firstWrong.comparison.what}[${firstWrong.index.join(', ')}] is ${firstWrong.actual}, not ${firstWrong.expected}`;
  return {
    lines: [...lines, ...ran.faults.map((e) => `error: ${e.code} ${e.message}`)],
    compared,
    wrong,
  };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { size: { type: 'string', multiple: true, default: [] }, seed: { type: 'string', default: '1' } },
  });
  const [file] = positionals;
  if (file === undefined) {
    process.stderr.write('npm run graph -- FILE [--size T=3] [--seed N]\n');
    return 2;
  }
  const sizes = new Map(values.size.map((s) => [s.split('=')[0] ?? '', Number(s.split('=')[1])]));
  const { lines, compared, wrong } = await runGraphText(readFileSync(file, 'utf8'), sizes, Number(values.seed));
  process.stdout.write(`${lines.join('\n')}\n${compared} numbers compared, ${wrong ?? 'all as they should be'}\n`);
  return wrong === null ? 0 : 1;
}

if (process.argv[1]?.endsWith('run-text.ts') === true) process.exitCode = await main();
