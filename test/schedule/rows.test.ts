/** Rows beside what has memory that costs would compute in passing: whoever reads a value finds it where it is. */
import { expect, it } from 'vitest';
import { domainOf } from '../../compiler/graph/domains.ts';
import { memoryOf } from '../../compiler/graph/node-memory.ts';
import { forEachStatement } from '../../compiler/kernel/visit-kernel.ts';
import { dependenciesOf } from '../../compiler/schedule/deciding/choose-storage.ts';
import { byCost, type Decider } from '../../compiler/schedule/deciding/decider.ts';
import { stepTexts } from '../../compiler/schedule/deciding/print-schedule.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import type { RowStep } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { faultText, scheduleFaults } from '../../compiler/schedule/deciding/verify-schedule.ts';
import { settled } from '../../compiler/schedule/schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import { compiledAgain } from './compiled-again.ts';
import { sharedLayer } from './programs.ts';

it('who sums along slots reads what it sums, also where what is summed has memory under its presence', () => {
  const { fused } = preparedOf(`model Layers {
    axis T, D = 3, L = 2
    forward(s: [T, L], y: [L, D]) -> [T, D] { top_k(softmax(s, over: L), 1, over: L) @ (2 * y) }
  }`).entry.inference;
  const all = fused.graph.nodes.filter((node) => memoryOf(node) === 'possible').map(({ id }) => id);
  const summed = fused.graph.nodes.flatMap((node) => (node.kind === 'predicated' ? [node.id] : []));
  expect(summed).not.toEqual([]);
  // The presence joins the row of the score it is chosen by; the sum stands apart from both.
  const sum = fused.graph.nodes.flatMap((node) =>
    node.kind === 'reduce' && summed.includes(node.operand) ? [node.id] : [],
  );
  const decider: Decider = {
    ...byCost,
    stored: new Set(all),
    makesList: () => false,
    joins: (id) => !sum.includes(id),
  };
  const { schedule } = settled(fused, webgpuCore, decider, () => '');
  const texts = stepTexts(schedule, fused.graph);
  expect(texts.filter((text) => text.includes('reduce_slots'))).toHaveLength(1);
  expect(texts.filter((text) => /^row .*choose/.test(text))).toHaveLength(1);
});

/** The steps of the plan for results alone, as text. */
const stepsOf = (text: string, regime: Regime = 'many'): readonly string[] => {
  const { schedule, fused } = preparedOf(text, { regime }).entry.inference;
  return stepTexts(schedule, fused.graph);
};

/** A normalised input, for which a launch has a buffer less: what behind the choice reads the scores reads them in the row. */
const normalised = `import { SwiGLU } from "std"
model Normalised {
  axis T, D = 64, E = 32, F = 64
  param scale: [D], w: [E, D], b: [E]
  experts ffn[E] = SwiGLU<F>
  forward(x: [T, D]) -> [T, D] {
    let y = x * rsqrt(mean(x * x, over: D) + 0.00001) * scale
    x + softmax(top_k(w @ y + b, 4, over: E), over: E) @ ffn(y)
  }
}`;

it('a value joins a row although a launch then binds too much, where those behind it are its only readers', () => {
  const rows = stepsOf(normalised).filter((text) => text.startsWith('row '));
  // The router, and what the chosen come to.
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatch(/ tile .* choose on .* reduce_slots .* map on \[r1\] in memory$/);
});

it('with few rows it is one as well: a sum with its contractions does not load which slots are there', () => {
  const rows = stepsOf(normalised, 'few').filter((text) => text.startsWith('row '));
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatch(/ tile .* choose on .* reduce_slots .* map on \[r0\] in memory$/);
});

it('what only its row reads has no memory, though it says where something is that is named', () => {
  // Whether a score is a number is asked by the choice; the presences of what was chosen are made of it, and nobody asks them.
  expect(stepsOf(normalised)[0]).toMatch(/ map on \[T, E\] in c\d+ \| %\d+ choose /);
});

