/** The fuzzer itself: the same seed gives the same programs, all constructs are among them, and what is wrong is found. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { executeKernels } from '../../compiler/cli/running/execute.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import type { Ready } from '../../compiler/cli/running/execution.ts';
import { coverage } from './coverage.ts';
import { examine, type Case } from './examine.ts';
import { seedOf } from './orders.ts';
import { makeProgram } from './program.ts';
import { shrink } from './shrink.ts';
import type { Limits } from './watch.ts';

/** Enough that a construct which a twentieth of all programs lack room for is still met. */
const programsForCoverage = 1500;

it('the same seed gives the same program', () => {
  for (let i = 0; i < 20; i++) expect(makeProgram(seedOf(3, i))).toEqual(makeProgram(seedOf(3, i)));
  expect(new Set(Array.from({ length: 50 }, (_, i) => makeProgram(seedOf(3, i)).text)).size).toBe(50);
});

it('every construct is generated', () => {
  const counts = coverage(11, programsForCoverage);
  expect([...counts].filter(([, n]) => n === 0).map(([name]) => name)).toEqual([]);
}, 120_000);

/** A mutant of every kernel: one operation of floats where another belongs. */
function mutant(from: string, to: string): (run: Ready) => Promise<ReadonlyMap<string, NamedTensor>> {
  const changed = (x: unknown): unknown => {
    if (Array.isArray(x)) return x.map(changed);
    if (typeof x !== 'object' || x === null) return x;
    const here = 'type' in x && x.type === 'f32';
    return Object.fromEntries(
      Object.entries(x).map(([key, value]) => [key, here && key === 'op' && value === from ? to : changed(value)]),
    );
  };
  return ({ prepared, request }) => {
    const { compilation } = prepared;
    // Kernels are plain data: the copy has the same shape.
    const kernels = compilation.kernels.map((kernel) => Object.assign({}, kernel, changed(kernel)));
    return executeKernels({ ...prepared, compilation: { ...compilation, kernels } }, request);
  };
}

it('finds a planted mutant and makes it small', async () => {
  const options = { on: 'kernels', instead: mutant('min', 'max') } as const;
  const wrong = async (given: Case): Promise<boolean> => {
    const outcome = await examine(given, options);
    return outcome.kind === 'finding' && outcome.finding.kind === 'numbers';
  };
  const given: Case = {
    text: `
      import { SwiGLU } from "std"
      model Planted {
        axis T, D = 4, E = 3, F = 5
        experts ffn[E] = SwiGLU<F>
        router gate(x: [D]) -> route[E] {
          param w: [E, D]
          top_k(w @ x, 2, over: E)
        }
        forward(x: [T, D], y: [T, D]) -> (a: [T, D], b: [T]) {
          let r = gate(x)
          let z = tanh(x) + 0.5 * y
          let m = min(z, 0.25)
          let big = max(2 * z + m, over: D)
          (a: r @ ffn(x) + z, b: big + sum(m, over: D))
        }
      }`,
    sizes: new Map([['T', 7]]),
    profile: 'normal',
    seed: 1,
  };
  expect(await wrong(given)).toBe(true);
  // Without the operation nothing is wrong.
  const text = 'model Sound { axis T, D = 4 forward(x: [T, D], y: [T, D]) -> [T] { sum(x * y, over: D) } }';
  expect(await wrong({ ...given, text })).toBe(false);
  const small = await shrink(given, { keeps: wrong, limit: 60_000, now: Date.now });
  expect(await wrong(small.case)).toBe(true);
  expect(small.case.text).not.toMatch(/ffn|gate|SwiGLU/);
  expect(small.case.text.split('\n').length).toBeLessThan(12);
}, 240_000);

it('programs are accepted by the checker and the compiler', async () => {
  for (let i = 0; i < 12; i++) {
    const program = makeProgram(seedOf(2, i));
    const outcome = await examine(program, { on: 'reference' });
    expect(['agreed', 'stopped'], `${JSON.stringify(outcome)}\n${program.text}`).toContain(outcome.kind);
  }
}, 240_000);

/** What a process tells that runs `body` with a watch of these limits, and how it ended. */
function watched(given: Limits, body: string): { readonly told: string; readonly status: number | null } {
  const module = fileURLToPath(new URL('watch.ts', import.meta.url));
  const text = `import { watch } from ${JSON.stringify(module)};
    const begin = watch(${JSON.stringify(given)});
    const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
    const work = (ms) => { for (const from = used(); used() < from + ms; ); };
    begin();
    ${body}
    process.exit(0);`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', text];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { told: stdout.trim(), status };
}

it('a program that hangs is told from one that takes long', () => {
  const loop = watched({ work: 500, rest: 60_000 }, 'for (;;);');
  expect(loop).toEqual({
    told: JSON.stringify({ kind: 'hang', message: 'no answer within 0.5 s of work' }),
    status: null,
  });
  const wait = watched({ work: 60_000, rest: 1000 }, 'setInterval(() => {}, 1e6); await new Promise(() => {});');
  expect(wait).toEqual({ told: JSON.stringify({ kind: 'hang', message: 'nothing happened for 1 s' }), status: null });
  // Several programs use more than one may; one that waits uses less than the clock says.
  const several = 'for (let i = 0; i < 4; i++) { work(400); begin(); } await new Promise((r) => setTimeout(r, 1500));';
  expect(watched({ work: 1200, rest: 60_000 }, several)).toEqual({ told: '', status: 0 });
  expect(watched({ work: 500, rest: 60_000 }, 'begin(3000); work(1000);')).toEqual({ told: '', status: 0 });
}, 120_000);
