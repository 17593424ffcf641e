/**
 * Random programs over the algebra: valid by construction, made from a list of numbers (fast-check's), so that a failing
 * one shrinks. Axes T and T' (tokens), E and I (experts), D and F (features); tensors and routes over some of them.
 */
import fc from 'fast-check';
import type { Axis } from '../../dsl/types/axis.ts';
import { supportAxes, type GraphOperand } from '../../compiler/elaborate/lowering-context.ts';
import { GraphFixture } from '../graph/graph-fixture.ts';

export interface RandomProgram {
  readonly bench: GraphFixture;
  readonly results: readonly GraphOperand[];
}

/** Steps are triples of choices; each builds on what is there. */
export const programs: fc.Arbitrary<RandomProgram> = fc
  .array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000)), { minLength: 4, maxLength: 22 })
  .map((steps) => build(steps));

type Step = readonly [number, number, number, number];

class Maker extends GraphFixture {
  readonly T = this.axis('T', 3);
  readonly T2 = this.axis("T'", 3);
  readonly E = this.axis('E', 3);
  readonly I = this.axis('I', 2);
  readonly D = this.axis('D', 2);
  readonly P = this.axis('P', 2);
  readonly U = this.axis('U', 4);
  readonly all = [this.T, this.E, this.I, this.D];
  tensors: GraphOperand[] = [];
  routes: GraphOperand[] = [];
  #count = 0;
  #seed = 7;