it('a number for each row that reads the same input is computed in the row that is there first', () => {
  const steps = stepsOf(
    sharedLayer(64, 64, 32, 4)
      .replace('forward(x', 'param open: [D]\n  forward(x')
      .replace('+ down', '+ sigmoid(open @ x) * down'),
  );
  const router = steps.find((text) => text.includes(' choose '));
  expect(router).toMatch(/%\d+ tile 1 x 1 of %\d+, rows one by one, columns \(\)(?:, loads of 4)? on \[T\] in memory/);
});

it('a driver cannot count the rounds of a row, of a recurrence or of a choice among many', () => {
  const { plan } = preparedOf(
    `model Layers {
    axis T, D = 6, E = 5, H = 6, V = 3000
    param w: [E, D]
    param u: [D, H]
    forward(x: [T, D], s: [T, V]) -> (route [T, V], [T, E], [D]) {
      let (last, _) = chain t in T carrying h: [D] = 0 collecting next {
        let next = tanh(x[t] + u @ rename(h, D: H))
        next
      }
      (top_k(s, 50, over: V), softmax(w @ x, over: E), last)
    }
  }`,
    { target: webgpuCore },
  ).entry.inference;
  const families = new Set(plan.kernels.map(({ name }) => name));
  expect(
    ['choose_long', 'fold', 'row'].filter((family) => !families.has(family)),
    [...families].join(),
  ).toEqual([]);
  for (const { name, body } of plan.kernels) {
    const counted: string[] = [];
    forEachStatement(body, (statement) => {
      if (statement.kind === 'for' && statement.from.kind === 'literal' && statement.to.kind === 'literal')
        counted.push(statement.name);
    });
    expect(counted, name).toEqual([]);
  }
});

/** Experts that a draw chooses, and a norm that waits for none of it. */
const drawn = `import { ReluMlp } from "std"
model Drawn {
  axis T, D = 64, E = 16, F = 64
  experts ffn[E] = ReluMlp<F>
  forward(x: [T, D]) -> [T, D] {
    let y = (x - mean(x, over: D)) * rsqrt(mean(x * x, over: D) + 0.00001)
    x + pick(i32(floor(E * uniform[T])), over: E) @ ffn(y)
  }
}`;

it('a row behind another one, on the same rows, of what a run is given alone, is the same launch', async () => {
  const [first, ...others] = stepsOf(drawn);
  expect(first).toMatch(/^row \(T\).* draw on \[T\] in memory/);
  expect(first).toMatch(/ reduce on \[T\] in c\d+/);
  expect(others.filter((text) => text.includes('reduce on'))).toEqual([]);
  const run = ready(preparedOf(drawn, { target: webgpuCore }), { sizes: new Map([['T', 5]]) });
  expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  const { schedules } = compiledAgain(drawn, (schedule) => schedule);
  expect(schedules[0]).toMatch(/row \(T\).* draw on .* reduce on/);
});

/** Experts that end with what looks at all of a row: the chosen rows are in a list, sorted or scanned for. */
const ending = (end: string, choice: string): string => `model Ending {
  axis T, D = 64, F = 64, O = 32, E = 8
  expert Toy(x: [D]) -> [O] {
    param w1: [F, D], w2: [O, F], scale: [O]
    let y = w2 @ relu(w1 @ x)
    ${end}
  }
  experts ffn[E] = Toy
  param gate: [E, D]
  forward(x: [T, D]) -> [T, O] { ${choice} @ ffn(x) }
}`;

