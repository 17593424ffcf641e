/**
 * Draws: `uniform[T, E]`, `normal[D]`, `gumbel[E]`. One number for each point of their axes and of the carried ones (and
 * those of the family around), the same in every executor: see draw-hash.ts. A `let` draws once; two calls draw apart.
 */
import { sizeOf, unite } from '../tensors/tensor.ts';
import { integerOf } from '../types/size.ts';
import { axes, axesArgument, dense } from './arguments.ts';
import { drawAt, drawAxes, drawKey, foldAxis } from './draw-hash.ts';
import { drawNames, type DrawName } from '../types/primitive-names.ts';
import type { Documentation, Primitive } from './primitive.ts';
import { axesGiven, distinct, tensor } from './operand-typing.ts';

const documentation: Record<DrawName, Documentation> = {
  uniform: {
    summary: 'Random numbers, uniform in [0, 1).',
    detail: 'A function of the seed, the place in the program and the indices.',
    example: 'x * (1 + 0.01 * (2 * uniform[D] - 1))',
  },
  normal: {
    summary: 'Random numbers, normal with mean 0 and variance 1.',
    detail: 'A function of the seed, the place in the program and the indices.',
    example: '0.02 * normal[E, D]',
  },
  gumbel: {
    summary: 'Random numbers, -log(-log(u)): the greatest of s + gumbel is a sample of softmax(s).',
    detail: 'A function of the seed, the place in the program and the indices.',
    example: 'top_k(s, K, over: E, by: s + gumbel[E])',
    source: 'arXiv:1611.01144',
  },
};

function draw(name: DrawName): Primitive {
  return {
    name,
    surface: [name],
    syntax: 'made',
    parameters: [axes('axes', 'the axes of the result', { positional: true })],
    untyped: false,
    documentation: documentation[name],
    infer(call) {
      const written = axesGiven(call, 'axes');
      return distinct(call, written, 'axes') ?? tensor('f32', written);
    },
    evaluate(call, run) {
      // Axis by axis in canonical order: the hash of a point continues that of the point without its last axis.
      const folded = drawAxes(unite(call.batchAxes, axesArgument(call, 'axes')));
      let hashes = Uint32Array.of(drawKey(run.seed, call.seedKey));
      for (const { axis, nameHash, offset } of folded) {
        const size = sizeOf(axis);
        const start = integerOf(offset, 'interpret: first point of a draw');
        const next = new Uint32Array(hashes.length * size);
        hashes.forEach((h, p) => {
          for (let i = 0; i < size; i++) next[p * size + i] = foldAxis(h, nameHash, start + i);
        });
        hashes = next;
      }
      return dense(
        'f32',
        folded.map(({ axis }) => axis),
        Float64Array.from(hashes, (h) => drawAt(name, h)),
      );
    },
  };
}

export const drawPrimitives: readonly Primitive[] = drawNames.map(draw);
