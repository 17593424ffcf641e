/**
 * sparsify against the table of SEMANTICS 8.7: which domain each expression gets, and the theorem itself: with
 * everything outside the domains overwritten by NaN, results do not change.
 */
import { describe, expect, it } from 'vitest';
import { sizeKey } from '../../dsl/types/size.ts';
import type { GraphOperand } from '../../compiler/elaborate/lowering-context.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import { boundOf } from '../../compiler/graph/presence-bounds.ts';
import type { SparseGraph } from '../../compiler/graph/domains.ts';
import type { AxisId, Graph, Node } from '../../compiler/graph/graph-ir.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { verifySparse } from '../../compiler/graph/verify-graph.ts';
import { sparsify } from '../../compiler/passes/sparsify.ts';
import { GraphFixture } from '../graph/graph-fixture.ts';
import { resultsOf } from './results.ts';

/** T tokens, E experts, D features, F inner features; x, a router, and an expert family. */
class Moe extends GraphFixture {
  readonly T = this.axis('T', 5);
  readonly E = this.axis('E', 4);
  readonly D = this.axis('D', 3);
  readonly F = this.axis('F', 2);
  #seed = 1;

  random(name: string, axes: readonly Axis[]): GraphOperand {
    const count = axes.reduce((n, a) => n * Number(a.size.kind === 'exact' ? a.size.numerator : 0n), 1);
    const data = Array.from({ length: count }, () => {
      this.#seed = (this.#seed * 48271) % 2147483647;
      return Math.round((this.#seed / 2147483647 - 0.5) * 1e6) / 5e5;
    });
    return this.input(name, axes, data);
  }

  readonly x = this.random('x', [this.T, this.D]);

  scores(name: string, x = this.x, over = this.E): GraphOperand {
    return this.call('dot', { left: this.random(name, [over, this.D]), right: x }, { over: [this.D] });
  }

  gate(name: string, k = 2): GraphOperand {
    return this.call('top_k', { s: this.scores(name) }, { over: [this.E] }, { k });
  }

  /** w2 @ silu(w1 @ x), one for each expert. */
  ffn(x: GraphOperand, name = 'ffn'): GraphOperand {
    const { E, D, F } = this;
    const lift = (v: GraphOperand): GraphOperand =>
      v.kind === 'route' ? { kind: 'tensor', value: this.backend.weights(v.value) } : v;
    const h = this.call('dot', { left: this.random(`${name}.w1`, [E, F, D]), right: lift(x) }, { over: [D] });
    const y = this.call(
      'dot',
      { left: this.random(`${name}.w2`, [E, D, F]), right: this.call('silu', { x: h }) },
      { over: [F] },
    );
    if (x.kind === 'tensor' || y.kind === 'route') return y;
    return { kind: 'route', value: this.backend.present([x.value], y.value) };
  }

  combine(r: GraphOperand, y: GraphOperand, over: readonly Axis[] = [this.E]): GraphOperand {
    return this.call('dot', { left: r, right: y }, { over });
  }
}

function check(bench: GraphFixture, ...results: readonly GraphOperand[]): SparseGraph {
  const graph = bench.graph(...results);
  const sparse = sparsify(graph);
  verifySparse(sparse, 'graph');
  const run = { inputs: bench.inputs };
  const wanted = resultsOf(graph, run);
  expect(wanted.flat().some(Number.isNaN), printGraph(graph)).toBe(false);
  expect(resultsOf(sparse.graph, { ...run, domains: sparse.domains, poison: true })).toEqual(wanted);
  return sparse;
}

const names = (graph: Graph, axes: readonly AxisId[]): string =>
  axes
    .map((a) => graph.axes.get(a)?.name ?? '?')
    .sort()
    .join(' ');

/** The domains of the nodes of a kind (and, of maps, an operation) with these axes, as lists of axis names. */
function domainsOf({ graph, domains }: SparseGraph, kind: string, axes: string): string[] {
  const wanted = axes.split(' ').sort().join(' ');
  const is = (n: Node): boolean =>
    (n.kind === kind || (n.kind === 'map' && n.op === kind)) && names(graph, n.axes) === wanted;
  return graph.nodes.filter(is).map((n) => {
    const domain = domains.get(n.id);
    const presences = (domain?.presences ?? []).map((s) => names(graph, graph.nodes[s]?.axes ?? []));
    return presences.length > 0 ? presences.join(' & ') : `dense${domain?.dense ? ` ${domain.dense.reason}` : ''}`;
  });
}

describe('the domains of common expressions', () => {
  it('r @ ffn(x): the values of the experts are on the assignments, the input once for each token', () => {
    const t = new Moe();
    const s = check(t, t.combine(t.gate('g'), t.ffn(t.x)));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
    expect(domainsOf(s, 'contract', 'T E F')).toEqual(['E T']);
    expect(domainsOf(s, 'contract', 'T E D')).toEqual(['E T']);
    expect(domainsOf(s, 'contract', 'T E')).toEqual(['dense b']);
    expect(domainsOf(s, 'input', 'T D')).toEqual(['dense']);
  });

  it('the relation knows how many assignments there are', () => {
    const t = new Moe();
    const s = check(t, t.combine(t.gate('g'), t.ffn(t.x)));
    const silu = s.graph.nodes.find((n) => n.kind === 'map' && n.op === 'silu');
    const presence = s.graph.nodes[(silu && s.domains.get(silu.id)?.presences[0]) ?? -1];
    if (presence?.kind !== 'presence') throw new Error('no support');
    const sizeOf = (a: AxisId) => s.graph.axes.get(a)?.size ?? { kind: 'real' as const, value: NaN };
    expect(sizeKey(boundOf(presence.bounds, [], presence.axes, sizeOf))).toBe('10');
  });

  it('r @ (a * ffn(x) + x) and a division after', () => {
    const t = new Moe();
    const y = t.call('add', { x: t.call('mul', { x: t.random('a', [t.E]), y: t.ffn(t.x) }), y: t.x });
    const s = check(t, t.call('div', { x: t.combine(t.gate('g'), y), y: t.random('c', [t.T]) }));
    expect(domainsOf(s, 'add', 'T E D')).toEqual(['E T']);
  });

  it('mask(r) @ ffn(r * x): the argument too', () => {
    const t = new Moe();
    const r = t.gate('g');
    const s = check(t, t.combine(t.call('mask', { r }), t.ffn(t.call('mul', { x: r, y: t.x }))));
    expect(domainsOf(s, 'mul', 'T E D').every((d) => d === 'E T')).toBe(true);
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
  });

  it('expert choice: a support has no direction', () => {
    const t = new Moe();
    const r = t.call('top_k', { s: t.scores('g') }, { over: [t.T] }, { k: 2 });
    const s = check(t, t.combine(r, t.ffn(t.x)));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
  });

  it('slots: the places that are filled', () => {
    const t = new Moe();
    const P = t.axis('P', 5);
    const slots = t.call('slots', { r: t.gate('g') }, { over: [t.T], places: [P] });
    const packed = t.call('dot', { left: slots, right: t.x }, { over: [t.T] });
    const s = check(t, t.combine(slots, t.ffn(packed), [t.E, P]));
    expect(domainsOf(s, 'silu', 'E P F')).toEqual(['E P']);
  });

  it('two routers on one family: the union of their assignments', () => {
    const t = new Moe();
    const y = t.ffn(t.x);
    const s = check(t, t.call('add', { x: t.combine(t.gate('g'), y), y: t.combine(t.gate('q', 1), y) }));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
    const silu = s.graph.nodes.find((n) => n.kind === 'map' && n.op === 'silu');
    const presence = s.graph.nodes[(silu && s.domains.get(silu.id)?.presences[0]) ?? -1];
    expect(presence?.kind === 'presence' && presence.bounds.map((b) => sizeKey(b.atMost))).toEqual(['3']);
  });

  it('fewer points of the same route are not a second relation', () => {
    const t = new Moe();
    const r = t.gate('g');
    const y = t.ffn(t.x);
    const norm = t.call('sum', { x: t.call('mul', { x: r, y }) }, { over: [t.D] });
    const kept = t.call('keep', { v: r, c: t.call('gt', { x: norm, y: t.random('c', []) }, {}, {}, 'bool') });
    const s = check(t, t.combine(kept, y));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
  });

  it('a mean over experts besides: dense, by (a)', () => {
    const t = new Moe();
    const y = t.ffn(t.x);
    const s = check(t, t.combine(t.gate('g'), y), t.call('mean', { x: y }, { over: [t.E] }));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['dense a']);
  });

  it('softmax over experts: dense, by (a)', () => {
    const t = new Moe();
    const s = check(t, t.combine(t.gate('g'), t.call('softmax', { x: t.ffn(t.x) }, { over: [t.E] })));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['dense a']);
  });

  it('a running sum over tokens: dense before it, by (b), sparse after', () => {
    const t = new Moe();
    const sum = t.call('cumsum', { x: t.ffn(t.x) }, { over: [t.T] });
    const s = check(t, t.combine(t.gate('g'), t.call('exp', { x: sum })));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['dense b']);
    expect(domainsOf(s, 'exp', 'T E D')).toEqual(['E T']);
  });

