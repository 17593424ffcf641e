/**
 * Names that other libraries have and this language has not, and the form that says the same here: what stands in the help of
 * "nothing is called matmul" or of a method of a tensor. Advice shows the author's own operands where they are short.
 */
import type * as ast from '../syntax/ast.ts';
import { levelOf } from '../syntax/print-expressions.ts';
import type { Context } from './context.ts';
import type { AxisVar, ValueType } from '../types/program.ts';
import { axesOfType } from '../types/axes.ts';

/** Modules whose members are called as `torch.softmax(x)`. */
const foreignModules: ReadonlySet<string> = new Set([
  'torch', 'nn', 'F', 'np', 'numpy', 'jnp', 'jax', 'lax', 'tf', 'math', 'einops', 'functional',
]); // prettier-ignore

export function isForeignModule(name: string): boolean {
  return foreignModules.has(name);
}

/** An operand as it is written, if it is short; else an ellipsis. */
export function shown(expr: ast.AstExpr | undefined): string {
  switch (expr?.kind) {
    case 'Name':
      return expr.name + "'".repeat(expr.primes);
    case 'Number':
      return expr.text;
    case 'Path':
      return `${shown(expr.target)}.${expr.name.text}`;
    case 'Call':
      return `${shown(expr.callee)}(…)`;
    case 'Unary':
      return `${expr.op}${expr.op === 'not' ? ' ' : ''}${within(expr.operand, levelOf(expr))}`;
    case 'Binary':
    case 'Compare': {
      const level = levelOf(expr);
      // A row of one level goes to the left, but for powers, which go to the right.
      const [left, right] =
        expr.op === '**'
          ? [within(expr.left, level + 1), within(expr.right, level)]
          : [within(expr.left, level), within(expr.right, level + 1)];
      return left === '…' && right === '…' ? '…' : `${left} ${expr.op} ${right}`;
    }
    default:
      return '…';
  }
}

/** As `shown`, in parentheses where it binds more loosely than its place. */
function within(expr: ast.AstExpr, level: number): string {
  const text = shown(expr);
  return text !== '…' && levelOf(expr) < level ? `(${text})` : text;
}

/** What is shown as an operand: `(a + b)` beside an operator or before brackets. */
export function asOperand(text: string): string {
  return /^-| /.test(text) ? `(${text})` : text;
}

/** `axis`: an axis of the first operand, the last one. */
type Advice = (x: string, y: string, z: string, axis: string) => string;

const products: Advice = (x, y) =>
  `\`${asOperand(x)} @ ${asOperand(y)}\` contracts the axis both have, whatever the order of their axes`;
const views: Advice = (x, _y, _z, axis) =>
  `axes have names, and their order means nothing: \`split(${x}, ${axis}: (A, B))\`, \`merge(${x}, (A, B): ${axis})\` and \`rename(${x}, ${axis}: A)\` change which there are`;
const infix =
  (operator: string): Advice =>
  (x, y) =>
    `\`${asOperand(x)} ${operator} ${asOperand(y)}\``;
const needless =
  (what: string): Advice =>
  (x) =>
    `axes meet by name: ${what} is not needed, write \`${x}\``;
const elements =
  (type: string): Advice =>
  (x) =>
    `an element type converts: \`${type}(${x})\``;
const instances =
  (kind: string, name: string, generics = ''): Advice =>
  () =>
    `the library has it: \`import { ${name} } from "std"\`, then \`${kind} f = ${name}<${generics}>\` and \`f(x)\``;

