/**
 * Stands in for the language models: a host puts calls of real ones here. Tokens in, tokens out. A function gets all rows that
 * its model has work for in one call, and returns as many rows. Tensors say the names of their axes.
 */

/** Reads a tensor at a row and at named places; what is outside is undefined. */
const reader =
  ({ data, axes, shape }) =>
  (row, places) =>
    axes.every((axis, i) => (places[axis] ?? row) < shape[i])
      ? data[axes.reduce((offset, axis, i) => offset * shape[i] + (places[axis] ?? row), 0)]
      : undefined;

/** A result, row by row: `token(row, place)`. */
function rowsOf(result, token) {
  const length = result.shape.at(-1);
  const size = result.shape.reduce((product, n) => product * n, 1);
  return Int32Array.from({ length: size }, (_, i) => token(Math.floor(i / length), i % length) ?? -1);
}

/** A model answers all questions that recruited it. This one adds its number to every token. */
export function answer({ instance, operands, results }) {
  const question = reader(operands.get('question'));
  return rowsOf(results[0], (row, place) => question(row, { Text: place }) + instance.get('E'));
}

/** The aggregator sees a question and all its answers. This one takes at every place the greatest token. */
export function aggregate({ operands, results }) {
  const answers = operands.get('answers');
  const read = reader(answers);
  const recruits = Array.from({ length: answers.shape[answers.axes.indexOf('K')] }, (_, k) => k);
  return rowsOf(results[0], (row, place) => Math.max(...recruits.map((k) => read(row, { K: k, Answer: place }))));
}
