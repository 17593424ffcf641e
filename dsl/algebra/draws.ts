/**
 * Draws: `uniform[T, E]`, `normal[D]`, `gumbel[E]`. One number for each point of their axes and of the carried ones (and
 * those of the family around), the same in every executor: see draw-hash.ts. A `let` draws once; two calls draw apart.
 */
import { countPoints, pointAt, unite } from '../interpret/tensor.ts';
import { asInteger } from '../meaning/size.ts';
import { axes, axesArgument, dense } from './arguments.ts';
import { drawAt, drawAxes, drawKey, foldAxis } from './draw-hash.ts';
import { drawNames, type DrawName } from './names.ts';
import type { Documentation, Primitive } from './primitive.ts';
import { axesGiven, distinct, tensor } from './typing.ts';

const documentation: Record<DrawName, Documentation> = {
  uniform: {
    summary: 'Random numbers, uniform in [0, 1).',
    detail: 'A function of the seed, the place in the program and the indices.',
    example: 'x * (1 + 0.01 * (2 * uniform[D] - 1))',
  },
  normal: {
    summary: 'Random numbers, normal with mean 0 and variance 1.',
    detail: 'A function of the seed, the place in the program and the indices.',
    example: 'param w: [E, D] = 0.02 * normal[E, D]',
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
    adopts: false,
    documentation: documentation[name],
    infer(call) {
      const written = axesGiven(call, 'axes');
      return distinct(call, written, 'axes') ?? tensor('f32', written);
    },
    evaluate(call, run) {
      const all = unite(call.hidden, axesArgument(call, 'axes'));
      const folded = drawAxes(all).map((each) => ({
        ...each,
        at: all.indexOf(each.axis),
        start: asInteger(each.offset) ?? 0,
      }));
      const key = drawKey(run.seed, call.place);
      const data = Float64Array.from({ length: countPoints(all) }, (_, i) => {
        const point = pointAt(all, i);
        return drawAt(
          name,
          folded.reduce((h, { nameHash, at, start }) => foldAxis(h, nameHash, start + point[at]), key),
        );
      });
      return dense('f32', all, data);
    },
  };
}

export const drawPrimitives: readonly Primitive[] = drawNames.map(draw);