/** By the name of the function or method; the operands are the arguments in order, a method's tensor first. */
const advice: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  ...['matmul', 'mm', 'bmm', 'mv', 'tensordot', 'inner', 'vdot'].map((n) => [n, products] as const),
  // Its first argument is the text of the axes.
  ['einsum', (_s, x, y, axis) => products(x, y, '', axis)],
  ...['outer'].map((n) => [n, ((x, y) => `\`${asOperand(x)} * ${asOperand(y)}\`: axes that only one has are united`) as Advice] as const),
  ...['mul', 'multiply'].map((n) => [n, infix('*')] as const),
  ...['add'].map((n) => [n, infix('+')] as const),
  ...['sub', 'subtract'].map((n) => [n, infix('-')] as const),
  ...['div', 'divide', 'true_divide'].map((n) => [n, infix('/')] as const),
  ...['pow', 'power'].map((n) => [n, infix('**')] as const),
  ...['square'].map((n) => [n, ((x) => `\`${asOperand(x)} ** 2\``) as Advice] as const),
  ...['reciprocal'].map((n) => [n, ((x) => `\`1 / ${asOperand(x)}\``) as Advice] as const),
  ...['view', 'reshape', 'permute', 'rearrange', 'flatten', 'unflatten', 'ravel'].map((n) => [n, views] as const),
  ...['T', 'mT', 'H', 't', 'transpose', 'swapaxes', 'movedim', 'adjoint'].map(
    (n) => [n, ((x) => `axes have names, so nothing is transposed: \`${asOperand(x)} @ y\` contracts the axis both have`) as Advice] as const,
  ),
  ...['unsqueeze', 'squeeze', 'expand', 'expand_as', 'expand_dims', 'broadcast_to', 'repeat', 'tile', 'repeat_interleave'].map(
    (n) => [n, needless(`\`${n}\``)] as const,
  ),
  ...['contiguous', 'detach', 'clone', 'cpu', 'cuda', 'requires_grad_', 'item', 'numpy', 'data', 'device'].map(
    (n) =>
      [
        n,
        n === 'detach'
          ? (((x) => `\`stop_gradient(${x})\``) as Advice)
          : (((x) => `values have no place and no layout: leave out \`.${n}\` and write \`${x}\``) as Advice),
      ] as const,
  ),
  ...['float', 'double', 'float32'].map((n) => [n, elements('f32')] as const),
  ...['half', 'bfloat16', 'float16'].map((n) => [n, elements('f16')] as const),
  ...['int', 'long', 'int32', 'int64'].map((n) => [n, elements('i32')] as const),
  ['masked_fill', (x, c, v) => `\`where(${c}, ${v}, ${x})\``],
  ['to', (x, type) => (/^(?:f32|f16|i32|bool)$/.test(type) ? elements(type)(x, '', '', '') : `values have no place: leave out \`.to\` and write \`${x}\`; an element type converts, \`f16(${x})\``)],
  ...['dtype', 'type', 'type_as', 'astype'].map((n) => [n, ((x) => `the element type is in the type of a value; it is converted by a call, \`f16(${x})\`, \`i32(${x})\``) as Advice] as const),
  ...['indices', 'weights', 'values'].map((n) => [n, ((x) => `a route is its weights and its points together: \`${asOperand(x)} @ f(x)\` runs what it chose, \`mask(${x})\` is where it chose, \`dense(${x})\` its weights as a tensor; a result gives the host both, as \`${n === 'values' ? 'weights' : n}\``) as Advice] as const),
  ...['tril', 'masked_tril'].map((n) => [n, ((x) => `\`where(iota(T) >= iota(T'), ${x}, 0)\`, of a value over T and its twin`) as Advice] as const),
  ...['triu'].map((n) => [n, ((x) => `\`where(iota(T) <= iota(T'), ${x}, 0)\`, of a value over T and its twin`) as Advice] as const),
  ...['embedding', 'Embedding'].map((n) => [n, ((x) => `a look-up is an index, with the axis by name: \`table[V: ${x}]\``) as Advice] as const),
  ...['print', 'log_metrics'].map((n) => [n, ((x) => `\`output name = ${x}\` gives a value to the host`) as Advice] as const),
  ...['map', 'vmap', 'apply', 'apply_along_axis'].map((n) => [n, (() => 'a function is applied at every point of the axes that it does not name: write `f(x)`') as Advice] as const),
  ...['zeros_like', 'empty_like'].map((n) => [n, (() => '`0` stands where any tensor does; with axes: `zeros[T, D]`') as Advice] as const),
  ['ones_like', () => '`1` stands where any tensor does; with axes: `ones[T, D]`'],
  ...['full', 'full_like', 'empty', 'tensor', 'Tensor', 'as_tensor'].map((n) => [n, (() => 'a number stands where any tensor does; what is read is a `param`; with axes: `2 * ones[T, D]`') as Advice] as const),
  ['topk', (x, k, _z, axis) => `\`top_k(${x}, ${k === '…' ? 'k' : k}, over: ${axis})\` is a route: its weights and its points together`],
  ['size', () => 'the size of an axis is its name, as a number: `E`, `T`'],
  ['shape', () => 'the size of an axis is its name, as a number: `E`, `T`'],
  ['ndim', () => 'the axes of a value are its type'],
  ['numel', () => 'the size of an axis is its name, as a number: `T * D`'],
  ['len', () => 'the size of an axis is its name, as a number: `E`, `T`'],
  ['range', () => '`iota(T)` has the places of an axis; what repeats is a chain'],
  ['arange', () => '`iota(T)` has the places of an axis as its values'],
  ['cat', () => '`concat(a, b, (A, B): C)` joins two values along an axis'],
  ['concatenate', () => '`concat(a, b, (A, B): C)` joins two values along an axis'],
  ['stack', () => 'values are made over an axis in the first place; `concat(a, b, (A, B): C)` joins two'],
  ['chunk', (x, _y, _z, axis) => `\`${asOperand(x)}[${axis}: 0 .. n as S]\` is a part of an axis`],
  ['index_select', (x, _y, _z, axis) => `\`${asOperand(x)}[${axis}: ids]\` looks up along an axis`],
  ['take', (x, _y, _z, axis) => `\`${asOperand(x)}[${axis}: ids]\` looks up along an axis`],
  ['take_along_dim', (x, _y, _z, axis) => `\`${asOperand(x)}[${axis}: ids]\` looks up along an axis`],
  ['gather', (x, _y, _z, axis) => `\`${asOperand(x)}[${axis}: ids]\` looks up along an axis`],
  ['scatter', () => '`dot(pick(ids, over: E), x, over: T)` adds up what goes to each point'],
  ['scatter_add', () => '`dot(pick(ids, over: E), x, over: T)` adds up what goes to each point'],
  ['index_add', () => '`dot(pick(ids, over: E), x, over: T)` adds up what goes to each point'],
  ['norm', (x, _y, _z, axis) => `\`sqrt(sum(${asOperand(x)} ** 2, over: ${axis}))\`, or \`l2norm(${x}, over: ${axis})\` to divide by it`],
  ['normalize', (x, _y, _z, axis) => `\`l2norm(${x}, over: ${axis})\` has length 1; \`normalize(r)\` is of routes`],
  ['log_softmax', (x, _y, _z, axis) => `\`${asOperand(x)} - logsumexp(${x}, over: ${axis})\``],
  ['amax', (x, _y, _z, axis) => `\`max(${x}, over: ${axis})\``],
  ['amin', (x, _y, _z, axis) => `\`min(${x}, over: ${axis})\``],
  ['sort', (x, _y, _z, axis) => `\`${asOperand(x)}[${axis}: argsort(${x}, over: ${axis})]\``],
  ['cross_entropy', instances('fn', 'CrossEntropy')],
  ['CrossEntropyLoss', instances('fn', 'CrossEntropy')],
  ['layer_norm', instances('fn', 'LayerNorm')],
  ['rms_norm', instances('fn', 'RmsNorm')],
  ['RMSNorm', instances('fn', 'RmsNorm')],
  ['batch_norm', instances('fn', 'BatchNorm')],
  ['linear', instances('fn', 'Linear', 'D, F')],
  ['Linear', instances('fn', 'Linear', 'D, F')],
  ['BatchNorm1d', instances('fn', 'BatchNorm')],
  ['Parameter', () => 'a weight is declared: `param w: [E, D] = 0.02 * normal[E, D]`'],
  ['scaled_dot_product_attention', instances('fn', 'Attention')],
  ['MultiheadAttention', instances('fn', 'Attention')],
  ['dropout', (x) => `nothing is dropped when a model runs: write \`${x}\``],
  ['Dropout', (x) => `nothing is dropped when a model runs: write \`${x}\``],
  ['logical_and', infix('and')],
  ['logical_or', infix('or')],
  ['logical_not', (x) => `\`not ${asOperand(x)}\``],
  ['maximum', (x, y) => `\`max(${x}, ${y})\``],
  ['minimum', (x, y) => `\`min(${x}, ${y})\``],
  ['swish', (x) => `\`silu(${x})\``],
  ['SiLU', (x) => `\`silu(${x})\``],
  ['GELU', (x) => `\`gelu(${x})\``],
  ['ReLU', (x) => `\`relu(${x})\``],
  ['Softmax', (x, _y, _z, axis) => `\`softmax(${x}, over: ${axis})\``],
  ['rand', () => '`uniform[T, D]` is drawn over axes'],
  ['randn', () => '`normal[T, D]` is drawn over axes'],
  ['bincount', () => '`count(r, over: T)` of a route'],
]); // prettier-ignore

