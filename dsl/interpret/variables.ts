/**
 * Reading params, states and inputs: the host's numbers, row-major over the root axes of the family and then the
 * declared ones, at a point, over a window or over the whole of each family axis. f16 rounds here, where it is declared;
 * indices of an `i32[…] in V` are checked here, where they enter.
 */
import { at, noNumber } from '../diagnostics/invariants.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Selection, Variable } from '../meaning/backend.ts';
import type { Axis } from '../types/axis.ts';
import { singlePoint, type Deferred, type RunProblem } from '../tensors/deferred-errors.ts';
import { indexed, splitFrom, reindexTensor, renamed } from '../tensors/reindex.ts';
import {
  countPoints,
  describe,
  keepAs,
  makeTensor,
  pointAt,
  sizeOf,
  spread,
  type F64Tensor,
} from '../tensors/tensor.ts';

/** `values` null: nobody gave any, which is an error where something that is wanted is made of them. */
export function readVariable(
  variable: Variable,
  values: Float64Array | null,
  selection: readonly Selection[],
): F64Tensor {
  const axes = [...variable.family, ...variable.declared];
  if (values === null) {
    const count = countPoints(axes);
    const problem: RunProblem = {
      code: 'MOE0635',
      message: `${variable.path} has neither a tensor nor an initial value`,
      span: variable.declaration.span,
      point: [],
    };
    const everywhere = count === 0 ? [] : [{ problem, axes, at: new Uint8Array(count).fill(1), ofWeights: false }];
    const whole = makeTensor(variable.element, axes, new Float64Array(count), everywhere);
    return variable.family.reduce((tensor, axis, i) => select(tensor, axis, selection[i]), whole);
  }
  if (values.length !== countPoints(axes)) {
    throw new CompilerBug('interpret', `${variable.path} has ${values.length} numbers for ${describe(axes)}`);
  }
  const data = variable.element === 'f32' ? values : values.map((value) => keepAs(variable.element, value));
  const whole = makeTensor(
    variable.element,
    axes,
    data,
    outside(variable.path, variable.declaration.span, variable.within, axes, data),
  );
  return variable.family.reduce((tensor, axis, i) => select(tensor, axis, selection[i]), whole);
}

/** The numbers of a value in the order in which the host would give them. */
export function inStorageOrder(variable: Variable, value: F64Tensor): Float64Array {
  return spread(value, [...variable.family, ...variable.declared]).data;
}

function select(tensor: F64Tensor, axis: Axis, how: Selection | undefined): F64Tensor {
  if (how === undefined) throw new CompilerBug('interpret', `nothing says how to read along ${axis.name}`);
  switch (how.kind) {
    case 'at':
      return reindexTensor(tensor, indexed(axis, how.index));
    case 'window':
      return reindexTensor(tensor, splitFrom(axis, [how.as], how.from));
    case 'all': {
      if (how.axis === axis) return tensor;
      const result = renamed({ kind: 'tensor', value: tensor }, new Map([[axis, how.axis]]));
      return result.kind === 'tensor' ? result.value : tensor;
    }
  }
}

/** Points at which an `i32[…] in V` called `name` holds what is neither a point of V nor -1. */
export function outside(
  name: string,
  span: Span,
  within: Axis | null,
  axes: readonly Axis[],
  data: Float64Array,
): readonly Deferred[] {
  if (within === null) return [];
  const size = sizeOf(within);
  const wrong: number[] = [];
  data.forEach((value, i) => {
    if (!(Number.isInteger(value) && value >= -1 && value < size)) wrong.push(i);
  });
  return wrong.map((i) => {
    const point = pointAt(axes, i);
    const problem: RunProblem = {
      code: 'MOE0721',
      message: `${name} holds ${data[i] ?? noNumber()}, which is no point of ${within.name}, which has ${size}`,
      span,
      point: axes.map((axis, a) => ({ axis: axis.name, index: at(point, a, 'interpret: index of a point') })),
    };
    return singlePoint(problem, axes, point);
  });
}
