/** Which names a value may have: none that the language has, none that the program gives to what is no value. */
import type { Span } from '../diagnostics/diagnostic.ts';
import { primitivesNamed } from '../primitives/primitive-table.ts';
import type { Context } from './context.ts';
import { describe, isElementType } from './lookup.ts';
import type { Entity, NameScope } from './name-scope.ts';

/** Whether a value may have this name: nothing shadows an axis, a const, a declaration or a name of the language. */
export function mayName(cx: Context, scope: NameScope, name: string, span: Span): boolean {
  if (isPredefined(name)) {
    cx.report('MOE0203', span, { message: `${name} is a name of the language`, help: 'choose another name' });
    return false;
  }
  const found = scope.lookup(name);
  if (found === null || isShadowable(found.binding.entity)) return true;
  cx.report('MOE0203', span, {
    message: `${name} is ${describe(found.binding.entity)}, which a value does not shadow`,
    labels: found.binding.span === null ? [] : [{ span: found.binding.span, text: `${name} is declared here` }],
    help: 'choose another name',
  });
  return false;
}

export function isPredefined(name: string): boolean {
  return name === 'inf' || name === 'route' || isElementType(name) || primitivesNamed(name).length > 0;
}

function isShadowable(entity: Entity): boolean {
  if (entity.kind === 'family') return entity.family.expr.kind === 'local_family';
  return entity.kind === 'local' || entity.kind === 'static' || entity.kind === 'index' || entity.kind === 'error';
}
