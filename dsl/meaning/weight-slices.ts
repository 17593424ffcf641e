/**
 * Checkpoint bindings: which stored tensors make up a variable, as strided copies.
 *
 * With indices i over `dims`: variable[offset + Σ i·to] = tensor[from + Σ i·stride]. One slice for each combination of the
 * axes in braces; only slices that the instantiated program reads are listed, so a layer that is not used is not required.
 */
import { at, get } from '../diagnostics/invariants.ts';
import { axesInBraces } from '../types/axes.ts';
import type {
  AxisVar,
  Decoder,
  NameHole,
  NamePattern,
  VariableSource,
  StoredDim,
  StoredPart,
} from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import type { Axis } from '../types/axis.ts';
import type { Instance, UsedVariable } from './instances.ts';
import { MAX_PIECES, withinLimit } from '../types/expansion-limits.ts';
import type { InstanceScope } from './instance-scope.ts';
import { asInteger, asNumber, formatSize, integerOf, type Size } from '../types/size.ts';
import { evaluateStatic } from './statics.ts';

export interface WeightSlice {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly decoder: Decoder | null;
  /** Further tensors a decoder takes (`mxfp4`: the scales). */
  readonly others: readonly string[];
  readonly from: number;
  readonly offset: number;
  readonly dims: readonly { readonly size: number; readonly stride: number; readonly to: number }[];
}

/** A name in pieces: patterns in front of one another, each resolved in the instance that wrote it. */
interface BoundPattern {
  readonly pattern: NamePattern;
  readonly instance: Instance;
  /** What `{param}` stands for. */
  readonly param: string;
}

interface BoundSource {
  readonly prefixes: readonly BoundPattern[];
  readonly names: readonly BoundPattern[];
  readonly decoder: Decoder | null;
  readonly stored: { readonly dims: readonly StoredDim[]; readonly instance: Instance; readonly span: Span } | null;
}

/** The slices of a variable, or null when no `from` binds it: it is then matched by its path, as a whole. */
export function bindVariable(
  used: UsedVariable,
  scope: InstanceScope,
  report: (problem: Diagnostic) => void,
): readonly WeightSlice[] | null {
  const sources = used.variants.map((variant) => ({ variant, source: findSource(variant, scope) }));
  if (sources.every(({ source }) => source === null)) return null;
  const resolve = (variable: AxisVar, instance: Instance): Axis => scope.axis(variable, scope.frameOf(instance));
  const axes = [...used.variable.family, ...used.variable.declared];
  const sizes = axes.map(storedSize);
  const strides = axes.map((_, i) => sizes.slice(i + 1).reduce((p, n) => p * n, 1));

  const braced = new Set<Axis>();
  for (const { variant, source } of sources) {
    for (const p of source === null ? [] : [...source.prefixes, ...source.names]) {
      for (const a of axesInBraces(p.pattern)) braced.add(resolve(a, p.instance));
      // A number of a template may be another one at each point of a family around its instance.
      if (!p.pattern.holes.some((h) => (h.kind === 'position' || h.kind === 'text') && scope.dependsOnIndex(h.value)))
        continue;
      for (const { index, axis } of scope.namedIndices(variant.instance))
        if (variant.instance.indices.has(index)) braced.add(axis);
    }
  }
  const pieces = axes.reduce((count, a, i) => (braced.has(a) ? count * at(sizes, i, 'bindings: size') : count), 1);
  withinLimit(pieces, MAX_PIECES, `${used.variable.path} is read from a tensor`, used.variable.declaration.span);
  const rest = axes.filter((a) => !braced.has(a));
  const layouts = new Map(
    sources.flatMap(({ variant, source }) =>
      source === null ? [] : [[variant, { source, layout: storedLayout(source, rest, resolve, report) }] as const],
    ),
  );

  const slices: WeightSlice[] = [];
  for (const position of combinations(axes.filter((a) => braced.has(a)))) {
    if (!isUsed(used, position)) continue;
    const bound = layouts.get(variantAt(used, position, scope));
    if (bound === undefined) continue;
    const { source, layout } = bound;
    const name = (p: BoundPattern): string => spell(p, position, scope, resolve, report);
    const prefix = source.prefixes.map(name).join('');
    const names = source.names.map((p) => prefix + name(p));
    const [tensor, ...others] = names;
    if (tensor === undefined) throw new CompilerBug('bindings', 'a source without a name');
    let offset = 0;
    // An axis that stands in no braces is read as a whole, from its first point on.
    axes.forEach((a, i) => {
      offset += (position.get(a) ?? 0) * at(strides, i, 'bindings: stride');
    });
    const dims = axes.flatMap((a, i) =>
      braced.has(a)
        ? []
        : [
            {
              size: at(sizes, i, 'bindings: size'),
              stride: get(layout.strides, a, 'bindings: stride of'),
              to: at(strides, i, 'bindings: stride'),
            },
          ],
    );
    slices.push({ tensor, shape: layout.shape, decoder: source.decoder, others, from: layout.from, offset, dims });
  }
  return slices;
}

