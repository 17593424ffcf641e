/** The graph itself: what the builder shares and infers, what the verifier refuses, bounds, and how it reads. */
import { idOf } from '../../dsl/types/ids.ts';
import { describe, expect, it } from 'vitest';
import { exact, formatSize, type Size } from '../../dsl/types/size.ts';
import { boundOf, compareProducts, joinBounds, projectBounds } from '../../compiler/graph/presence-bounds.ts';
import { GraphBuilder } from '../../compiler/graph/graph-builder.ts';
import { implies } from '../../compiler/graph/implies.ts';
import { interpretGraph } from '../../compiler/graph/interpret-graph.ts';
import type { AxisId, Graph, GraphInputId, Node, NodeId } from '../../compiler/graph/graph-ir.ts';
import { graphProblems, verifyGraph } from '../../compiler/graph/verify-graph.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { GraphFixture } from './graph-fixture.ts';

const dynamic = (axis: string): Size => ({ kind: 'dynamic', axis });

describe('builder', () => {
  it('makes equal nodes once, keeps different ones apart', () => {
    const b = new GraphBuilder('g');
    const T = b.axis('T', exact(2));
    expect(b.iota(T)).toBe(b.iota(T));
    expect(b.constant(0)).toBe(b.constant(-0));
    expect(b.constant(1)).not.toBe(b.constant(1, 'i32'));
    expect(b.map('add', [b.iota(T), b.constant(1)])).not.toBe(b.map('sub', [b.iota(T), b.constant(1)]));
    expect(b.constant(0.1)).not.toBe(b.constant(0.2));
  });

  it('has tokens outside and features inside, whichever side the weights are on', () => {
    const b = new GraphBuilder('g');
    const [T, D, F] = [b.axis('T', exact(2)), b.axis('D', exact(3)), b.axis('F', exact(4))];
    const input = (role: 'input' | 'param', name: string, axes: readonly AxisId[]): NodeId =>
      b.input(b.addInput({ role, name, element: 'f32', axes, within: null, default: null }));
    const [x, w] = [input('input', 'x', [T, D]), input('param', 'w', [F, D])];
    expect(b.axesOf(b.contract(w, x, [D]))).toEqual([T, F]);
    expect(b.axesOf(b.contract(x, w, [D]))).toEqual([T, F]);
  });

  it('what does nothing is no node', () => {
    const b = new GraphBuilder('g');
    const T = b.axis('T', exact(2));
    const x = b.iota(T, 'f32');
    expect(b.rename(x, [], [])).toBe(x);
    expect(b.broadcast(x, [T])).toBe(x);
    expect(b.reduce('sum', x, [])).toBe(x);
    expect(b.map('convert', [x], 'f32')).toBe(x);
    const always = b.presence(b.broadcast(b.bool(true), [T]), [T], [], []);
    expect(b.predicated(always, x, 0)).toBe(x);
  });

  it('keeps infinities', () => {
    const b = new GraphBuilder('g');
    const node = b.node(b.size({ kind: 'real', value: -Infinity }));
    expect(node.kind === 'constant' && node.value).toBe(-Infinity);
    expect(b.constant(Infinity)).not.toBe(b.constant(-Infinity));
  });
});

describe('verifier', () => {
  const b = new GraphBuilder('g');
  const [T, E] = [b.axis('T', exact(2)), b.axis('E', exact(3))];
  const x = b.input(
    b.addInput({ role: 'input', name: 'x', element: 'f32', axes: [T, E], within: null, default: null }),
  );
  const y = b.reduce('sum', x, [E]);
  const graph = b.finish([{ kind: 'tensor', name: 'y', role: 'result', node: y, axes: [T] }]);
  const broken = (change: (node: Node) => Node): Graph => ({ ...graph, nodes: graph.nodes.map(change) });

  it('accepts what the builder makes', () => expect(() => verifyGraph(graph, 'graph')).not.toThrow());

  it.each<[string, Graph, string]>([
    ['a wrong number', broken((n) => ({ ...n, id: idOf(n.id + 1) })), 'has the id'],
    [
      'a use before its value',
      broken((n) => (n.kind === 'reduce' ? { ...n, operand: n.id } : n)),
      'does not come before',
    ],
    ['an axis twice', broken((n) => (n.kind === 'reduce' ? { ...n, axes: [T, T] } : n)), 'an axis twice'],
    [
      'a sum over an axis that is not there',
      broken((n) => (n.kind === 'reduce' ? { ...n, over: [idOf(99)] } : n)),
      'lacks an axis',
    ],
    [
      'wrong axes of a result',
      { ...graph, outputs: [{ kind: 'tensor', name: 'y', role: 'result', node: y, axes: [E] }] },
      'not those of',
    ],
  ])('refuses %s', (_, bad, text) => {
    expect(graphProblems(bad).join('; ')).toContain(text);
    expect(() => verifyGraph(bad, 'graph')).toThrow(/bug in moec, stage graph/);
  });
});

