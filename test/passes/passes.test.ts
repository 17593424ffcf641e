/** The passes one by one: what they do, where they must do nothing, and that they never change a result. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exact } from '../../dsl/types/size.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import type { GraphOperand } from '../../compiler/elaborate/lowering-context.ts';
import type { Graph } from '../../compiler/graph/graph-ir.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { verifyGraph } from '../../compiler/graph/verify-graph.ts';
import { distributeOverConcat } from '../../compiler/passes/distribute-over-concat.ts';
import { dropDeadValues } from '../../compiler/passes/drop-dead-values.ts';
import { foldConstants } from '../../compiler/passes/fold-constants.ts';
import { optimise, passList, passNames } from '../../compiler/passes/pass-list.ts';
import type { Pass } from '../../compiler/passes/pass.ts';
import { shareValues } from '../../compiler/passes/share-values.ts';
import { simplifyViews } from '../../compiler/passes/simplify-views.ts';
import { GraphFixture } from '../graph/graph-fixture.ts';
import { programs } from './random-graphs.ts';
import { resultsOf } from './results.ts';

const all: readonly Pass[] = [foldConstants, simplifyViews, distributeOverConcat, shareValues, dropDeadValues];

const count = (graph: Graph, kind: string): number =>
  graph.nodes.filter((n) => n.kind === kind || (n.kind === 'map' && n.op === kind)).length;

/** What is close to one another: passes may add in another order. */
function close(got: readonly (readonly number[])[], wanted: readonly (readonly number[])[], text: string): void {
  expect(got.map((g) => g.length)).toEqual(wanted.map((w) => w.length));
  got.forEach((g, i) =>
    g.forEach((v, k) => {
      // Sums of a few numbers below 10: an ulp or so.
      if (!(Math.abs(v - (wanted[i]?.[k] ?? NaN)) <= 1e-12)) expect.fail(`${v} is not ${wanted[i]?.[k]}\n${text}`);
    }),
  );
}