/** The checker and the scope see to it that what is stored has a fixed shape. */
function storedSize(axis: Axis): number {
  return integerOf(axis.size, 'bindings: size of an axis');
}

/** The instance that stands at a position of the family, where there are several. */
function variantAt(used: UsedVariable, position: ReadonlyMap<Axis, number>, scope: InstanceScope): UsedVariable {
  const stands = ({ instance }: UsedVariable): boolean =>
    scope.namedIndices(instance).every(({ index, axis }) => {
      const own = instance.indices.get(index);
      return own === undefined || own === position.get(axis);
    });
  return used.variants.find(stands) ?? used;
}

function findSource(used: UsedVariable, scope: InstanceScope): BoundSource | null {
  const { declaration } = used.variable;
  let found: Omit<BoundSource, 'prefixes'> | null =
    declaration.source === null ? null : named(declaration.source, used.instance, declaration.name);
  const prefixes: BoundPattern[] = [];
  let path = declaration.name;
  for (let at: Instance | null = used.instance; at !== null; at = at.instantiatedIn) {
    const made = scope.declarationOf(at);
    if (made?.kind === 'instance' && made.source !== null) {
      const { prefix, record } = made.source;
      const own = record?.get(path);
      // Whoever stands further outside and names the param has the last word.
      if (own !== undefined) {
        found = named(own, at, path);
        prefixes.length = 0;
      }
      if (found !== null) prefixes.unshift({ pattern: inFront(prefix), instance: at, param: path });
      else if (record === null)
        found = { names: [{ pattern: prefix, instance: at, param: path }], decoder: null, stored: null };
    }
    if (made !== null) path = `${made.name}.${path}`;
  }
  return found === null ? null : { ...found, prefixes };
}

/** A pattern before a name that is known: `{param}` at its end stands for the name. */
function inFront(pattern: NamePattern): NamePattern {
  const [last] = pattern.holes.slice(-1);
  return last?.kind === 'param'
    ? { ...pattern, holes: pattern.holes.slice(0, -1), texts: pattern.texts.slice(0, -1) }
    : pattern;
}

function named(source: VariableSource, instance: Instance, param: string): Omit<BoundSource, 'prefixes'> {
  return {
    names: source.patterns.map((pattern) => ({ pattern, instance, param })),
    decoder: source.decoder,
    stored: source.stored === null ? null : { dims: source.stored, instance, span: source.span },
  };
}

/** Shape of the stored tensor, first element, and the stride of each axis in it. */
function storedLayout(
  source: BoundSource,
  rest: readonly Axis[],
  resolve: (variable: AxisVar, instance: Instance) => Axis,
  report: (problem: Diagnostic) => void,
): { readonly shape: readonly number[]; readonly from: number; readonly strides: ReadonlyMap<Axis, number> } {
  const { stored } = source;
  const size = storedSize;
  const dims =
    stored === null
      ? rest.map((axis) => ({ size: size(axis), from: 0, strides: [[axis, 1] as const] }))
      : stored.dims.map((dim) => {
          let inner = 1;
          let from = 0;
          const strides: (readonly [Axis, number])[] = [];
          for (const part of [...dim].reverse()) {
            if (part.kind === 'axis') {
              const axis = resolve(part.axis, stored.instance);
              strides.push([axis, inner]);
              inner *= size(axis);
            } else {
              // Parts from .. to of so many: what stands right of it in the group is that many blocks.
              const blocks = part.to - part.from;
              if (inner % blocks !== 0) report(indivisible(part, inner, stored.span));
              const block = Math.floor(inner / blocks);
              from += part.from * block;
              inner = part.of * block;
            }
          }
          return { size: inner, from, strides };
        });
  const strides = new Map<Axis, number>();
  let outer = 1;
  let from = 0;
  for (const dim of [...dims].reverse()) {
    from += dim.from * outer;
    for (const [axis, stride] of dim.strides) strides.set(axis, stride * outer);
    outer *= dim.size;
  }
  return { shape: dims.map((d) => d.size), from, strides };
}

function indivisible(part: StoredPart & { kind: 'range' }, size: number, span: Span): Diagnostic {
  return diagnostic('MOE0690', {
    message: `${part.from} .. ${part.to} of ${part.of} are ${part.to - part.from} blocks, the axes right of it have ${size} points, which do not divide into them`,
    span,
    help: `a range counts blocks of the axes that stand right of it in its parentheses: (${part.from} .. ${part.to} of ${part.of}, A)`,
  });
}

