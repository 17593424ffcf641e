/** Layers, experts and recurrent cells of the library against plain loops, at two sizes, with and without axes that are carried. */
import { describe, test } from 'vitest';
import { run, drawn, close, type Dense, type Numbers, range, sigmoid, rows, times, plus } from './library-support.ts';

const sizes: readonly (readonly [number, number, number, number])[] = [
  [2, 3, 4, 2],
  [3, 7, 5, 3],
];

describe.each(sizes)('B = %i, T = %i, E = %i, K = %i', (B, T, E, K) => {
  const text = (axes: string, rest: string): string => `  axis B, T, E = ${E}, ${axes}\n  const K = ${K}\n${rest}`;

  test('Linear, GatedMlp, DenseReluDense: of one and of many', async () => {
    const [D, F] = [3, E];
    const variables = {
      'linear.weight': drawn('l', F, D),
      'linear.bias': drawn('b', F),
      'gated.gate_proj': drawn('g', F, D),
      'gated.up_proj': drawn('u', F, D),
      'gated.down_proj': drawn('d', D, F),
      'plain.wi': drawn('i', F, D),
      'plain.wo': drawn('o', D, F),
    } as const;
    const w = (name: keyof typeof variables): readonly Numbers[] =>
      rows(variables[name], variables[name].shape[1] ?? NaN);
    const input = drawn('layers', B, T, D);
    for (const axes of ['B, T, ', '']) {
      const of = axes === '' ? 1 : B * T;
      const value = await run({
        members: 'Linear, GatedMlp, DenseReluDense',
        text: text(
          `D = ${D}, F = ${F}`,
          `fn linear = Linear<D, F>
          experts gated = GatedMlp<F>
          experts plain = DenseReluDense<F>
          forward(x: [${axes}D]) -> (linear: [${axes}F], gated: [${axes}D], plain: [${axes}D]) {
            (linear: linear(x), gated: gated(x), plain: plain(x))
          }`,
        ),
        inputs: { x: { shape: [...(axes === '' ? [] : [B, T]), D], data: input.data.subarray(0, of * D) } },
        variables,
      });
      const given = rows(input, D).slice(0, of);
      close(
        value('linear'),
        given.flatMap((v) => plus(times(w('linear.weight'), v), [...variables['linear.bias'].data])),
      );
      close(
        value('gated'),
        given.flatMap((v) => {
          const [gate, up] = [times(w('gated.gate_proj'), v), times(w('gated.up_proj'), v)];
          return times(
            w('gated.down_proj'),
            gate.map((a, i) => a * sigmoid(a) * (up[i] ?? NaN)),
          );
        }),
      );
      close(
        value('plain'),
        given.flatMap((v) =>
          times(
            w('plain.wo'),
            times(w('plain.wi'), v).map((a) => Math.max(a, 0)),
          ),
        ),
      );
    }
  });

  test('Rnn and Gru: a step of one and of many', async () => {
    const R = E;
    const variables: Readonly<Record<string, Dense>> = Object.fromEntries(
      ['rnn', 'gru'].flatMap((cell) =>
        ['r', 'z', 'n'].flatMap((part) =>
          ['i', 'h'].flatMap((side): readonly (readonly [string, Dense])[] => [
            [`${cell}.weight_${side}${part}`, drawn(`w${cell}${side}${part}`, R, R)],
            [`${cell}.bias_${side}${part}`, drawn(`b${cell}${side}${part}`, R)],
          ]),
        ),
      ),
    );
    const affine = (cell: string, part: string, v: Numbers): Numbers => {
      const [w, b] = [variables[`${cell}.weight_${part}`], variables[`${cell}.bias_${part}`]];
      return w === undefined || b === undefined ? [] : plus(times(rows(w, R), v), [...b.data]);
    };
    const [u, h] = [drawn('u', B, T, R), drawn('h', B, T, R)];
    for (const axes of ['B, T, ', '']) {
      const of = axes === '' ? 1 : B * T;
      const shape = [...(axes === '' ? [] : [B, T]), R];
      const value = await run({
        members: 'Rnn, Gru',
        text: text(
          `R = ${R}`,
          `fn rnn = Rnn<R>\n fn gru = Gru<R>
          forward(u: [${axes}R], h: [${axes}R]) -> (rnn: [${axes}R], gru: [${axes}R]) { (rnn: rnn(u, h), gru: gru(u, h)) }`,
        ),
        inputs: { u: { shape, data: u.data.subarray(0, of * R) }, h: { shape, data: h.data.subarray(0, of * R) } },
        variables,
      });
      const pairs = range(of).map((i) => [rows(u, R)[i] ?? [], rows(h, R)[i] ?? []] as const);
      close(
        value('rnn'),
        pairs.flatMap(([a, b]) => plus(affine('rnn', 'in', a), affine('rnn', 'hn', b)).map(Math.tanh)),
      );
      close(
        value('gru'),
        pairs.flatMap(([a, b]) => {
          const reset = plus(affine('gru', 'ir', a), affine('gru', 'hr', b)).map(sigmoid);
          const keep = plus(affine('gru', 'iz', a), affine('gru', 'hz', b)).map(sigmoid);
          const old = affine('gru', 'hn', b).map((y, i) => y * (reset[i] ?? NaN));
          const fresh = plus(affine('gru', 'in', a), old).map(Math.tanh);
          return b.map((y, i) => (1 - (keep[i] ?? NaN)) * (fresh[i] ?? NaN) + (keep[i] ?? NaN) * y);
        }),
      );
    }
  });
});