  fresh(axes: readonly Axis[]): GraphOperand {
    const count = axes.reduce((n, a) => n * Number(a.size.kind === 'exact' ? a.size.numerator : 0n), 1);
    const data = Array.from({ length: count }, () => {
      this.#seed = (this.#seed * 48271) % 2147483647;
      // Few different numbers: ties happen. None is 0: nothing is divided by it.
      return (Math.floor((this.#seed / 2147483647) * 8) - 3.5) / 4;
    });
    return this.input(`x${this.#count++}`, axes, data);
  }

  axesOf(v: GraphOperand): readonly Axis[] {
    return v.kind === 'tensor' ? v.value.axes : [...supportAxes(v.value), ...v.value.payload];
  }

  small(v: GraphOperand): boolean {
    return this.axesOf(v).length <= 4;
  }
}

const at = <X>(list: readonly X[], n: number): X | undefined => list[n % Math.max(list.length, 1)];

function build(steps: readonly Step[]): RandomProgram {
  const m = new Maker();
  m.tensors.push(m.fresh([m.T, m.D]), m.fresh([m.T, m.E]), m.fresh([m.E, m.D]), m.fresh([m.T, m.E, m.I]));
  m.routes.push(m.call('top_k', { s: m.fresh([m.T, m.E]) }, { over: [m.E] }, { k: 2 }));
  for (const step of steps) {
    const made = next(m, step);
    if (made === null || !m.small(made)) continue;
    if (made.kind === 'tensor') m.tensors.push(made);
    else m.routes.push(made);
  }
  const dense = m.tensors.slice(-2);
  const routes = m.routes.slice(-1);
  return { bench: m, results: [...dense, ...routes] };
}

/** Keeps numbers small and finite. */
const tame = (m: Maker, v: GraphOperand): GraphOperand => m.call('tanh', { x: v });

function next(m: Maker, [what, first, second, third]: Step): GraphOperand | null {
  const x = at(m.tensors, m.tensors.length - 1 - (first % m.tensors.length));
  const y = at(m.tensors, second);
  const r = at(m.routes, m.routes.length - 1 - (third % m.routes.length));
  const q = at(m.routes, second);
  if (x === undefined || y === undefined || r === undefined || q === undefined) return null;
  const axes = m.axesOf(x);
  const axis = at(axes, second);
  const support = r.kind === 'route' ? supportAxes(r.value) : [];
  const clash = (v: GraphOperand): boolean =>
    r.kind === 'route' && r.value.payload.some((a) => m.axesOf(v).includes(a));
  switch (what % 20) {
    case 0:
      return tame(m, m.call('add', { x, y }));
    case 1:
      return tame(m, m.call('mul', { x, y }));
    case 2: {
      // A family: parameters over E and D meet what is there.
      if (!axes.includes(m.D) || axes.includes(m.E)) return null;
      const w = m.fresh([m.E, m.D]);
      return tame(
        m,
        second % 2 === 0 ? m.call('dot', { left: w, right: x }, { over: [m.D] }) : m.call('mul', { x: w, y: x }),
      );
    }
    case 3:
      return axis === undefined ? null : m.call('softmax', { x }, { over: [axis] });
    case 4:
      return axis === undefined ? null : tame(m, m.call(second % 2 === 0 ? 'sum' : 'max', { x }, { over: [axis] }));
    case 5:
      return axis === undefined ? null : tame(m, m.call('cumsum', { x }, { over: [axis] }));
    case 6: {
      const over = axes.filter((a) => a === m.E || a === m.I || (a === m.T && third % 3 === 0));
      const one = at(over, second);
      return one === undefined ? null : m.call('top_k', { s: x }, { over: [one] }, { k: 1 + (third % 2) });
    }
    case 7:
    case 8: {
      if (clash(x)) return null;
      const over = support.filter((a) => axes.includes(a));
      const chosen = over.slice(0, 1 + (second % 2));
      return chosen.length === 0 ? null : tame(m, m.call('dot', { left: r, right: x }, { over: chosen }));
    }
    case 9:
      return clash(x) ? null : m.call('mul', { x: r, y: x });
    case 10:
      return m.call('mul', { x: r, y: q });
    case 11: {
      const same = q.kind === 'route' ? supportAxes(q.value) : [];
      const payload = [r, q].some((v) => v.kind === 'route' && v.value.payload.length > 0);
      if (payload || same.length !== support.length || !same.every((a) => support.includes(a))) return null;
      return m.call('add', { x: r, y: q });
    }
    case 12: {
      const condition = m.call('gt', { x, y: m.fresh([]) }, {}, {}, 'bool');
      return axes.every((a) => support.includes(a)) ? m.call('keep', { v: r, c: condition }) : null;
    }
    case 13: {
      const sources = r.kind === 'route' ? r.value.sources.filter((a) => a === m.T) : [];
      return sources.length === 0 ? null : m.call('limit', { r }, { over: sources }, { to: 1 + (second % 2) });
    }
    case 14:
      return m.call('dense', { r });
    case 15:
      return axes.includes(m.T) && !axes.includes(m.T2) ? m.call('rename', { x }, { from: [m.T], to: [m.T2] }) : null;
    case 16: {
      if (!axes.includes(m.T2) || axes.includes(m.T)) return null;
      return m.call('rename', { x }, { from: [m.T2], to: [m.T] });
    }
    case 17: {
      // A union of what lies along E and one point more, and the sum over it under a route.
      if (!axes.includes(m.E) || axes.includes(m.U)) return null;
      const point = m.fresh([m.D]);
      if (x.kind !== 'tensor' || point.kind !== 'tensor') return null;
      const united = m.backend.unite(
        [
          { value: x.value, axes: [m.E] },
          { value: point.value, axes: [] },
        ],
        m.U,
      );
      const s = m.fresh([m.T, m.U]);
      const route = m.call('top_k', { s }, { over: [m.U] }, { k: 2 });
      return tame(m, m.call('dot', { left: route, right: { kind: 'tensor', value: united } }, { over: [m.U] }));
    }
    case 18: {
      if (r.kind !== 'route' || r.value.payload.length > 0 || !support.includes(m.T) || support.length > 2) return null;
      if (!r.value.sources.includes(m.T)) return null;
      return m.call('slots', { r }, { over: [m.T], places: [m.P] });
    }
    default: {
      // Nested: a choice over I at each point, and the sum of what it chose.
      if (!axes.includes(m.I)) return null;
      const inner = m.call('top_k', { s: x }, { over: [m.I] }, { k: 1 });
      const w = m.fresh([m.I, m.D]);
      return tame(m, m.call('dot', { left: inner, right: w }, { over: [m.I] }));
    }
  }
}
