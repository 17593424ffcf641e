/**
 * Which members of a family a slice means, `f[E: i]` and `f[E: a .. b as S]`. Members are instances, made when compiling: what a run
 * decides (sizes of dynamic axes) cannot choose among them, and where it would that is told, since any number in its place would be
 * another member.
 */
import type { AxisVar, FamilyExpr, Static } from '../types/program.ts';
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import { TooMuch } from '../types/expansion-limits.ts';
import type { Axis } from '../types/axis.ts';
import type { Selection } from './backend.ts';
import type { StaticFrame } from './instance-tree.ts';
import type { SizeConstraints } from './size-constraints.ts';
import { asInteger, formatSize, integerOf, isConstant, type Size } from '../types/size.ts';

/** The scope that a slice stands in. */
interface SliceScope {
  axis(variable: AxisVar, frame: StaticFrame): Axis;
  number(expr: Static, frame: StaticFrame): Size;
  where(frame: StaticFrame): string;
}

export function slicedMembers(
  expr: Extract<FamilyExpr, { readonly kind: 'at' | 'window' }>,
  frame: StaticFrame,
  scope: SliceScope,
  sizeConstraints: SizeConstraints,
): { readonly axis: Axis; readonly selection: Selection } {
  const axis = scope.axis(expr.axis, frame);
  const at = scope.where(frame);
  if (expr.kind === 'at') {
    const index = scope.number(expr.index, frame);
    if (isConstant(index)) sizeConstraints.point(index, axis, expr.span, at);
    else sizeConstraints.report(undecided(index, expr.index.span));
    // Where that was a mistake it is told, and instantiation goes on with a member that is there.
    const inside = Math.min(
      Math.max(asInteger(index) ?? 0, 0),
      integerOf(axis.size, 'instantiate: size of a family') - 1,
    );
    return { axis, selection: { kind: 'at', index: inside } };
  }
  const as = scope.axis(expr.as, frame);
  const [from, to] = [scope.number(expr.from, frame), scope.number(expr.to, frame)];
  // With so many members as a run decides there is nothing to go on with.
  if (!isConstant(as.size)) throw new TooMuch(undecided(as.size, expr.span));
  const open = [from, to].find((end) => !isConstant(end));
  if (open !== undefined) sizeConstraints.report(undecided(open, expr.span));
  const inside = open === undefined && sizeConstraints.range(axis, as, from, to, expr.span, at);
  return {
    axis,
    selection: { kind: 'window', from: inside ? integerOf(from, 'instantiate: first of a range') : 0, as },
  };
}

function undecided(size: Size, span: Span): Diagnostic {
  return diagnostic('MOE0358', {
    message: `${formatSize(size)} is known only when the model runs: it cannot decide which members of a family are called`,
    span,
    help: 'call the whole family, and take of its result what is wanted: f(x)[E: …]',
  });
}
