/**
 * What an entry declares stands under the entry, whoever runs or calls it; results, outputs and losses are of a run, and begin
 * at the entry that runs. What nothing is made of needs no weights.
 */
import { expect, test } from 'vitest';
import { pathsOf, runs, vector } from './declarations-support.ts';

const two = `model Two {
  axis T, D = 2
  forward(x: [T, D]) -> (own: [T], other: [T]) {
    param head: [D]
    state calls: f32 = 3
    router gate(x: [D]) -> route[D] {
      param g: [D]
      loss size = sum(g, over: D)
      top_k(g * x, 1, over: D)
    }
    update calls = calls + 1
    output picked = sum(gate(x), over: D)
    (own: head @ x + calls, other: score(x))
  }
  score(x: [T, D]) -> [T] {
    param head: [D]
    state calls: f32 = 7
    output seen = head @ x + calls
    head @ x
  }
}
`;
const x = { shape: [1, 2], values: [1, 2] };

test('two entries have params and states of one name, each its own', async () => {
  const weights = { 'forward.head': vector(1, 1), 'score.head': vector(10, 100), 'forward.gate.g': vector(5, 1) };
  const gives = {
    own: [6],
    other: [210],
    picked: [5],
    'score.seen': [217],
    'loss.gate.size': [6],
    'state.forward.calls': [4],
  };
  const prepared = await runs({ text: two, weights, inputs: { x }, gives });
  expect([...pathsOf(prepared)].sort()).toEqual([
    'forward.calls',
    'forward.gate.g',
    'forward.head',
    'score.calls',
    'score.head',
  ]);
});

test('an entry that is run names its outputs as its own, its stores as the model’s', async () => {
  const gives = { output: [210], seen: [217] };
  const prepared = await runs({
    text: two,
    entry: 'score',
    weights: { 'score.head': vector(10, 100) },
    inputs: { x },
    gives,
  });
  expect(pathsOf(prepared)).toEqual(['score.head', 'score.calls']);
});

test('experts, axes and instances of a template in an entry stand under it', async () => {
  const text = `expert Scale(x: [D]) -> [D] {
  param a: [D]
  a * x
}
model M {
  axis D = 2, E = 2
  forward(x: [D]) -> [D] {
    axis Half = D / 2
    experts f[E] = Scale
    param w: [Half]
    sum(f(x), over: E) + sum(w, over: Half)
  }
  other(x: [D]) -> [D] {
    experts f = Scale
    f(x)
  }
}
`;
  const weights = { 'forward.f.a': { shape: [2, 2], values: [1, 2, 3, 4] }, 'forward.w': vector(100) };
  await runs({ text, weights, inputs: { x: vector(1, 10) }, gives: { output: [104, 160] } });
  await runs({
    text,
    entry: 'other',
    weights: { 'other.f.a': vector(5, 6) },
    inputs: { x: vector(1, 10) },
    gives: { output: [5, 60] },
  });
});

test.each([
  ['a let', 'let unused = waste * x\n    used * x'],
  ['a let of a let', 'let a = waste * x\n    let b = a + 1\n    used * x'],
  ['the half of a tuple', 'let (a, _) = (used * x, waste * x)\n    a'],
  [
    'the half of what a function gives',
    'fn both(x: [D]) -> ([D], [D]) { (used * x, waste * x) }\n    let (a, _) = both(x)\n    a',
  ],
  [
    'a carried value that is dropped',
    'let (h, _) = chain l in L carrying (h = x, m = x) { (used * h, waste * m) }\n    h / used',
  ],
  [
    'a router whose route is not used',
    'router gate(x: [D]) -> route[D] { top_k(waste * x, 1, over: D) }\n    let r = gate(x)\n    used * x',
  ],
  ['experts that are not called', 'experts f = Waste\n    let g = f\n    used * x'],
])('%s that nothing reads needs no weights', async (_, body) => {
  const text = `expert Waste(x: [D]) -> [D] {
  param a: [D]
  a * x
}
model M {
  axis D = 2, L = 2
  param used: [D], waste: [D]
  forward(x: [D]) -> [D] {
    ${body}
  }
}
`;
  const prepared = await runs({
    text,
    weights: { used: vector(2, 3) },
    inputs: { x: vector(1, 1) },
    gives: { output: [2, 3] },
  });
  expect(pathsOf(prepared)).toEqual(['used']);
});

test('of a family only the members that something is made of are wanted', async () => {
  const text = `model M {
  axis D = 2, L = 3
  param b: [L, D] from "b.{L}"
  fn f[L](x: [D]) -> [D] {
    param c: [D] from "c.{L}"
    c * x
  }
  forward(x: [D]) -> [D] {
    let unused = f(x)
    f[L: 1](x)
  }
}
`;
  await runs({ text, weights: { 'c.1': vector(2, 3) }, inputs: { x: vector(1, 1) }, gives: { output: [2, 3] } });
});

test('an update counts as a reading, an unused control needs no value', async () => {
  const text = `model M {
  axis D = 2
  state seen: [D] from "seen" = 0
  input tilt: f32
  forward(x: [D]) -> [D] {
    let unused = x * tilt
    update seen = x
    x
  }
}
`.replace('from "seen" = 0', '= 0 from "seen"');
  const prepared = await runs({ text, inputs: { x: vector(1, 2) }, gives: { 'state.seen': [1, 2] } });
  expect(pathsOf(prepared)).toEqual(['seen']);
});