it.each([
  ['a softmax', 'softmax(scale * y, over: O)', 'top_k(softmax(gate @ x, over: E), 2, over: E)'],
  ['a norm', 'y * rsqrt(mean(y * y, over: O) + 0.00001) * scale', 'top_k(softmax(gate @ x, over: E), 2, over: E)'],
  ['a softmax of a scanned list', 'softmax(scale * y, over: O)', 'top_p(softmax(gate @ x, over: E), 0.6, over: E)'],
])('%s behind an expert is one launch on the rows of the list of assignments', async (_, end, choice) => {
  const text = ending(end, choice);
  const rows = stepsOf(text).filter((step) => /^row .* of r\d+, (?:one|group) a row/.test(step));
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatch(/ reduce on \[r\d+\]/);
  expect(stepsOf(text).filter((step) => / reduce on \[r\d+\]/.test(step))).toHaveLength(1);
  for (const sizes of [1, 7]) {
    const run = ready(preparedOf(text, { target: webgpuCore }), { sizes: new Map([['T', sizes]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  }
  expect(compiledAgain(text, (schedule) => schedule).schedules[0]).toMatch(/row \(.*\) of r\d+, /);
});

it('experts whose rows a router of their own goes on from choose in a row of the list', async () => {
  const text = `import { SwiGLU } from "std"
  model Nested {
    axis T, D = 16, F = 32, E = 4, N = 3
    expert Inner<F>(x: [D]) -> [D] {
      experts part[N] = SwiGLU<F>
      param v: [N, D]
      top_k(v @ x, 1, over: N) @ part(x)
    }
    experts outer[E] = Inner<F>
    param w: [E, D]
    forward(x: [T, D]) -> [T, D] { top_k(w @ x, 2, over: E) @ outer(x) }
  }`;
  expect(stepsOf(text).filter((step) => /^row .* of r\d+, .* choose on /.test(step))).toHaveLength(1);
  const run = ready(preparedOf(text, { target: webgpuCore }), { sizes: new Map([['T', 5]]) });
  expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
});
import { runGraphText } from '../graph/run-text.ts';

it('rows of a list are rows of that list alone, and whole ones', () => {
  const { schedule, fused } = preparedOf(ending('softmax(scale * y, over: O)', 'top_k(gate @ x, 2, over: E)')).entry
    .inference;
  const faultsOf = (change: (step: RowStep) => RowStep): readonly string[] => {
    const steps = schedule.steps.map((step) => (step.kind === 'row' && step.list !== null ? change(step) : step));
    return scheduleFaults({ ...schedule, steps }, fused, webgpuCore).map(faultText);
  };
  expect(faultsOf((step) => step)).toEqual([]);
  expect(faultsOf((step) => ({ ...step, list: null })).join()).toMatch(/is on no row of this list/);
  expect(faultsOf((step) => ({ ...step, rows: [] })).join()).toMatch(/a row is of several rows of its list/);
});

it('what goes along what chose its slots is in no row, which has one index for both', async () => {
  // A softmax over D for each expert that some D chose.
  const text = `graph softmax
  axes D = 2, E = 3, S = 1, T = 3
  %0 = constant 1 : i32[]
  %1 = iota E : i32[E]
  %2 = input x : f32[E, D]
  %3 = choose by %2 count %0 over E along S : i32[D, S]
  %4 = eq %3 %1 : bool[D, S, E]
  %5 = any %4 over S : bool[D, E]
  %6 = presence %5 D -> E {per D <= 1} : bool[D, E]
  %7 = any %6 over D : bool[E]
  %8 = presence %7 () -> E {per () <= 2} : bool[E]
  %9 = max %2 over D : f32[E]
  %10 = sub %2 %9 : f32[E, D]
  %11 = exp %10 : f32[E, D]
  %12 = predicated %8 %11 else 0 : f32[E, D]
  %13 = sum %12 over D : f32[E]
  %14 = constant 1 : f32[]
  %15 = maximum %13 %14 : f32[E]
  %16 = div %12 %15 : f32[E, D]
  %17 = predicated %6 %16 else 0 : f32[D, E]
  %18 = input y : f32[T, D]
  %19 = add %17 %18 : f32[D, E, T]
  %20 = tanh %19 : f32[D, E, T]
  %21 = predicated %6 %20 else 0 : f32[D, E, T]
  %22 = sum %21 over D : f32[E, T]
  result z = %22 [E, T]
`;
  const { compared, wrong } = await runGraphText(text, new Map(), 1);
  expect(wrong).toBeNull();
  expect(compared).toBeGreaterThanOrEqual(42);
});

it('nothing has to be computed before an input, wherever it is read', () => {
  const { fused } = preparedOf(`model Layer {
    axis T, E = 4
    forward(x: [T, E], y: [T, E]) -> [T] { sum(top_k(x, 2, over: E) * tanh(y), over: E) }
  }`).entry.inference;
  const inputs = fused.graph.nodes.filter(({ kind }) => kind === 'input');
  // One is read only where something was chosen.
  expect(inputs.map(({ id }) => domainOf(fused, id).presences.length)).toContain(1);
  for (const input of inputs) expect(dependenciesOf(fused, input)).toEqual([]);
});
