/**
 * From what a caller passes to what a run writes: inputs and run-time controls, checked all together, and the sizes
 * that follow from them.
 */
import { InputError } from '../contract/errors.ts';
import type { SizeConstraintSpec, EntrySpec, Manifest, PlanSpec } from '../contract/manifest.ts';
import type { Feed } from './run.ts';
import { type Sizes, elementCount, evaluateCount, evaluateNumber, evaluateShape } from '../contract/sizes.ts';
import {
  type DeclaredTensor,
  type InputTensor,
  bindSizes,
  checkAllFinite,
  readInput,
  toWords,
} from '../contract/tensors.ts';

export interface Feeds {
  readonly sizes: Sizes;
  /** By arena key. */
  readonly feeds: ReadonlyMap<string, Feed>;
  /** Paths of the controls that were given. */
  readonly given: ReadonlySet<string>;
}

export interface FeedOptions {
  readonly controls: ReadonlyMap<string, unknown>;
  readonly sizes: Sizes;
  readonly checkFinite: boolean;
  /** The plan that will run: a control it does not use may be missing. */
  readonly plan: PlanSpec;
}

/** Throws InputError for the first thing that does not fit. */
export function readFeeds(
  manifest: Manifest,
  entry: EntrySpec,
  inputs: ReadonlyMap<string, unknown>,
  options: FeedOptions,
): Feeds {
  const known = new Set(entry.inputs.map(({ name }) => name));
  for (const name of inputs.keys()) {
    if (known.has(name)) continue;
    throw new InputError('MOE0706', `${entry.name} has no input ${name}: it has ${[...known].join(', ')}`, name);
  }
  const parts: { readonly key: string; readonly tensor: InputTensor }[] = [];
  entry.inputs.forEach((declared, i) => {
    const value = inputs.get(declared.name);
    if (value === undefined) throw new InputError('MOE0706', `the input ${declared.name} is missing`, declared.name);
    parts.push({ key: `input:${i}`, tensor: readInput(declared, value) });
  });
  const controls = controlsOf(manifest);
  for (const [path, value] of options.controls) {
    const index = controls.get(path);
    const variable = index === undefined ? undefined : manifest.stores[index];
    if (variable === undefined) {
      throw new InputError(
        'MOE0706',
        `the model has no control ${path}: it has ${[...controls.keys()].join(', ') || 'none'}`,
        path,
      );
    }
    const declared: DeclaredTensor = {
      name: path,
      element: variable.element,
      axes: variable.axes,
      within: variable.within,
    };
    parts.push({ key: `control:${index}`, tensor: readInput(declared, value) });
  }
  const sizes = bindSizes(
    manifest.dynamic,
    parts.map(({ tensor }) => tensor),
    options.sizes,
  );
  checkSizeConstraints(entry.conditions, sizes, options.plan === entry.full);
  const feeds = new Map<string, Feed>(
    parts.map(({ key, tensor }) => [key, feedOf(tensor, sizes, options.checkFinite)]),
  );
  for (const [key, feed] of defaultFeeds(manifest, options, sizes)) feeds.set(key, feed);
  return { sizes, feeds, given: new Set(options.controls.keys()) };
}

function controlsOf(manifest: Manifest): ReadonlyMap<string, number> {
  return new Map(manifest.stores.flatMap(({ kind, path }, i) => (kind === 'control' ? [[path, i] as const] : [])));
}

function feedOf({ declared, content }: InputTensor, sizes: Sizes, checkFinite: boolean): Feed {
  if (content.kind === 'gpu') return content;
  const limit = declared.within === null ? null : evaluateCount(declared.within.size, sizes, declared.within.name);
  const words = toWords(declared, content.data, limit);
  if (checkFinite) checkAllFinite(declared.name, words);
  return { kind: 'host', words };
}

/** Constants for controls that were not given and that no step of the plan computes. */
function defaultFeeds(manifest: Manifest, options: FeedOptions, sizes: Sizes): ReadonlyMap<string, Feed> {
  const feeds = new Map<string, Feed>();
  const computed = new Set(
    options.plan.steps.flatMap((step) => (step.kind === 'launch' && step.unless !== null ? [step.unless] : [])),
  );
  for (const buffer of options.plan.buffers) {
    if (buffer.kind !== 'store') continue;
    const variable = manifest.stores[buffer.store];
    if (variable?.kind !== 'control' || options.controls.has(variable.path) || computed.has(variable.path)) continue;
    if (variable.initial?.kind !== 'fill') {
      throw new InputError('MOE0706', `the control ${variable.path} has no default and was not given`, variable.path);
    }
    const { value } = variable.initial;
    const data = new Array<number>(elementCount(evaluateShape(variable.axes, sizes))).fill(value);
    const words = toWords(
      { name: variable.path, element: variable.element, axes: variable.axes, within: null },
      data,
      null,
    );
    feeds.set(`control:${buffer.store}`, { kind: 'host', words });
  }
  return feeds;
}

/** Throws InputError MOE0715 for the first condition of an entry that the sizes of a run break. `full`: of the full plan. */
export function checkSizeConstraints(conditions: readonly SizeConstraintSpec[], sizes: Sizes, withAux: boolean): void {
  for (const { left, relation, right, message, place, fullOnly } of conditions) {
    if (fullOnly === true && !withAux) continue;
    const [a, b] = [evaluateNumber(left, sizes), evaluateNumber(right, sizes)];
    if ({ '==': a === b, '<=': a <= b, '!=': a !== b }[relation]) continue;
    const bound = [...sizes].map(([axis, size]) => `${axis} = ${size}`).join(', ');
    throw new InputError('MOE0715', `${message} (${place}, in a run with ${bound})`);
  }
}
