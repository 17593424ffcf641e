/** Routes whose weights are whole numbers or conditions, as results: the numbers they have by hand, for all executors. */
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { prepareText, ready, type Ready, type Results } from './support.ts';

export const elements = ['f32', 'i32', 'bool'] as const;
export type Element = (typeof elements)[number];

/** Of the same two points, the first the better. */
const routes: Readonly<Record<Element, string>> = {
  f32: 'top_k(x * 0.5, 2, over: E)',
  i32: 'top_k(i32(x) - 5, 2, over: E, by: x)',
  bool: 'keep(x > 3, top_k(x, 2, over: E), over: E)',
};

const wanted: Readonly<Record<Element, readonly [number, number]>> = {
  f32: [2, 1.5],
  i32: [-1, -2],
  bool: [1, 0],
};

export function routeOf(element: Element): Ready {
  const text = `model M {
    axis T, E = 4
    forward(x: [T, E]) -> [T, E] { output r = ${routes[element]}
 x }
  }`;
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(`${diagnostics.map((d) => `${d.code} ${d.message}`).join('; ')}\n${text}`);
  const x: NamedTensor = { element: 'f32', shape: [1, 4], data: Float32Array.of(1, 4, 3, 2) };
  return ready(prepared, { inputs: new Map([['x', x]]) });
}

/** What is wrong with the results of a run, in words. */
export function wrongRoute(element: Element, results: Results): readonly string[] {
  const [first, second] = wanted[element];
  const check = (name: string, want: readonly number[], type: string): readonly string[] => {
    const have = results.get(name);
    const numbers = [...(have?.data ?? [])].map(Number).join();
    const isRight = have?.element === type && numbers === want.join();
    return isRight ? [] : [`${name}: ${have?.element} ${numbers}, not ${type} ${want.join()}`];
  };
  return [
    ...check('r.indices', [1, 2], 'i32'),
    ...check('r.weights', [first, second], element),
    ...check('r', [0, first, second, 0], element),
  ];
}
