/** Programs with a sine or cosine of a computed angle, at places up to 131,071, in the forms that rotary positions are written in. */
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { prepareText, ready, type Ready } from '../language/support.ts';

const places = [0, 1, 2, 77, 4095, 5000, 10000, 32767, 65535, 100000, 131071];

export interface AngleProgram {
  readonly name: string;
  /** Of `place` i32[T], `f` [C] and `x` [C], all 1: the result [T, C]. */
  readonly text: string;
}

const program = (name: string, body: string): AngleProgram => ({
  name,
  text: `model Angles {
  axis T, C = 6
  forward(place: i32[T], f: [C], x: [C], theta: f32) -> [T, C] {
    ${body}
  }
}`,
});

export const anglePrograms: readonly AngleProgram[] = [
  program('a power of a constant', 'x * cos(f32(place) * 10000 ** (-iota(C) / C))'),
  program('an exponential of a logarithm', 'x * sin(f32(place) * exp(-log(10000) * iota(C) / C))'),
  program('a quotient', 'x * cos(f32(place) / 10000 ** (2 * iota(C) / (2 * C)))'),
  program('a frequency from outside', 'x * sin(f32(place) * f)'),
  program('a base from outside', 'x * cos(f32(place) * theta ** (-iota(C) / C))'),
  program('a scaled and shifted place', 'x * cos((f32(place) / 3 + 0.25) * f - 1.5)'),
  program(
    'two scales of frequencies',
    'let w = 10000 ** (-iota(C) / C)\n    x * sin(f32(place) * where(iota(C) > 2, w / 8, w))',
  ),
  program(
    'an angle that is stored',
    'let a = f32(place) * 10000 ** (-iota(C) / C)\n    output angle = a\n    x * cos(a)',
  ),
  program('places that are counted', 'let at = cumsum(f32(place * 0 + 12000), over: T)\n    x * cos(at * 10000 ** (-iota(C) / C))'), // prettier-ignore
];

/** The program with its numbers. */
export function readyAngles(text: string): Ready {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  const tensor = (element: NamedTensor['element'], data: readonly number[]): NamedTensor => ({
    element,
    shape: [data.length],
    data: element === 'i32' ? Int32Array.from(data) : Float32Array.from(data),
  });
  const inputs = new Map([
    ['place', tensor('i32', places)],
    ['f', tensor('f32', [1, 0.3, 0.1, 0.0123, 1e-3, 1e-4])],
    ['x', tensor('f32', [1, 1, 1, 1, 1, 1])],
    ['theta', { element: 'f32', shape: [], data: Float32Array.of(500000) } satisfies NamedTensor],
  ]);
  return ready(prepared, { inputs });
}

/** The greatest distance of two results. */
export function farthest(got: ReadonlyMap<string, NamedTensor>, wanted: ReadonlyMap<string, NamedTensor>): number {
  const [name] = [...wanted.keys()].filter((n) => n !== 'angle');
  const [a, b] = [got.get(name ?? '')?.data ?? [], wanted.get(name ?? '')?.data ?? []];
  if (b.length !== 6 * places.length) return Infinity;
  return Math.max(...Array.from(b, (y, i) => Math.abs((a[i] ?? NaN) - y)));
}
