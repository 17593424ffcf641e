/** Boundaries between launches: each buffer that one leaves for another, with its readers, and the reason of the code that decided. */
import { describe, expect, it } from 'vitest';
import { boundariesOf } from '../../compiler/schedule/emitting/boundaries.ts';
import { accessOf } from '../../compiler/schedule/memory/plan.ts';
import { nodeOf } from '../../compiler/graph/node-uses.ts';
import { prepareText } from '../language/support.ts';
import { manyParams, routedLayer } from './programs.ts';

function compiledOf(text: string) {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return prepared.entry.inference;
}

function boundaries(text: string) {
  const { plan, contents, schedule, fused } = compiledOf(text);
  return boundariesOf(plan, contents, schedule).map((each) => ({
    ...each,
    kind: each.node === null ? null : nodeOf(fused.graph, each.node).kind,
  }));
}

const reasons = (text: string): readonly string[] =>
  boundaries(text).map(({ kind, because }) => `${kind ?? 'rows'}: ${because.reason}`);

const layer = routedLayer(64, 64, 8, 2);

/** Five products of one input, made into one value: a thread keeps four. */
const five = `model Five {
  axis T, D = 64, F = 64
  param a: [F, D], b: [F, D], c: [F, D], d: [F, D], e: [F, D]
  forward(x: [T, D]) -> [T, F] { tanh(a @ x) * tanh(b @ x) * tanh(c @ x) * tanh(d @ x) * tanh(e @ x) }
}`;

const host = `model Host {
  axis T, D = 4
  extern fn ask(x: [T, D]) -> [T, D]
  forward(x: [T, D]) -> [T, D] { 2 * ask(exp(x)) + sum(x, over: D) }
}`;

describe('boundaries', () => {
  it.each([layer, five, manyParams, host])(
    'are all buffers that one step leaves for others, with who reads them: %#',
    (text) => {
      const { plan, contents, schedule } = compiledOf(text);
      const found = boundariesOf(plan, contents, schedule);
      const access = plan.steps.map((step) => accessOf(plan, step));
      const expected = plan.buffers.flatMap(({ role }, buffer) => {
        const has = (of: readonly number[]): boolean => of.includes(buffer);
        const from = access.findIndex(({ writes }) => has(writes));
        const to = access.flatMap(({ reads }, i) => (from !== -1 && i > from && has(reads) ? [i] : []));
        return to.length === 0 || role.kind === 'status' ? [] : [{ buffer, from, to }];
      });
      const plain = found.map(({ buffer, from, to }) => ({ buffer: Number(buffer), from, to }));
      expect(plain.toSorted((a, b) => a.buffer - b.buffer)).toEqual(expected);
      expect(found.length).toBeGreaterThan(0);
      // Nothing of a program is there because a text says so: somebody decided.
      expect(found.filter(({ because }) => because.reason === 'given')).toEqual([]);
    },
  );

  it('name what would be computed again, with how much it is and how many read it', () => {
    const two = `model Two {
      axis T, D = 64, F = 64
      param w: [F, D], v: [D, F]
      forward(x: [T, D]) -> (up: [T, F], down: [T, D]) {
        let z = sigmoid(x) * tanh(x)
        (up: w @ z, down: z + tanh(v @ tanh(w @ z)))
      }
    }`;
    const shared = boundaries(two).filter(({ because }) => because.reason === 'cost');
    expect(shared.map(({ because }) => because.text).join('\n')).toMatch(/takes \d+ operations, and 2 values read it/);
  });

  it('name rows, which are known when all workgroups have counted', () => {
    const rows = boundaries(layer).filter(({ node }) => node === null);
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ because }) => because.reason))).toEqual(new Set(['grid']));
  });

  it('name the contraction that a thread has no room for', () => {
    expect(reasons(five)).toEqual(['contract: registers']);
  });

  it('name the value that was stored for want of bindings', () => {
    expect(reasons(manyParams)).toContain('map: bindings');
  });

  it('name what goes to the host and comes from it', () => {
    expect(reasons(host)).toEqual(expect.arrayContaining(['map: host', 'extern: host']));
  });

  it('name a contraction that is read at other points than where it is computed', () => {
    const text = `model Across {
      axis T, D = 64, F = 64
      param w: [F, D]
      forward(x: [T, D]) -> [T, F] { let y = w @ x y * y[T: 0] }
    }`;
    expect(reasons(text)).toContain('contract: grid');
  });
});
