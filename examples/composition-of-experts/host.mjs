/** Stands in for the language models: a host puts calls of real ones here. Tokens in, tokens out. */

/** One call for each model that has work, with all prompts that came to it, one a row. This one adds its number to every token. */
export function answer({ instance, operands, points, results }) {
  const { data, shape } = operands.get('prompt');
  const [, width] = shape;
  const [, length] = results[0].shape;
  return Int32Array.from({ length: points * length }, (_, i) => {
    const [row, place] = [Math.floor(i / length), i % length];
    return place < width ? data[row * width + place] + instance.get('E') : -1;
  });
}