  it('nested: the router inside an expert is asked on the assignments, the inner experts on both', () => {
    const t = new Moe();
    const I = t.axis('I', 3);
    const r = t.gate('g');
    // Inside expert e: its own scores over I, its own choice, its own inner experts.
    const inside = t.call('dot', { left: t.random('wi', [t.E, I, t.D]), right: t.x }, { over: [t.D] });
    const q = t.call('top_k', { s: inside }, { over: [I] }, { k: 1 });
    const inner = t.call('silu', {
      x: t.call('dot', { left: t.random('v', [t.E, I, t.F, t.D]), right: t.x }, { over: [t.D] }),
    });
    const s = check(t, t.combine(r, t.combine(q, inner, [I])));
    expect(domainsOf(s, 'contract', 'T E I')).toEqual(['E T']);
    expect(domainsOf(s, 'silu', 'T E I F')).toEqual(['E I T']);
  });

  it('attention over tokens inside an expert: queries on assignments, keys of the expert dense', () => {
    const t = new Moe();
    const T2 = t.axis("T'", 5);
    const q = t.call('exp', { x: t.ffn(t.x, 'q') });
    const k = t.call('sin', { x: t.call('rename', { x: t.ffn(t.x, 'k') }, { from: [t.T], to: [T2] }) });
    const a = t.call('softmax', { x: t.call('dot', { left: q, right: k }, { over: [t.D] }) }, { over: [T2] });
    const y = t.call('dot', { left: a, right: k }, { over: [T2] });
    const s = check(t, t.combine(t.gate('g'), y));
    expect(domainsOf(s, 'exp', 'T E D')).toEqual(['E T']);
    expect(domainsOf(s, 'contract', "T T' E")).toEqual(['E T']);
    expect(domainsOf(s, 'sin', "T' E D")).toEqual(['dense']);
  });