describe.each(all.map((pass) => [pass.name, pass] as const))('%s', (_, pass) => {
  it('keeps the results of random programs', () => {
    fc.assert(
      fc.property(programs, ({ bench, results }) => {
        const graph = bench.graph(...results);
        const run = { inputs: bench.inputs };
        const after = pass.run(graph);
        verifyGraph(after, `pass ${pass.name}`);
        close(resultsOf(after, run), resultsOf(graph, run), printGraph(graph) + printGraph(after));
      }),
      { numRuns: 80 },
    );
  });

  it('has nothing to do a second time', () => {
    fc.assert(
      fc.property(programs, ({ bench, results }) => {
        const once = dropDeadValues.run(pass.run(pass.run(bench.graph(...results))));
        const again = dropDeadValues.run(pass.run(once));
        expect(again.nodes.length).toBe(once.nodes.length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('optimise', () => {
  it('keeps the results of random programs, poisoned', () => {
    fc.assert(
      fc.property(programs, ({ bench, results }) => {
        const graph = bench.graph(...results);
        const { graph: after, domains } = optimise(graph);
        const got = resultsOf(after, { inputs: bench.inputs, domains, poison: true });
        close(got, resultsOf(graph, { inputs: bench.inputs }), printGraph(graph) + printGraph(after, { domains }));
      }),
      { numRuns: 150 },
    );
  });

  it('can be stopped, skipped and watched', () => {
    const t = new GraphFixture();
    const T = t.axis('T', 2);
    const graph = t.graph(t.call('add', { x: t.input('x', [T], [1, 2]), y: t.call('zeros', {}, { axes: [T] }) }));
    const seen: string[] = [];
    optimise(graph, {
      after: ({ name, skipped }) => seen.push(skipped ? `(${name})` : name),
      skip: new Set(['share-values']),
      limit: 7,
    });
    expect(seen).toEqual(passList.map((p, i) => (p.name === 'share-values' || i >= 7 ? `(${p.name})` : p.name)));
    expect(passNames.slice(-2)).toEqual(['sparsify', 'fuse-elementwise']);
    expect(optimise(graph, { limit: 0 }).materialised.size).toBeGreaterThan(0);
  });
});

describe('fold-constants', () => {
  it('folds what is known and leaves the rest', () => {
    const t = new GraphFixture();
    const T = t.axis('T', 2);
    const x = t.input('x', [T], [1, 2]);
    const two: GraphOperand = { kind: 'tensor', value: t.backend.scalar(exact(2), 'f32') };
    const one = t.call('sub', { x: two, y: t.call('ones', {}, { axes: [] }) });
    const y = t.call('mul', { x: t.call('pow', { x, y: two }), y: one });
    const after = dropDeadValues.run(foldConstants.run(t.graph(y)));
    expect(printGraph(after)).toMatchInlineSnapshot(`
      "graph test
        axes T = 2
        %0 = input x : f32[T]
        %1 = mul %0 %0 : f32[T]
        result y0 = %1 [T]
      "
    `);
  });

  it('never makes a constant that is not finite', () => {
    const t = new GraphFixture();
    const zero: GraphOperand = { kind: 'tensor', value: t.backend.scalar(exact(0), 'f32') };
    const graph = foldConstants.run(t.graph(t.call('log', { x: zero }), t.call('div', { x: zero, y: zero })));
    expect(count(graph, 'log') + count(graph, 'div')).toBe(2);
  });

  it('a route of everything is dense', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 2), t.axis('E', 2)];
    const r = t.call('all', { s: t.input('s', [T, E], [1, 2, 3, 4]) }, { over: [E] });
    const graph = dropDeadValues.run(
      foldConstants.run(t.graph(t.call('dot', { left: r, right: t.input('y', [E], [1, 1]) }, { over: [E] }))),
    );
    expect(count(graph, 'predicated') + count(graph, 'presence')).toBe(0);
  });
});

describe('simplify-views', () => {
  it('there and back is nothing', () => {
    const t = new GraphFixture();
    const [T, U, E, G, M] = [t.axis('T', 2), t.axis('U', 2), t.axis('E', 4), t.axis('G', 2), t.axis('M', 2)];
    const x = t.input('x', [T, E], [1, 2, 3, 4, 5, 6, 7, 8]);
    const there = t.call('split', { x: t.call('rename', { x }, { from: [T], to: [U] }) }, { axis: [E], into: [G, M] });
    const back = t.call(
      'rename',
      { x: t.call('merge', { x: there }, { axes: [G, M], into: [E] }) },
      { from: [U], to: [T] },
    );
    const graph = dropDeadValues.run(simplifyViews.run(t.graph(back)));
    expect(graph.nodes.map((n) => n.kind)).toEqual(['input']);
  });

  it('a part of a concat is the part', () => {
    const t = new GraphFixture();
    const [A, B, C, W] = [t.axis('A', 2), t.axis('B', 3), t.axis('C', 5), t.axis('W', 2)];
    const c = t.call(
      'concat',
      { a: t.input('a', [A], [1, 2]), b: t.input('b', [B], [3, 4, 5]) },
      { along: [A, B], into: [C] },
    );
    const window = (from: number): GraphOperand =>
      t.call('window', { x: c }, { axis: [C], as: [W] }, { from, to: from + 2 });
    expect(count(dropDeadValues.run(simplifyViews.run(t.graph(window(0)))), 'concat')).toBe(0);
    expect(count(dropDeadValues.run(simplifyViews.run(t.graph(window(3)))), 'concat')).toBe(0);
    // Across the border there is nothing to pick.
    expect(count(dropDeadValues.run(simplifyViews.run(t.graph(window(1)))), 'concat')).toBe(1);
  });
});

describe('distribute-over-concat', () => {
  /** mix[P] = ffn[E] | consts[G, M] | copy | zero */
  function union(of: (t: GraphFixture, axes: { T: Axis; P: Axis }, mix: GraphOperand) => GraphOperand): {
    graph: Graph;
    inputs: GraphFixture['inputs'];
  } {
    const t = new GraphFixture();
    const [T, D, E, G, M] = [t.axis('T', 3), t.axis('D', 2), t.axis('E', 3), t.axis('G', 1), t.axis('M', 2)];
    const P = t.axis('P', 7);
    const x = t.input('x', [T, D], [1, 2, 3, 4, 5, 6]);
    const w = t.input('w', [E, D], [1, -1, 2, -2, 3, -3]);
    const ffn = t.call('silu', { x: t.call('mul', { x: w, y: x }) });
    const consts = t.call('mul', { x: t.input('v', [G, M, D], [1, 2, 3, 4]), y: x });
    const zero: GraphOperand = { kind: 'tensor', value: t.backend.scalar(exact(0), 'f32') };
    const parts = [ffn, consts, x, zero].map((v, i) => {
      if (v.kind !== 'tensor') throw new Error('a tensor is wanted');
      return { value: v.value, axes: [[E], [G, M], [], []][i] ?? [] };
    });
    const mix: GraphOperand = { kind: 'tensor', value: t.backend.unite(parts, P) };
    const result = of(t, { T, P }, mix);
    return { graph: t.graph(result), inputs: t.inputs };
  }

  it('each part of a union gets a reduction of its own, zero none', () => {
    const { graph, inputs } = union((t, { T, P }, mix) => {
      const s = t.input('s', [T, P], [7, 1, 2, 3, 4, 5, 6, 1, 7, 2, 3, 4, 5, 6, 6, 1, 2, 7, 3, 5, 4]);
      const r = t.call('normalize', { r: t.call('top_k', { s }, { over: [P] }, { k: 3 }) }, { over: [P] });
      return t.call('dot', { left: r, right: mix }, { over: [P] });
    });
    const after = dropDeadValues.run(simplifyViews.run(foldConstants.run(distributeOverConcat.run(graph))));
    verifyGraph(after, 'graph');
    close(resultsOf(after, { inputs }), resultsOf(graph, { inputs }), printGraph(after));
    expect(count(after, 'concat')).toBe(0);
    const sums = after.nodes.filter((n) => n.kind === 'reduce' && after.nodes[n.operand]?.kind === 'predicated');
    // ffn over E, consts over (G, M), and the sum that normalizes.
    expect(sums.map((n) => (n.kind === 'reduce' ? n.over.map((a) => after.axes.get(a)?.name).join() : ''))).toEqual([
      'P',
      'E',
      'G,M',
    ]);
    // What every part sees: ffn on its own assignments.
    const { graph: fused, domains } = optimise(graph);
    const silu = fused.nodes.find((n) => n.kind === 'map' && n.op === 'silu');
    const presence = fused.nodes[(silu && domains.get(silu.id)?.presences[0]) ?? -1];
    expect(presence?.axes.map((a) => fused.axes.get(a)?.name).sort()).toEqual(['E', 'T']);
  });

  it('a route over one part alone costs nothing for the others', () => {
    const { graph, inputs } = union((t, { T, P }, mix) => {
      const E = t.axis('E2', 3);
      const r = t.call('top_k', { s: t.input('s', [T, E], [1, 2, 3, 3, 2, 1, 2, 3, 1]) }, { over: [E] }, { k: 1 });
      if (r.kind !== 'route') throw new Error('a route is wanted');
      const wide: GraphOperand = { kind: 'route', value: t.backend.embed(r.value, [E], P, exact(0)) };
      return t.call('dot', { left: wide, right: mix }, { over: [P] });
    });
    const after = optimise(graph).graph;
    close(resultsOf(after, { inputs }), resultsOf(graph, { inputs }), printGraph(after));
    expect(count(after, 'concat')).toBe(0);
    expect(
      after.nodes.filter((n) => n.kind === 'reduce' && n.op === 'sum').length,
      'beside the mask of what is chosen',
    ).toBe(1);
  });

  it('does nothing to a sum over another axis', () => {
    const { graph } = union((t, { T }, mix) => t.call('sum', { x: mix }, { over: [T] }));
    expect(distributeOverConcat.run(graph).nodes.length).toBe(dropDeadValues.run(graph).nodes.length);
  });
});

describe('fuse-elementwise', () => {
  it('stores sums and what is dear and read again and again, nothing else', () => {
    const t = new GraphFixture();
    const [T, D, F] = [t.axis('T', 2), t.axis('D', 3), t.axis('F', 4)];
    const x = t.input('x', [T, D], [1, 2, 3, 4, 5, 6]);
    const w = (name: string, axes: readonly Axis[]): GraphOperand =>
      t.input(
        name,
        axes,
        Array.from({ length: 12 }, (_, i) => i / 12),
      );
    const h = t.call('silu', { x: t.call('dot', { left: w('w1', [F, D]), right: x }, { over: [D] }) });
    const g = t.call('mul', { x: h, y: t.call('dot', { left: w('w3', [F, D]), right: x }, { over: [D] }) });
    const y = t.call('add', { x: t.call('dot', { left: w('w2', [D, F]), right: g }, { over: [F] }), y: x });
    const fused = optimise(t.graph(y));
    const stored = fused.graph.nodes
      .filter((n) => fused.materialised.has(n.id))
      .map((n) => (n.kind === 'map' ? n.op : n.kind));
    expect(stored).toEqual(['contract', 'contract', 'mul', 'contract', 'add']);
  });
});
