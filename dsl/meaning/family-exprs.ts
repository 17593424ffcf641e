/** Expressions that name families: as they are declared, at a point of an axis, over a range of it. */
import type { FamilyExpr } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Frame } from './frame.ts';
import type { FamilyValue } from './instances.ts';
import type { SizeConstraints } from './size-constraints.ts';
import type { InstanceScope } from './instance-scope.ts';
import { asInteger, exact } from '../types/size.ts';

/** The family that an expression names. */
export function familyOf<T, R>(
  expr: FamilyExpr,
  frame: Frame<T, R>,
  scope: InstanceScope,
  sizeConstraints: SizeConstraints,
): FamilyValue<never> {
  switch (expr.kind) {
    case 'named':
      return scope.family(expr.decl, frame);
    case 'local_family': {
      const value = frame.locals.get(expr.local);
      if (value === undefined || value.kind !== 'family') throw new CompilerBug('walk', 'a local that is no family');
      return value.family;
    }
    case 'at': {
      const axis = scope.axis(expr.axis, frame);
      const index = scope.integer(expr.index, frame);
      sizeConstraints.point(scope.number(expr.index, frame), axis, expr.span, scope.where(frame));
      const n = asInteger(axis.size);
      const inside = Math.min(Math.max(index ?? 0, 0), (n ?? 1) - 1);
      return scope.families.select(familyOf(expr.family, frame, scope, sizeConstraints), axis, {
        kind: 'at',
        index: inside,
      });
    }
    case 'window': {
      const axis = scope.axis(expr.axis, frame);
      const as = scope.axis(expr.as, frame);
      const [from, to] = [scope.integer(expr.from, frame), scope.integer(expr.to, frame)];
      const inside = sizeConstraints.range(axis, as, exact(from ?? 0), exact(to ?? 0), expr.span, scope.where(frame));
      return scope.families.select(familyOf(expr.family, frame, scope, sizeConstraints), axis, {
        kind: 'window',
        from: inside ? (from ?? 0) : 0,
        as,
      });
    }
  }
}
