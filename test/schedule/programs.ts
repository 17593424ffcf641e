/** Programs that several tests of schedules look at. */

/** A layer of SwiGLU experts, of which each token has some, weighed by a softmax over the chosen. */
export function routedLayer(features: number, hidden: number, experts: number, chosen: number): string {
  return `import { SwiGLU } from "std"
model Layer {
  axis T, D = ${features}, F = ${hidden}, E = ${experts}
  experts ffn[E] = SwiGLU<F>
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    softmax(top_k(w @ x, ${chosen}, over: E), over: E)
  }
  forward(x: [T, D]) -> [T, D] { gate(x) @ ffn(x) }
}`;
}

/** The same, and an expert that every token goes through: some steps need nothing of one another. */
export const sharedLayer = (...sizes: Parameters<typeof routedLayer>): string =>
  routedLayer(...sizes)
    .replace('forward(x', 'param up: [F, D], down: [D, F]\n  forward(x')
    .replace('gate(x) @ ffn(x)', 'gate(x) @ ffn(x) + down @ tanh(up @ x)');

const many = Array.from({ length: 12 }, (_, i) => `p${i}`);

/** A sum of more params than a launch binds. */
export const manyParams = `model Bound {
  axis T, D = 4
  param ${many.map((name) => `${name}: [D]`).join(', ')}
  forward(x: [T, D]) -> [T, D] { ${many.map((name) => `tanh(x + ${name})`).join(' + ')} }
}`;

/** A printed schedule in which each value of a row has a launch of its own. */
export function rowsApart(text: string): string {
  return text.replace(/^ *#\d+ row [^:\n]*: ([^\n]*)$/gm, (_, members: string) =>
    members
      .split(' | ')
      .map((member) => `  ${member.replace(/ in (?:c\d+|memory|nothing| and )+$/, '')}`)
      .join('\n'),
  );
}