describe('bounds', () => {
  const [T, E, I] = [idOf<AxisId>(0), idOf<AxisId>(1), idOf<AxisId>(2)];
  const sizes = new Map<AxisId, Size>([
    [T, dynamic('T')],
    [E, exact(8)],
    [I, exact(4)],
  ]);
  const sizeOf = (a: AxisId): Size => sizes.get(a) ?? exact(1);
  const text = (s: Size): string => formatSize(s);

  it('the best fact counts, multiplied by what it has too much', () => {
    const facts = [{ per: [T], atMost: exact(2) }];
    expect(text(boundOf(facts, [T], [T, E], sizeOf))).toBe('2');
    expect(text(boundOf(facts, [], [T, E], sizeOf))).toBe('2 * T');
    expect(text(boundOf(facts, [E], [T, E], sizeOf))).toBe('T');
    expect(text(boundOf([], [T], [T, E], sizeOf))).toBe('8');
  });

  it('a join multiplies, a projection forgets', () => {
    const r = { axes: [T, E], bounds: [{ per: [T], atMost: exact(2) }] };
    const q = { axes: [T, E, I], bounds: [{ per: [T, E], atMost: exact(3) }] };
    const joined = joinBounds([r, q], sizeOf);
    expect(text(boundOf(joined.bounds, [T], joined.axes, sizeOf))).toBe('6');
    const projected = projectBounds(r.bounds, [E], r.axes, sizeOf);
    expect(text(boundOf(projected, [], [T], sizeOf))).toBe('T');
  });

  it('compares products where that does not depend on dynamic sizes', () => {
    expect(compareProducts([exact(2), dynamic('T')], [dynamic('T'), exact(8)])).toBe(-1);
    expect(compareProducts([dynamic('T')], [dynamic('T')])).toBe(0);
    expect(compareProducts([dynamic('T')], [exact(8)])).toBe(null);
  });
});

describe('implies', () => {
  it('knows what one of two lists names that are united, and that what was left out of one is not in it', () => {
    const b = new GraphBuilder('g');
    const [T, E, J, K] = [b.axis('T', exact(2)), b.axis('E', exact(9)), b.axis('J', exact(2)), b.axis('K', exact(3))];
    const input = (name: string, element: 'f32' | 'bool', axes: readonly AxisId[]): NodeId =>
      b.input(b.addInput({ role: 'input', name, element, axes, within: null, default: null }));
    const chosen = (name: string, along: AxisId): NodeId =>
      b.choose({ key: input(name, 'f32', [T, E]), candidates: null, count: null, over: [E], along, report: false });
    const none = b.constant(-1, 'i32');
    const names = (ids: NodeId, along: AxisId): NodeId =>
      b.reduce('any', b.map('eq', [ids, b.iota(E, 'i32')]), [along]);
    const [first, second] = [chosen('s', J), chosen('t', K)];
    const kept = b.map('where', [input('c', 'bool', [T, J]), first, none]);
    const isKnown = b.reduce('any', b.map('eq', [kept, second]), [J]);
    const fresh = b.map('where', [b.map('not', [isKnown]), second, none]);
    const all = b.axis('all', exact(5));
    const either = names(b.concat([{ node: kept, axis: J }, { node: fresh, axis: K }], all), all); // prettier-ignore
    const is = (x: NodeId): boolean => implies(x, either, (id) => b.node(id));
    expect([names(kept, J), names(second, K), names(first, J)].map(is)).toEqual([true, true, false]);
  });

  it('follows masks, conjunctions, unions and projections', () => {
    const b = new GraphBuilder('g');
    const [T, E] = [b.axis('T', exact(2)), b.axis('E', exact(3))];
    const input = (name: string): NodeId =>
      b.input(b.addInput({ role: 'input', name, element: 'bool', axes: [T, E], within: null, default: null }));
    const [p, q] = [input('p'), input('q')];
    const s = b.presence(p, [T], [E], []);
    const fewer = b.presence(b.predicated(s, q, 0), [T], [E], []);
    const is = (x: NodeId, y: NodeId): boolean => implies(x, y, (id) => b.node(id));
    expect(is(fewer, s)).toBe(true);
    expect(is(s, fewer)).toBe(false);
    expect(is(b.map('and', [p, q]), q)).toBe(true);
    expect(is(q, b.map('or', [p, q]))).toBe(true);
    expect(is(b.map('or', [p, q]), q)).toBe(false);
    expect(is(fewer, b.reduce('any', s, [E]))).toBe(true);
    expect(is(b.reduce('any', fewer, [E]), b.reduce('any', s, [E]))).toBe(true);
    const [T2, E2] = [b.twin(T), b.twin(E)];
    expect(is(b.rename(fewer, [T], [T2]), b.rename(s, [T], [T2]))).toBe(true);
    expect(is(b.rename(fewer, [T], [T2]), b.rename(s, [E], [E2]))).toBe(false);
  });
});