function* combinations(axes: readonly Axis[]): Generator<ReadonlyMap<Axis, number>> {
  const [first, ...others] = axes;
  if (first === undefined) {
    yield new Map();
    return;
  }
  for (let i = 0; i < storedSize(first); i++) {
    for (const more of combinations(others)) yield new Map([[first, i], ...more]);
  }
}

/** Whether some used member of the variable has these positions along its family axes. */
function isUsed(used: UsedVariable, position: ReadonlyMap<Axis, number>): boolean {
  const wanted = used.variable.family.map((a) => position.get(a));
  if (wanted.every((w) => w === undefined)) return true;
  if (wanted.every((w) => w !== undefined)) return used.members.has(wanted.join(','));
  for (const member of used.members) {
    const at = member.split(',').map(Number);
    if (wanted.every((w, i) => w === undefined || w === at[i])) return true;
  }
  return false;
}

function spell(
  bound: BoundPattern,
  position: ReadonlyMap<Axis, number>,
  scope: InstanceScope,
  resolve: (variable: AxisVar, instance: Instance) => Axis,
  report: (problem: Diagnostic) => void,
): string {
  const { pattern, instance } = bound;
  const indexOf = (variable: AxisVar): number => get(position, resolve(variable, instance), 'bindings: position along');
  const indices = new Map(
    scope.namedIndices(instance).flatMap(({ index, axis }) => {
      const here = position.get(axis);
      return here === undefined ? [] : [[index, here] as const];
    }),
  );
  const frame = scope.frameOf(instance, indices);
  let name = at(pattern.texts, 0, 'bindings: text of a pattern');
  pattern.holes.forEach((hole, i) => {
    switch (hole.kind) {
      case 'param':
        name += bound.param;
        break;
      case 'point_name': {
        const axis = resolve(hole.axis, instance);
        name += axis.points?.[indexOf(hole.axis)] ?? String(indexOf(hole.axis));
        break;
      }
      case 'group':
        name += String(hole.axes.reduce((index, a) => index * storedSize(resolve(a, instance)) + indexOf(a), 0));
        break;
      case 'all':
        break;
      case 'text': {
        const value = scope.static(hole.value, frame);
        if (value.kind !== 'string') throw new CompilerBug('bindings', 'a name made of something else than a string');
        name += value.value;
        break;
      }
      case 'position': {
        const positions = new Set(hole.axes.map((a) => `${a.axis}:${a.primes}`));
        const value = evaluateStatic(hole.value, {
          constant: (id) => scope.static({ kind: 'const', decl: id, type: 'number', span: hole.value.span }, frame),
          size: (variable) =>
            positions.has(`${variable.axis}:${variable.primes}`) && braced(position, resolve(variable, instance))
              ? { kind: 'exact', numerator: BigInt(indexOf(variable)), denominator: 1n }
              : resolve(variable, instance).size,
          index: (id) => get(indices, id, 'bindings: index'),
          report,
        });
        if (value.kind !== 'number')
          throw new CompilerBug('bindings', 'a name counted by something else than a number');
        const number = asInteger(value.size);
        const along = hole.axes.map((a) => resolve(a, instance)).filter((axis) => braced(position, axis));
        const at = along.map((axis) => `${axis.name} = ${get(position, axis, 'bindings: position along')}`).join(', ');
        if (number === null) report(noWholeNumber(hole, value.size, at));
        else name += String(number);
        break;
      }
    }
    name += at(pattern.texts, i + 1, 'bindings: text of a pattern');
  });
  return name;
}

/** What is wrong with a number of a name: a fraction, a float, or a size of the run. The name is the same in every run. */
function noWholeNumber({ value }: NameHole & { kind: 'position' }, size: Size, at: string): Diagnostic {
  const { span } = value;
  const where = at === '' ? '' : ` at ${at}`;
  const shown = `the number in this name is ${formatSize(size)}${where}`;
  if (asNumber(size) === null)
    return diagnostic('MOE0358', {
      message: `${shown}, which is known only when the model runs: it cannot decide which tensor is read`,
      span,
      help: 'names are made of axes of the tensor, and of constants that are known when compiling',
    });
  if (size.kind === 'real')
    return diagnostic('MOE0350', {
      message: `${shown} in float arithmetic, which is not exact`,
      span,
      help: 'say floor or ceil where the constant is declared',
    });
  return diagnostic('MOE0350', {
    message: `${shown}, which is no whole number`,
    span,
    help: 'nothing is rounded by itself: n divided by k and rounded down is (n - n % k) / k',
  });
}

function braced(position: ReadonlyMap<Axis, number>, axis: Axis): boolean {
  return position.has(axis);
}
