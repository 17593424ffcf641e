/** `require` in the reference: a value depends on the points at which its condition is false, as on any other error. */
import { missing, noNumber } from '../diagnostics/invariants.ts';
import type { F64Operand } from '../tensors/operand.ts';
import type { Required } from '../meaning/backend.ts';
import { formatSize } from '../types/size.ts';
import { axesOf } from '../tensors/pointwise.ts';
import { project, type Deferred, type RunProblem } from '../tensors/deferred-errors.ts';
import { pointAt, without, type F64Tensor } from '../tensors/tensor.ts';

/** How many points that fail are told apart; the others are one problem together. */
const toldApart = 64;

export function requireAt(operand: F64Operand, { condition, message, span }: Required<F64Tensor>): F64Operand {
  const { axes, data } = condition;
  const found: Deferred[] = [...condition.problems];
  const failing = [...data.keys()].filter((i) => data[i] === 0);
  const problemAt = (i: number): RunProblem => {
    const point = pointAt(axes, i);
    return {
      code: 'MOE0723',
      message: told(message),
      span,
      point: axes.map((axis, a) => ({ axis: axis.name, index: point[a] ?? missing('interpret: index of a point', a) })),
    };
  };
  failing.slice(0, toldApart).forEach((i) => {
    const at = new Uint8Array(data.length);
    at[i] = 1;
    found.push({ problem: problemAt(i), axes, at, ofWeights: false });
  });
  const more = failing.slice(toldApart);
  if (more[0] !== undefined) {
    const at = new Uint8Array(data.length);
    for (const i of more) at[i] = 1;
    found.push({ problem: problemAt(more[0]), axes, at, ofWeights: false });
  }
  // Along its own axes the condition must hold for every point of the value.
  const own = without(axes, axesOf(operand));
  const problems = [...operand.value.problems, ...project(found, own)];
  if (operand.kind === 'tensor') return { kind: 'tensor', value: { ...operand.value, problems } };
  return { kind: 'route', value: { ...operand.value, problems } };
}

/** The text. A scalar that differs from point to point is shown by its name. */
function told(parts: Required<F64Tensor>['message']): string {
  if (parts.length === 0) return 'what the program requires does not hold';
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('size' in part) return formatSize(part.size);
      return part.value.axes.length === 0 ? shown(part.value) : part.name;
    })
    .join('');
}

function shown({ data, element }: F64Tensor): string {
  const value = data[0] ?? noNumber();
  return element === 'bool' ? String(value !== 0) : String(Math.fround(value));
}
