/**
 * What a tensor that does not fit, or is not there, most likely is: the same numbers in another stored order, or several tensors in
 * one. Hints are tails of a sentence; they say what to write in the program, and never change what is read.
 */
import { quoteName } from './json.ts';
import type { WeightSliceSpec, VariableSpec } from '../contract/manifest.ts';
import type { SourceTensor } from './weight-source.ts';

/** Names of the axes of a slice's tensor in their stored order; null where they do not follow (parts, merged axes). */
export function storedAxes(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  shape: readonly number[],
): readonly string[] | null {
  if (variable.cells === null) return variable.axes.map(({ name }) => name);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const dims = slice.dims.filter(({ size }) => size > 1).sort((a, b) => b.stride - a.stride);
  const names = dims.map(
    (dim) => variable.axes[strides.findIndex((stride, i) => stride === dim.to && shape[i] === dim.size)],
  );
  const wide = slice.shape.filter((size) => size > 1);
  if (wide.length !== slice.shape.length || names.length !== slice.shape.length) return null;
  return names.every((axis) => axis !== undefined) ? names.map(({ name }) => name) : null;
}

/** For a shape that is another order of the wanted one: `as [D, E]`. Empty where it is none, or the one that is wanted. */
export function orderHint(axes: readonly string[] | null, wanted: readonly number[], found: readonly number[]): string {
  if (axes === null || wanted.length !== found.length || wanted.length < 2) return '';
  const left = wanted.map((size, i) => ({ size, name: axes[i] ?? '' }));
  const order: string[] = [];
  for (const size of found) {
    // Equal sizes are told apart by nothing: they keep their order.
    const at = left.findIndex((axis) => axis.size === size);
    const [axis] = at < 0 ? [] : left.splice(at, 1);
    if (axis === undefined) return '';
    order.push(axis.name);
  }
  if (order.join() === axes.join()) return '';
  return `: it is stored in another order, which the declaration says with \`as [${order.join(', ')}]\``;
}

/** A name that the checkpoint lacks, and what a tensor of that name would be. */
export interface Lacking {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly string[] | null;
}

/**
 * For names that are lacking: a tensor that nobody reads whose name differs from theirs in one part, and which is as many times as
 * large along one axis as there are such names. By lacking name; only the first of a group has the hint.
 */
export function fusedHints(
  lacking: readonly Lacking[],
  tensors: ReadonlyMap<string, SourceTensor>,
  read: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const hints = new Map<string, string>();
  /** Patterns of lacking names, one part open. */
  const groups = new Map<string, Lacking[]>();
  for (const one of lacking) {
    for (const pattern of patternsOf(one.name)) {
      const key = `${pattern} ${one.shape.join()}`;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
  }
  const told = new Set<string>();
  for (const [name, { shape }] of tensors) {
    if (read.has(name) || told.size >= MAX_HINTS) continue;
    for (const [at, pattern] of patternsOf(name).entries()) {
      for (const [axis, size] of shape.entries()) {
        for (const parts of [2, 3, 4]) {
          const part = shape.map((s, i) => (i === axis ? size / parts : s));
          const group = groups.get(`${pattern} ${part.join()}`);
          const first = group?.[0];
          if (group?.length !== parts || first === undefined || first.axes === null || told.has(first.name)) continue;
          told.add(first.name);
          hints.set(first.name, fusedHint(name, shape, group, at, axis));
        }
      }
    }
  }
  return hints;
}

/** One for every expert would say the same again. */
const MAX_HINTS = 4;

function fusedHint(
  name: string,
  shape: readonly number[],
  group: readonly Lacking[],
  at: number,
  axis: number,
): string {
  const part = (of: string): string => of.split('.')[at] ?? '';
  const fused = part(name);
  const position = (one: Lacking): number => fused.indexOf(part(one.name).split('_')[0] ?? '');
  const sorted = group.every((one) => position(one) >= 0) ? group.toSorted((a, b) => position(a) - position(b)) : group;
  const forms = sorted.map((one, i) => {
    const axes = (one.axes ?? []).map((axisName, k) =>
      k === axis ? `(${i} of ${group.length}, ${axisName})` : axisName,
    );
    return `\`as [${axes.join(', ')}]\` for ${part(one.name)}`;
  });
  return `; ${quoteName(name)} of the shape [${shape.join(', ')}] seems to hold ${group.length === 2 ? 'both' : `all ${group.length}`}: declare them from it with ${forms.join(', ')}`;
}

/** A dotted name with each of its parts left open in turn. */
function patternsOf(name: string): readonly string[] {
  const parts = name.split('.');
  return parts.map((_, at) => parts.map((part, i) => (i === at ? '*' : part)).join('.'));
}

/** Tensors of a checkpoint that nobody reads, beside one in the same part of the names that is read: `router.bias`. */
export function unreadNeighbours(names: Iterable<string>, read: ReadonlySet<string>): readonly string[] {
  const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('.') + 1);
  const folders = new Set([...read].map(folderOf).filter((folder) => folder !== ''));
  return [...names].filter((name) => !read.has(name) && folders.has(folderOf(name)));
}