  it('statistics over tokens inside an expert: dense over all of them', () => {
    const t = new Moe();
    const h = t.ffn(t.x);
    const centred = t.call('sub', { x: h, y: t.call('mean', { x: h }, { over: [t.T] }) });
    const s = check(t, t.combine(t.gate('g'), t.call('exp', { x: centred })));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['dense a']);
    expect(domainsOf(s, 'exp', 'T E D')).toEqual(['E T']);
  });

  it('groups of experts: split axes, one relation over all', () => {
    const t = new Moe();
    const [G, M] = [t.axis('G', 2), t.axis('M', 2)];
    const w = t.call('split', { x: t.ffn(t.x) }, { axis: [t.E], into: [G, M] });
    const r = t.call('split', { x: t.gate('g') }, { axis: [t.E], into: [G, M] });
    const s = check(t, t.combine(r, w, [G, M]));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
    expect(domainsOf(s, 'split', 'T G M D')).toEqual(['G M T']);
  });

  it('a route as a result: weights where it is present', () => {
    const t = new Moe();
    const r = t.gate('g');
    const s = check(t, t.call('mul', { x: r, y: t.ffn(t.x) }));
    expect(domainsOf(s, 'silu', 'T E F')).toEqual(['E T']);
  });

  it('does nothing where there is no route', () => {
    const t = new Moe();
    const s = check(t, t.call('softmax', { x: t.ffn(t.x) }, { over: [t.E] }));
    expect([...s.domains.values()].every((d) => d.presences.length === 0 && d.dense === null)).toBe(true);
  });
});
