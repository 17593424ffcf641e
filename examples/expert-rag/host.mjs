/**
 * The host's side of the model: a search among documents. Here they come with the call, so that the example is whole; a host with
 * a store of its own looks there. The rows of `query` are the tokens to be answered from documents, no others.
 */
export function retrieve({ operands, results }) {
  const [query, index, store] = ['query', 'index', 'store'].map((name) => operands.get(name).data);
  const [documents, width] = operands.get('index').shape;
  const places = results[0].shape.at(-1);
  const points = query.length / width;
  const which = new Int32Array(points * places);
  const fit = new Float64Array(points * places);
  const texts = new Float64Array(points * places * width);
  for (let point = 0; point < points; point++) {
    const scores = Array.from({ length: documents }, (_, document) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += query[point * width + i] * index[document * width + i];
      return sum;
    });
    const order = scores.map((_, document) => document).sort((a, b) => scores[b] - scores[a]);
    order.slice(0, places).forEach((document, place) => {
      const row = point * places + place;
      const start = document * width;
      which[row] = document;
      fit[row] = scores[document];
      texts.set(store.subarray(start, start + width), row * width);
    });
  }
  return [which, fit, texts];
}
