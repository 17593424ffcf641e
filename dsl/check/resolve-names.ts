/**
 * Declarations of one scope: who declares what, and in which order they can be read.
 *
 * The order of the text is free, so names are collected first and the declarations sorted: each after everything it refers to.
 * A circle is one diagnostic, and the names in it are errors from then on. Sorting is iterative: a long file is not a deep one.
 */
import type * as ast from '../syntax/ast.ts';
import type { NodesBySort, NodeSort } from '../syntax/child-keys.ts';
import { visit } from '../syntax/visit.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import { describe } from './lookup.ts';
import type { Entity, NameScope } from './name-scope.ts';
import { isPredefined } from './shadowing.ts';

/** The smallest thing that is declared: one axis, const or slot, or a callable. */
export type Item =
  | { readonly kind: 'axis'; readonly name: ast.Ident; readonly binding: ast.AxisBinding }
  | { readonly kind: 'const'; readonly name: ast.Ident; readonly binding: ast.ConstBinding }
  | {
      readonly kind: 'variable';
      readonly name: ast.Ident;
      readonly slot: ast.Slot;
      readonly keyword: ast.VariableDecl['keyword'];
    }
  | {
      readonly kind: 'callable';
      readonly name: ast.Ident;
      readonly decl: ast.CallableDecl;
      readonly docs: string;
      readonly newAxis: ast.AxisName | null;
    }
  | { readonly kind: 'extern'; readonly name: ast.Ident; readonly decl: ast.ExternDecl; readonly docs: string }
  | { readonly kind: 'entry'; readonly name: ast.Ident; readonly entry: ast.Entry; readonly docs: string };

/** The items of declarations, in the order of the text. */
export function itemsOf(decls: readonly (ast.Decl | ast.Entry)[]): readonly Item[] {
  return decls.flatMap((decl): readonly Item[] => {
    switch (decl.kind) {
      case 'Axes':
        return decl.bindings.map((binding) => ({ kind: 'axis', name: binding.name, binding }));
      case 'Consts':
        return decl.bindings.map((binding) => ({ kind: 'const', name: binding.name, binding }));
      case 'Variable':
        return decl.slots.map((slot) => ({ kind: 'variable', name: slot.name, slot, keyword: decl.keyword }));
      case 'Callable':
        return [{ kind: 'callable', name: decl.name, decl, docs: decl.docs ?? '', newAxis: null }];
      case 'Extern':
        return [{ kind: 'extern', name: decl.name, decl, docs: decl.docs ?? '' }];
      case 'Entry':
        return [{ kind: 'entry', name: decl.name, entry: decl, docs: decl.docs ?? '' }];
    }
  });
}

/**
 * Declares the names of the items in the scope, still to be read. The axis that a union declares is found here: the one on its
 * left that nothing else declares. Items whose name is taken are left out, after a diagnostic.
 */
export function declareItems(cx: Context, scope: NameScope, items: readonly Item[]): readonly Item[] {
  const twice = new Set<string>();
  const first = items.filter((item) => {
    if (declare(cx, scope, item.name.text, item.name.span)) return true;
    twice.add(item.name.text);
    return false;
  });
  // A name that is declared twice means neither: its uses say nothing.
  const declared = first.filter((item) => {
    if (!twice.has(item.name.text)) return true;
    scope.set(item.name.text, { kind: 'error' }, item.name.span);
    return false;
  });
  const unions = new Set(
    declared.flatMap((item) => (item.kind === 'callable' && mayBeUnion(item.decl) ? [item.decl] : [])),
  );
  const newAxes = new Map<ast.CallableDecl, ast.AxisName>();
  // A union of unions has their axes: in as many rounds as it takes, those with exactly one unknown axis first.
  for (let found = true; found;) {
    found = false;
    for (const decl of unions) {
      const unknown = (decl.family ?? []).filter((f) => f.axis.primes === 0 && scope.lookup(f.axis.name) === null);
      const [axis] = unknown;
      if (axis === undefined || unknown.length > 1) continue;
      declare(cx, scope, axis.axis.name, axis.axis.span);
      newAxes.set(decl, axis.axis);
      unions.delete(decl);
      found = true;
    }
  }
  return declared.map((item) =>
    item.kind === 'callable' ? { ...item, newAxis: newAxes.get(item.decl) ?? null } : item,
  );
}

/** `= a | b`, or `= name`, which is a union of one if the name is a family. */
function mayBeUnion(decl: ast.CallableDecl): boolean {
  const { definition } = decl;
  return (
    definition.kind === 'Union' ||
    (definition.kind === 'Instance' && definition.args === undefined && definition.from === undefined)
  );
}

