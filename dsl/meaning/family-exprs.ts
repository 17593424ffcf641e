/** Expressions that name families: as they are declared, at a point of an axis, over a range of it. */
import type { FamilyExpr } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Frame } from './frame.ts';
import type { FamilyValue } from './instances.ts';
import type { SizeConstraints } from './size-constraints.ts';
import type { InstanceScope } from './instance-scope.ts';
import { slicedMembers } from './slice-members.ts';

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
      if (value === undefined || value.kind !== 'family')
        throw new CompilerBug('instantiate', 'a local that is no family');
      return value.family;
    }
    case 'at':
    case 'window': {
      const family = familyOf(expr.family, frame, scope, sizeConstraints);
      const { axis, selection } = slicedMembers(expr, frame, scope, sizeConstraints);
      return scope.families.select(family, axis, selection);
    }
  }
}
