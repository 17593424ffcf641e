/**
 * Passes and plans as files.
 *
 * `passes/NAME.txt`: the passes to run, a graph, and the graph they make, between lines of `---`. `pass: a, b` runs a, then b;
 * sparsify and fuse-elementwise are shown with domains (`on {%5}`) and with what gets memory (`*`).
 *
 * `plans/NAME.moe`: a program whose last lines say the structure of its plan: launches, kernels of each family, contractions that
 * are computed everywhere and those that are computed only where a route is present.
 *
 * Rewritten by one command, to be read as a diff:
 *   UPDATE=1 npx vitest run test/filetests
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import type { FusedGraph, SparseGraph } from '../../compiler/graph/domains.ts';
import type { Graph } from '../../compiler/graph/graph-ir.ts';
import { parseGraph } from '../../compiler/graph/parse-graph.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { verifyGraph, verifySparse } from '../../compiler/graph/verify-graph.ts';
import { fuseElementwise } from '../../compiler/passes/fuse-elementwise.ts';
import { fuseName, passList, passNames, sparsifyName } from '../../compiler/passes/pass-list.ts';
import { sparsify } from '../../compiler/passes/sparsify.ts';
import { prepareText } from '../language/support.ts';

const update = process.env['UPDATE'] === '1';
const folder = fileURLToPath(new URL('.', import.meta.url));
const filesIn = (name: string, end: string): readonly string[] =>
  readdirSync(`${folder}${name}`).filter((file) => file.endsWith(end)).sort(); // prettier-ignore

interface PassFile {
  readonly passes: readonly string[];
  readonly before: string;
  readonly after: string;
}

function readPassFile(text: string): PassFile {
  const [head = '', before = '', after = ''] = text.split(/^---\n/m);
  return { passes: head.trim().replace(/^pass: /, '').split(', '), before, after }; // prettier-ignore
}

/** The text of what the passes make of a graph. */
function passed(names: readonly string[], before: string): string {
  let graph: Graph = parseGraph(before).graph;
  verifyGraph(graph, 'parse');
  let sparse: SparseGraph | null = null;
  let fused: FusedGraph | null = null;
  for (const name of names) {
    const pass = passList.find((p) => p.name === name);
    if (pass !== undefined) {
      graph = pass.run(graph);
      verifyGraph(graph, `pass ${name}`);
    } else if (name === sparsifyName) {
      sparse = sparsify(graph);
      verifySparse(sparse, `pass ${name}`);
    } else if (name === fuseName) {
      fused = fuseElementwise(sparse ?? sparsify(graph));
    } else throw new Error(`no pass ${name}: ${passNames.join(', ')}`);
  }
  if (fused !== null) return printGraph(fused.graph, { domains: fused.domains, materialised: fused.materialised });
  return sparse === null ? printGraph(graph) : printGraph(sparse.graph, { domains: sparse.domains });
}

describe('passes', () => {
  const files = filesIn('passes', '.txt');
  test.each(files)('%s', (file) => {
    const path = `${folder}passes/${file}`;
    const { passes, before, after } = readPassFile(readFileSync(path, 'utf8'));
    const made = passed(passes, before);
    if (update) writeFileSync(path, `pass: ${passes.join(', ')}\n---\n${before}---\n${made}`);
    else expect(made).toBe(after);
    // What is read is what was printed.
    expect(printGraph(parseGraph(before).graph)).toBe(before);
  });

  it('each has a file, and one in which it does nothing', () => {
    for (const name of passNames) {
      const own = files
        .map((file) => readPassFile(readFileSync(`${folder}passes/${file}`, 'utf8')))
        .filter((f) => f.passes.at(-1) === name);
      // Domains and memory are all that the last two add.
      const bare = (text: string): string => text.replace(/ {2}(on|dense) .*$/gm, '').replace(/^( {2}%\d+)\*/gm, '$1');
      expect(own.filter((f) => f.before !== bare(f.after) || f.after !== bare(f.after)).length, name).toBeGreaterThan(
        0,
      );
      expect(own.filter((f) => f.before === f.after).length, `${name} does nothing`).toBeGreaterThan(0);
    }
  });
});

const heading = '// structure: of the plan with losses, outputs and updates';

/** What a plan consists of, one line for each kind of thing. */
function structureOf(text: string, file: string): string {
  const { prepared, diagnostics } = prepareText(text, { name: file });
  if (prepared === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('; '));
  const { plan, fused } = prepared.entry.withAux;
  const families = new Map<string, number>();
  const launches = plan.steps.flatMap((step) =>
    step.kind === 'launch' ? [plan.kernels[step.kernel]?.name ?? '?'] : [],
  );
  for (const name of launches) families.set(name, (families.get(name) ?? 0) + 1);
  const contractions = fused.graph.nodes.filter((n) => n.kind === 'contract');
  const dense = contractions.filter((n) => (fused.domains.get(n.id)?.presences.length ?? 0) === 0);
  return [
    heading,
    `// launches: ${launches.length}`,
    ...[...families].sort().map(([name, n]) => `// ${name}: ${n}`),
    `// contractions everywhere: ${dense.length}`,
    `// contractions where a route is present: ${contractions.length - dense.length}`,
    '',
  ].join('\n');
}

describe('plans', () => {
  test.each(filesIn('plans', '.moe'))('%s', (file) => {
    const path = `${folder}plans/${file}`;
    const [program = '', ...rest] = readFileSync(path, 'utf8').split(`${heading}\n`);
    const structure = structureOf(program, file);
    if (update) writeFileSync(path, `${program.trimEnd()}\n\n${structure}`);
    else expect(`${heading}\n${rest.join('')}`).toBe(structure);
  });
});