/** How this language says what a function or method of another is for; `operands` as written, a method's tensor first. */
export function adviceFor(
  name: string,
  operands: readonly (ast.AstExpr | undefined)[],
  axis: string | null,
): string | undefined {
  const [x, y, z] = operands.map(shown);
  // What works in place is written with a line below: `relu_`, `scatter_add_`.
  const found = advice.get(name) ?? advice.get(name.replace(/_$/, ''));
  return found?.(x ?? 'x', y ?? 'y', z ?? 'z', axis ?? 'D');
}

/** Arguments of other libraries. `value` is the type of the operand, if it could be typed. */
export function argumentAdvice(
  cx: Context,
  label: string,
  index: number | null,
  value: ValueType | null,
): string | undefined {
  switch (label) {
    case 'keepdim':
    case 'keepdims':
      return `leave it out: axes meet by name, so what is reduced needs no place kept`;
    case 'dim':
    case 'axis':
    case 'dims':
    case 'axes': {
      const axes: readonly AxisVar[] = value === null || value.kind === 'tuple' ? [] : axesOfType(value);
      // The last axis is most often that of the features, whatever order the compiler keeps them in.
      const features = axes.findLast((a) => !cx.isDynamic(a.axis)) ?? axes.at(-1);
      const axis = (index === null || index === -1 ? features : axes.at(index)) ?? features;
      return axis === undefined ? 'an axis has a name: `over: E`' : `an axis has a name: \`over: ${cx.nameOf(axis)}\``;
    }
    case 'dtype':
      return 'an element type converts: `f16(x)`, `i32(x)`';
    case 'inplace':
    case 'out':
      return 'leave it out: every operation gives a new value';
    default:
      return undefined;
  }
}