describe('interpreter', () => {
  it('reports indices outside and gives 0 for -1; the indices may have the looked-up axis', () => {
    const t = new GraphFixture();
    const [T, V] = [t.axis('T', 3), t.axis('V', 2)];
    const table = t.input('table', [V, T], [1, 2, 3, 4, 5, 6]);
    const swap = t.input('swap', [V], [1, 0], 'i32');
    expect(t.number(t.call('gather', { x: table, ids: swap }, { axis: [V] }), [V, T])).toEqual([4, 5, 6, 1, 2, 3]);
    const ids = t.input('ids', [T], [-1, 1, 2], 'i32');
    t.call('gather', { x: table, ids }, { axis: [V] });
    expect(t.errors()).toEqual([expect.stringContaining('index 2 of 2')]);
  });

  it('a control without a value has its default, which may read other controls', () => {
    const b = new GraphBuilder('g');
    const control = (name: string): GraphInputId =>
      b.addInput({ role: 'control', name, element: 'f32', axes: [], within: null, default: null });
    const [step, rate] = [control('step'), control('rate')];
    const y = b.input(rate);
    b.setDefault(step, b.constant(3));
    b.setDefault(rate, b.map('mul', [b.input(step), b.constant(2)]));
    const graph = b.finish([{ kind: 'tensor', name: 'y', role: 'result', node: y, axes: [] }]);
    expect([...(interpretGraph(graph, { inputs: new Map() }).values[y]?.data ?? [])]).toEqual([6]);
    expect([...(interpretGraph(graph, { inputs: new Map([['step', [5]]]) }).values[y]?.data ?? [])]).toEqual([10]);
  });
});

it('reads like this', () => {
  const t = new GraphFixture();
  const T = t.axes.make('T', dynamic('T'));
  const [E, D, F] = [t.axis('E', 8), t.axis('D', 4), t.axis('F', 6)];
  const x = t.input('x', [T, D], []);
  const scores = t.call(
    'softmax',
    { x: t.call('dot', { left: t.input('w', [E, D], []), right: x }, { over: [D] }) },
    { over: [E] },
  );
  const r = t.call('normalize', { r: t.call('top_k', { s: scores }, { over: [E] }, { k: 2 }) }, { over: [E] });
  const h = t.call('relu', { x: t.call('dot', { left: t.input('w1', [E, F, D], []), right: x }, { over: [D] }) });
  const y = t.call(
    'dot',
    { left: r, right: t.call('dot', { left: t.input('w2', [E, D, F], []), right: h }, { over: [F] }) },
    { over: [E] },
  );
  const { graph, domains, materialised } = optimise(t.graph(y));
  expect(printGraph(graph, { domains, materialised })).toMatchSnapshot();
});
