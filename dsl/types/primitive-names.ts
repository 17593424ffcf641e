/**
 * The names of the primitives and the normal form of their calls: what the checker writes into the typed program and
 * every executor understands. Sugar (defaults of `over:`, operators, overloads of `max`) is resolved before.
 *
 *   args (values)                 axes                    attributes              result
 *   unary        x                                                                elementwise
 *   binary       x y                                                              elementwise, axes united by name
 *   clamp        x low high                                                       elementwise
 *   where        condition then else                                              elementwise
 *   convert      x                                                                the call's element type
 *   reductions   x                over                                            without `over`
 *   along        x                over                    eps?                    same axes
 *   dot          left right       over                                            contraction (`@` too)
 *   rename       x                from to                                         pairwise
 *   split        x                axis into                                       row-major, outer first
 *   merge        x                axes into
 *   concat       a b              along (A, B) into (C)
 *   at           x                axis                    index                   without the axis
 *   window       x                axis as                 from to                 `as` instead of the axis
 *   part         x                axis into               part offset length      a union's part, in its own axes
 *   is           -                axis                    part offset length      bool over the union's axis
 *   gather       x ids            axis                                            axes of ids instead; -1 gives 0
 *   iota         -                axis
 *   one_hot      ids              over                                            bool-like f32, 1 where ids names the point
 *   made, drawn  -                axes
 *   top_k        s k? by? where?  over                    k? at_most?             route; k is static or an i32 scalar argument
 *   top_p        s p              over                    at_most?                route
 *   keep         v c              over?                                           route (of a route: fewer points)
 *   pick         ids              over along?                                     route
 *   all          s                over                                            route
 *   limit        r to? by0 by1 …  over                    to?                     route
 *   slots        r                places over                                     route with `places` among the targets
 *   load count   r                over                                            dense
 *   normalize    r                over (the targets)      eps?                    route
 *   mask rank dense r
 *   stop_gradient x
 *
 * `x`, `y` may be routes where the primitive says so (SEMANTICS 4.2).
 */
export const unaryNames = [
  'neg',
  'not',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'tanh',
  'sigmoid',
  'silu',
  'gelu',
  'gelu_tanh',
  'relu',
  'softplus',
  'erf',
  'abs',
  'sign',
  'floor',
  'ceil',
  'sin',
  'cos',
] as const;
export const binaryNames = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'pow',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'and',
  'or',
  'minimum',
  'maximum',
] as const;
export const reductionNames = ['sum', 'mean', 'max', 'min', 'var', 'std', 'logsumexp', 'argmax'] as const;
export const alongNames = ['softmax', 'cumsum', 'argsort', 'l2norm', 'rmsnorm', 'layernorm'] as const;
export const drawNames = ['uniform', 'normal', 'gumbel'] as const;

export type UnaryName = (typeof unaryNames)[number];
export type BinaryName = (typeof binaryNames)[number];
export type ReductionName = (typeof reductionNames)[number];
export type AlongName = (typeof alongNames)[number];
export type DrawName = (typeof drawNames)[number];

export type PrimitiveName =
  | UnaryName
  | BinaryName
  | ReductionName
  | AlongName
  | DrawName
  | 'clamp'
  | 'where'
  | 'convert'
  | 'dot'
  | 'rename'
  | 'split'
  | 'merge'
  | 'concat'
  | 'at'
  | 'window'
  | 'part'
  | 'is'
  | 'gather'
  | 'iota'
  | 'one_hot'
  | 'zeros'
  | 'ones'
  | 'top_k'
  | 'top_p'
  | 'keep'
  | 'pick'
  | 'all'
  | 'limit'
  | 'slots'
  | 'load'
  | 'count'
  | 'normalize'
  | 'mask'
  | 'rank'
  | 'dense'
  | 'stop_gradient';

/** How a reduction puts numbers together, from the graph down to the kernel: means and other reductions are made of these. */
export const reduceOps = ['sum', 'max', 'min', 'any'] as const;
export type ReduceOp = (typeof reduceOps)[number];
