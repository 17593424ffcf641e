/**
 * What is wrong with a checkpoint, each fault with what it most likely comes from and what to write instead. A file of its own: it is
 * loaded where something does not fit.
 */
import { unreachable } from '../contract/bug.ts';
import type { WeightsProblem } from '../contract/errors.ts';
import type { Manifest, VariableSpec, WeightSliceSpec } from '../contract/manifest.ts';
import { type WeightBinding, absentNames, namesOf, tensorsOf } from './bind-weights.ts';
import { blockShapes, fitOf } from './fit.ts';
import { quoteName } from './json.ts';
import { type Lacking, fusedHints, orderHint, storedAxes } from './layout-hints.ts';
import { lackingAxisHint, memberHints } from './member-hints.ts';
import { nearestNames } from './nearest-names.ts';
import type { WeightSource } from './weight-source.ts';

/** All faults of the variables that a source does not fill, in their order. */
export function problemsOf(
  misfits: readonly WeightBinding[],
  manifest: Manifest,
  source: WeightSource | null,
): readonly WeightsProblem[] {
  if (source === null) return misfits.map(({ variable }) => withoutWeights(variable));
  const problems: WeightsProblem[] = [];
  const nearest = nearestNames([...(source.names ?? source.tensors.keys())]);
  const lacking: Lacking[] = [];
  const members = memberHints(source.tensors, tensorsOf(manifest));
  for (const { variable, shape, slices } of misfits) {
    const absent = absentNames(variable, source);
    const help = absent.length === 0 ? '' : waysOut(variable, absent.length < namesOf(variable).length);
    const held = absent.length === 0 ? '' : members(variable, shape, absent);
    for (const [i, name] of absent.entries()) {
      const hint = i === 0 && held !== '' ? held : nearest(name);
      const message = `there is no tensor ${quoteName(name)}, which ${variable.path} is bound to${hint}`;
      problems.push({ code: 'MOE0630', message, tensor: name, help });
      const slice = slices?.find(({ tensor }) => tensor === name);
      if (slice !== undefined) lacking.push({ name, shape: slice.shape, axes: storedAxes(variable, slice, shape) });
    }
    for (const problem of (slices ?? []).flatMap((slice) => sliceProblems(variable, slice, source, shape))) {
      // A tensor that several members share is wrong once.
      const told = (other: WeightsProblem): boolean =>
        other.tensor === problem.tensor && other.message === problem.message;
      if (!problems.some(told)) problems.push(problem);
    }
  }
  const hints = fusedHints(lacking, source.tensors, tensorsOf(manifest));
  return problems.map((problem) => {
    const hint = problem.code === 'MOE0630' ? hints.get(problem.tensor ?? '') : undefined;
    return hint === undefined ? problem : { ...problem, message: problem.message + hint };
  });
}

function withoutWeights({ path }: VariableSpec): WeightsProblem {
  const message = `${path} has no initial value and no weights were given`;
  return { code: 'MOE0635', message, help: helpWithoutWeights };
}

const helpWithoutWeights =
  'give weights, or declare the param with a first value, as in `param w: [E, D] = 0.02 * normal[E, D]`';

/** The ways out for a variable that a checkpoint lacks: where it lies, or its first value. */
function waysOut(variable: VariableSpec, partly: boolean): string {
  const bindIt = 'say where it lies, with `from "…"` at the declaration';
  if (partly) return `${bindIt}; a part of a param is not initialised, it is read whole or not at all`;
  const ask = "run with `--missing initialise` (from JavaScript `missing: 'initialise'`)";
  return variable.initial === null
    ? `${bindIt}, or declare it with a first value, as in \`param w: [E, D] = 0.02 * normal[E, D]\`, and ${ask}`
    : `${bindIt}, or, to begin with its first value, ${ask}`;
}

function sliceProblems(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  source: WeightSource,
  shape: readonly number[],
): readonly WeightsProblem[] {
  const fit = fitOf(variable, slice, source);
  if (fit === null) return [];
  const { tensor, scales } = fit;
  const problem = (code: 'MOE0631' | 'MOE0632', name: string, told: string, hint = ''): WeightsProblem => ({
    code,
    message: `${quoteName(name)} ${told}, as ${variable.path} is declared${hint}`,
    tensor: name,
  });
  const problems: WeightsProblem[] = [];
  const plain = slice.decoder === null;
  if (fit.wrongType) {
    const told = `holds ${tensor.dtype}, ${wantedTypes(variable)} is wanted`;
    problems.push(
      problem('MOE0632', slice.tensor, plain ? told : 'and its scales are not bytes, MXFP4 blocks are wanted'),
    );
  }
  if (fit.wrongShape) {
    const told = `has the shape ${show(tensor.shape)}, ${plain ? '' : 'blocks of '}${show(slice.shape)} ${plain ? 'is' : 'are'} wanted`;
    problems.push(problem('MOE0631', slice.tensor, told, plain ? shapeHint(variable, slice, shape, tensor.shape) : ''));
  }
  if (fit.wrongScales && scales !== null) {
    const told = `has the shape ${show(scales.shape)}, ${show(blockShapes(slice).scales)} is wanted`;
    problems.push(problem('MOE0631', slice.scales ?? '', told));
  }
  return problems;
}

function shapeHint(
  variable: VariableSpec,
  slice: WeightSliceSpec,
  shape: readonly number[],
  found: readonly number[],
): string {
  const axes = storedAxes(variable, slice, shape);
  return orderHint(axes, slice.shape, found) || lackingAxisHint(variable, slice, shape, axes, found);
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function wantedTypes(variable: VariableSpec): string {
  switch (variable.element) {
    case 'f32':
    case 'f16':
      return `a float of at most 32 bits or raw words of at most 32 (${variable.element})`;
    case 'i32':
      return 'an integer type (i32)';
    case 'bool':
      return 'BOOL or U8 (bool)';
    default:
      return unreachable(variable.element);
  }
}
