/**
 * Members of a family whose tensors are not there: the same numbers may lie in the checkpoint as one tensor that all members share (a
 * dense layer that is to be upcycled), as one tensor of all members, or under names that count them. Hints are tails of a sentence, in
 * the words of the language; they never change what is read.
 */
import { quoteName } from './json.ts';
import type { WeightSliceSpec, VariableSpec } from '../contract/manifest.ts';
import type { SourceTensor } from './weight-source.ts';

/** Variables that are searched at most: a wrong prefix makes every name of a checkpoint missing. */
const MAX_SEARCHES = 10;

/** An axis of a variable whose points lie in tensors of their own: its size, and where names of these tensors show it. */
interface MemberAxis {
  readonly name: string;
  readonly size: number;
  /** Storage step of the axis in the variable. */
  readonly stride: number;
  readonly parts: ReadonlySet<number>;
}

/** A function that tells what seems to hold the members of a variable; empty where nothing does. */
export function memberHints(
  tensors: ReadonlyMap<string, SourceTensor>,
  read: ReadonlySet<string>,
): (variable: VariableSpec, shape: readonly number[], absent: readonly string[]) => string {
  const unread = [...tensors].filter(([name]) => !read.has(name));
  let searches = 0;
  return (variable, shape, absent) => {
    searches += 1;
    const [name] = absent;
    if (searches > MAX_SEARCHES || name === undefined || absent.length < namesOf(variable)) return '';
    const slices = variable.cells ?? [];
    const first = slices[0];
    if (first === undefined || slices.length === 1) return countedHint(variable, first?.tensor ?? name, shape, unread);
    const axes = memberAxes(variable, slices, shape);
    // Innermost first: layers are outside of experts, and `layers.0.mlp` has the number of its layer.
    return (
      axes
        .toReversed()
        .map((axis) => sharedHint(axis, axes, first, unread))
        .find((hint) => hint !== '') ?? ''
    );
  };
}

const namesOf = (variable: VariableSpec): number =>
  new Set(variable.cells?.map(({ tensor }) => tensor) ?? [variable.path]).size;

/** One tensor for all points of an axis: of one member's shape, or with the axis in front; its name is a member's without the index. */
function sharedHint(
  axis: MemberAxis,
  axes: readonly MemberAxis[],
  first: WeightSliceSpec,
  unread: readonly (readonly [string, SourceTensor])[],
): string {
  const member = first.tensor.split('.');
  const keep = new Set(axes.flatMap((other) => (other === axis ? [] : [...other.parts])));
  for (const [name, { shape }] of unread) {
    const kept = partsKept(member, name.split('.'), axis.parts, keep);
    if (kept === null) continue;
    const pattern = name
      .split('.')
      .map((part, i) => patternOf(part, kept[i] ?? -1, axes))
      .join('.');
    const told = `; ${quoteName(name)} of the shape [${shape.join(', ')}]`;
    if (shape.join() === first.shape.join()) {
      return `${told} has no ${axis.name}: if every point of ${axis.name} is to read it, say \`from "${pattern}{all ${axis.name}}"\``;
    }
    if (shape.join() === [axis.size, ...first.shape].join()) {
      return `${told} seems to hold all points of ${axis.name}: say \`from "${pattern}"\`, without ${axis.name} in braces`;
    }
  }
  return '';
}

/**
 * For each part of a candidate's name the part of the member's that it is, -1 where it is another word in place of one; null unless the
 * candidate is the member's name with the parts in `without`, and perhaps others, left out. At most one word may be another: a dense
 * layer is called `mlp` where the experts are `experts`.
 */
function partsKept(
  member: readonly string[],
  candidate: readonly string[],
  without: ReadonlySet<number>,
  keep: ReadonlySet<number>,
): readonly number[] | null {
  const kept: number[] = [];
  let at = 0;
  let others = 0;
  for (const part of candidate) {
    const found = member.findIndex((own, i) => i >= at && own === part && !without.has(i));
    if (found < 0 && ++others > 1) return null;
    kept.push(found);
    if (found >= 0) at = found + 1;
  }
  if (candidate.length + others > member.length || [...keep].some((position) => !kept.includes(position))) return null;
  // The last part that is no index says which param it is.
  const last = member.findLastIndex((_, i) => !without.has(i));
  return kept.at(-1) === last ? kept : null;
}

/** A part of the first member's name as a pattern: `{L}` where it counts the points of L, `{L + 8}` from another number on. */
function patternOf(part: string, position: number, axes: readonly MemberAxis[]): string {
  const axis = axes.find(({ parts }) => parts.has(position));
  if (axis === undefined) return part;
  const offset = /^\d+$/.test(part) ? Number(part) : 0;
  return offset === 0 ? `{${axis.name}}` : `{${axis.name} + ${offset}}`;
}

/** The axes whose points are in tensors of their own, each with the parts of the names that change along it. */
function memberAxes(
  variable: VariableSpec,
  slices: readonly WeightSliceSpec[],
  shape: readonly number[],
): readonly MemberAxis[] {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const [first] = slices;
  if (first === undefined) return [];
  const origin = first.tensor.split('.');
  return variable.axes.flatMap(({ name }, i) => {
    const size = shape[i] ?? 1;
    const stride = strides[i] ?? 1;
    const next = slices.find(({ offset }) => offset - first.offset === stride);
    if (size < 2 || next === undefined || first.dims.some(({ to }) => to === stride)) return [];
    const parts = next.tensor.split('.').flatMap((part, at) => (part === origin[at] ? [] : [at]));
    return parts.length === 0 ? [] : [{ name, size, stride, parts: new Set(parts) }];
  });
}

/** A tensor for each point of the first axis, under the variable's name with a number in it. */
function countedHint(
  variable: VariableSpec,
  wanted: string,
  shape: readonly number[],
  unread: readonly (readonly [string, SourceTensor])[],
): string {
  const [axis] = variable.axes;
  if (axis === undefined || shape.length < 2) return '';
  const rest = shape.slice(1).join();
  for (const [name, tensor] of unread) {
    if (tensor.shape.join() !== rest) continue;
    const parts = name.split('.');
    const at = parts.findIndex((part, i) => /^\d+$/.test(part) && parts.filter((_, k) => k !== i).join('.') === wanted);
    if (at < 0) continue;
    const pattern = parts.map((part, i) => (i === at ? `{${axis.name}}` : part)).join('.');
    return `; ${quoteName(name)} of the shape [${tensor.shape.join(', ')}] seems to be one point of ${axis.name}: say \`from "${pattern}"\``;
  }
  return '';
}

/** For a tensor that has one dimension fewer, or one more, than is wanted: which axis it is, and how a declaration says it. */
export function lackingAxisHint(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  shape: readonly number[],
  axes: readonly string[] | null,
  found: readonly number[],
): string {
  const wanted = slice.shape;
  if (axes !== null && wanted.length === found.length + 1) {
    const at = wanted.findIndex((_, i) => wanted.filter((_, k) => k !== i).join() === found.join());
    const axis = axes[at];
    if (axis === undefined) return '';
    return `: it has no ${axis}; if every point of ${axis} is to read it, the declaration says so with \`from "${slice.tensor}{all ${axis}}"\``;
  }
  const [size, ...rest] = found;
  if (rest.join() !== wanted.join() || rest.length !== wanted.length) return '';
  const sharing = variable.cells?.filter(({ tensor }) => tensor === slice.tensor).length ?? 1;
  const axis = variable.axes.find((_, i) => shape[i] === size);
  if (axis === undefined || sharing !== size) return '';
  return `: it has ${axis.name} in front, so leave \`{all ${axis.name}}\` out of its name`;
}
