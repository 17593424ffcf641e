/** The examples at small sizes, ready to run: axes of 32 points and more are halved until they have fewer, where that compiles. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadExterns } from '../../compiler/cli/running/run-options.ts';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import { analyse } from '../../compiler/front-end.ts';
import type { GraphAxis } from '../../compiler/graph/graph-ir.ts';
import { portableOf, webgpuCore } from '../../compiler/target.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import { asNumber } from '../../dsl/types/size.ts';
import { prepareText, ready } from '../language/support.ts';
import type { Ready } from '../language/support.ts';

const folder = fileURLToPath(new URL('../../examples', import.meta.url));

export const exampleNames = readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
  e.isDirectory() ? [e.name] : [],
);

/** Whether the host computes a part of an example. */
export const hasHost = (name: string): boolean => existsSync(join(folder, name, 'host.mjs'));

function prepared(name: string, plans: 'all' | 'results' = 'all') {
  const files = readdirSync(join(folder, name)).filter((f) => f.endsWith('.moe'));
  const texts = new Map(files.map((f) => [f, readFileSync(join(folder, name, f), 'utf8')] as const));
  const text = texts.get('model.moe') ?? '';
  const sets = new Map<string, string>();
  for (const axis of axesOf(text, texts)) {
    let size = asNumber(axis.size) ?? 0;
    const declared = new RegExp(`\\baxis\\b[^\\n]*\\b${axis.name} = \\d+`).test(text);
    if (!declared || size < 32) continue;
    while (size >= 32 && size % 2 === 0) size /= 2;
    sets.set(axis.name, String(size));
  }
  // What the kernel interpreter runs when everything is asked for.
  const options = { name: 'model.moe', files: texts, target: portableOf(webgpuCore), plans } as const;
  const small = prepareText(text, { ...options, sets }).prepared;
  if (small !== null) return { run: small, sets };
  const whole = prepareText(text, options).prepared;
  if (whole === null) throw new Error('the example has mistakes');
  return { run: whole, sets: new Map<string, string>() };
}

/** The axes that the example's entry computes along, at the sizes it has. */
function axesOf(text: string, texts: ReadonlyMap<string, string>): readonly GraphAxis[] {
  const resolve = (file: string): SourceFile | null => {
    const other = texts.get(file);
    return other === undefined ? null : { name: file, text: other };
  };
  const { program } = analyse({ name: 'model.moe', text }, { resolve });
  if (program === null) throw new Error('the example has mistakes');
  const { entries } = elaborate(program, { overrides: new Map() }, (problem) => {
    throw new Error(problem.message);
  });
  const entry = entries.find((e) => e.name === 'forward') ?? entries[0];
  return entry === undefined ? [] : [...entry.inference.axes.values()];
}

/** An example with values for everything a run needs, and five points along each axis that a run decides. */
export async function smallExample(name: string): Promise<Ready> {
  const { run, sets } = prepared(name);
  const externs = hasHost(name) ? { externs: await loadExterns(join(folder, name, 'host.mjs')) } : {};
  const sizes = new Map(run.manifest.dynamic.map((axis) => [axis, 5] as const));
  return ready(run, { sizes, sets, ...externs });
}

/** An example that is asked for its results alone: with so many points along one axis that a run decides, and one along all others. */
export async function fewExample(name: string): Promise<(rows: number) => Ready> {
  const { run, sets } = prepared(name, 'results');
  const externs = hasHost(name) ? { externs: await loadExterns(join(folder, name, 'host.mjs')) } : {};
  const { dynamic } = run.manifest;
  return (rows) => {
    const sizes = new Map(dynamic.map((axis, i) => [axis, i === dynamic.length - 1 ? rows : 1] as const));
    const { prepared: own, request } = ready(run, { sizes, sets, ...externs });
    return { prepared: own, request: { ...request, sizes, want: { losses: false, outputs: false, updates: false } } };
  };
}
