/**
 * Parts of a union's axis: `v[P: part]`, `is(P: part)`.
 */
import { at } from '../diagnostics/invariants.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { nameHelp, type Context } from './context.ts';
import { axesOfLabel } from './lookup.ts';
import { applyPrimitive, type Argument } from './check-primitive-calls.ts';
import type { AxisVar, Static, UnionDeclaration } from '../types/program.ts';
import { errorValue, type ExprContext, type CheckedValue } from './name-scope.ts';
import { staticNumber } from './check-statics.ts';

/** A member of a union as a range of its axis. */
export interface UnionPart {
  readonly axes: readonly AxisVar[];
  /** `part`, `offset`, `length` of the normal form. */
  readonly attributes: ReadonlyMap<string, Static>;
}

/** The part of that name, or null after a diagnostic. A part of a twin has twins of the part's axes. */
export function partNamed(cx: Context, axis: AxisVar, name: string, span: Span): UnionPart | null {
  const union = cx.unions.get(axis.axis);
  if (union === undefined) {
    cx.report('MOE0412', span, {
      message: `${cx.nameOf(axis)} is not the axis of a union, it has no part ${name}`,
      labels: [{ span: cx.axisOf(axis).span, text: `${cx.nameOf(axis)} is declared here` }],
    });
    return null;
  }
  const indices = union.members.flatMap((member, i) => (member.name === name ? [i] : []));
  const [index] = indices;
  if (index === undefined) {
    const names = union.members.map((m) => m.name);
    cx.report('MOE0411', span, {
      message: `${name} is no part of ${union.name}, which is ${names.join(' | ')}`,
      labels: [{ span: union.span, text: `${union.name} is declared here` }],
      ...nameHelp(name, span, names),
    });
    return null;
  }
  if (indices.length > 1) {
    cx.report('MOE0411', span, {
      message: `${name} is a part of ${union.name} more than once`,
      help: `a range says which: ${cx.nameOf(axis)}: 0 .. n as S`,
    });
    return null;
  }
  return partAt(union, axis, index, span);
}

export function partAt(union: UnionDeclaration, axis: AxisVar, index: number, span: Span): UnionPart {
  const length = (axes: readonly AxisVar[]): Static =>
    axes.reduce<Static>(
      (product, a, i) => {
        const size: Static = { kind: 'size', type: 'number', axis: a, span };
        return i === 0 ? size : { kind: 'op', op: 'mul', type: 'number', args: [product, size], span };
      },
      staticNumber(1, span),
    );
  const before = union.members.slice(0, index).map((m) => length(m.axes));
  const offset = before.reduce<Static>(
    (sum, n, i) => (i === 0 ? n : { kind: 'op', op: 'add', type: 'number', args: [sum, n], span }),
    staticNumber(0, span),
  );
  const axes = at(union.members, index, 'check: member of a union').axes.map((a) => ({
    axis: a.axis,
    primes: a.primes + axis.primes,
  }));
  return {
    axes,
    attributes: new Map([
      ['part', staticNumber(index, span)],
      ['offset', offset],
      ['length', length(at(union.members, index, 'check: member of a union').axes)],
    ]),
  };
}

/** `is(P: part)`: bools over the union's axis. */
export function checkIs(cx: Context, env: ExprContext, args: readonly Argument[], span: Span): CheckedValue {
  const [arg] = args;
  if (arg === undefined || args.length !== 1 || arg.label === null || arg.ast === null) {
    cx.report('MOE0328', span, {
      message: 'is needs the axis of a union and one of its parts',
      help: 'for example: is(P: zero)',
    });
    return errorValue;
  }
  const axes = axesOfLabel(cx, env.scope, arg.label);
  const axis = axes?.[0];
  if (axis === undefined) return errorValue;
  if (arg.ast.kind !== 'Name') {
    cx.report('MOE0411', arg.span, { message: 'the name of a part is wanted here' });
    return errorValue;
  }
  const part = partNamed(cx, axis, arg.ast.name, arg.span);
  if (part === null) return errorValue;
  return applyPrimitive(
    cx,
    'is',
    { values: new Map(), axes: new Map([['axis', [axis]]]), attributes: part.attributes },
    span,
  );
}