function declare(cx: Context, scope: NameScope, name: string, span: Span): boolean {
  if (name === 'train' || isPredefined(name)) {
    cx.report('MOE0203', span, { message: `${name} is a name of the language`, help: 'choose another name' });
    scope.set(name, { kind: 'error' }, span);
    return false;
  }
  const own = scope.own(name);
  const found = own ?? scope.lookup(name)?.binding ?? null;
  if (found !== null && (own !== null || blocks(found.entity))) {
    const what = found.entity.kind === 'pending' || found.entity.kind === 'error' ? 'declared' : describe(found.entity);
    cx.report(own === null ? 'MOE0203' : 'MOE0202', span, {
      message:
        own === null ? `${name} is already ${what} around, nothing shadows a declaration` : `${name} is declared twice`,
      labels:
        found.span === null
          ? []
          : [{ span: found.span, text: own === null ? `${name} is declared here` : 'the first one' }],
      help: 'choose another name',
    });
    // What was meant is not what is around: uses of the name say nothing.
    if (own === null) scope.set(name, { kind: 'error' }, span);
    return false;
  }
  scope.set(name, { kind: 'pending' }, span);
  return true;
}

/** Values around a declaration may have its name: they are not seen from inside a callable, and are shadowed elsewhere. */
function blocks(entity: Entity): boolean {
  return entity.kind !== 'local' && entity.kind !== 'static' && entity.kind !== 'index' && entity.kind !== 'error';
}

/**
 * The items sorted so that each comes after what it refers to, of one scope or of several (`owners`: name → item, per scope).
 * Returns the items of circles apart.
 */
export function sortItems<T>(
  items: readonly T[],
  references: (item: T) => Iterable<T>,
): { readonly sorted: readonly T[]; readonly circles: readonly (readonly T[])[] } {
  const state = new Map<T, 'open' | 'done'>();
  const sorted: T[] = [];
  const circles: T[][] = [];
  for (const root of items) {
    if (state.has(root)) continue;
    const stack: { readonly item: T; readonly next: Iterator<T> }[] = [];
    const enter = (item: T) => {
      state.set(item, 'open');
      stack.push({ item, next: references(item)[Symbol.iterator]() });
    };
    enter(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const step = top.next.next();
      if (step.done === true) {
        state.set(top.item, 'done');
        sorted.push(top.item);
        stack.pop();
      } else if (!state.has(step.value)) {
        enter(step.value);
      } else if (state.get(step.value) === 'open') {
        const from = stack.findIndex((s) => s.item === step.value);
        circles.push(stack.slice(from).map((s) => s.item));
      }
    }
  }
  return { sorted, circles };
}

/**
 * Every name that a declaration may refer to: names in expressions, axes, templates, members, updated states, and what stands in
 * the braces of checkpoint names. Too many is harmless, except that a name of a circle must really be mentioned.
 */
export function namesIn(item: Item): ReadonlySet<string> {
  switch (item.kind) {
    case 'axis':
      return namesUnder('AxisBinding', item.binding, item.name.text);
    case 'const':
      return namesUnder('ConstBinding', item.binding, item.name.text);
    case 'variable':
      return namesUnder('Slot', item.slot, item.name.text);
    case 'entry':
      return namesUnder('Entry', item.entry, item.name.text);
    case 'callable':
      return namesUnder('Callable', item.decl, item.name.text);
    case 'extern':
      return namesUnder('Extern', item.decl, item.name.text);
  }
}

function namesUnder<K extends NodeSort>(sort: K, root: NodesBySort[K], own: string): ReadonlySet<string> {
  const names = new Set<string>();
  const add = ({ name }: { readonly name: string }): void => void names.add(name);
  visit(sort, root, {
    AxisName: add,
    Name: add,
    // A label may be an axis, or only the name of an argument, which must not make a circle of one.
    NameLabel: ({ name }) => void (name !== own && names.add(name)),
    Body: (body) => {
      if (body === root) return undefined;
      // What a body declares itself is meant in all of it.
      const inside = namesDeclared(body.items);
      for (const name of namesUnder('Body', body, own)) if (!inside.has(name)) names.add(name);
      return false;
    },
    Instance: ({ template }) => void names.add(template.text),
    Update: ({ name }) => void names.add(name.text),
    Union: ({ members }) => members.forEach(({ name }) => names.add(name.text)),
    // `carrying x` alone reads x.
    Chain: ({ carries }) => carries.forEach(({ name, initial }) => initial === undefined && names.add(name.text)),
    String: ({ value }) => namesInBraces(value).forEach((name) => names.add(name)),
  });
  return names;
}

/** The params, states and callables a body declares. */
function namesDeclared(items: readonly ast.BodyItem[]): ReadonlySet<string> {
  return new Set(
    items.flatMap((item) => {
      if (item.kind === 'Variable') return item.slots.map((slot) => slot.name.text);
      return item.kind === 'Callable' || item.kind === 'Extern' ? [item.name.text] : [];
    }),
  );
}

function namesInBraces(text: string): readonly string[] {
  return [...text.matchAll(/\{([^{}]*)\}/g)].flatMap(([, inside = '']) => inside.match(/[A-Za-z_]\w*/g) ?? []);
}
