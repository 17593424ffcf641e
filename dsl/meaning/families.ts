/**
 * Narrowing families: a point or a window of one of the axes a family still has open. A window of a union is a union
 * again; a point of it is the member that stands there.
 */
import { at } from '../diagnostics/invariants.ts';
import type { ConcreteAxisId, DeclarationId } from '../types/ids.ts';
import type { Declaration, FamilyAxis } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Selection } from './backend.ts';
import type { Axis, AxisFactory } from '../types/axis.ts';
import type { FamilyValue } from './instances.ts';
import { exact, integerOf, multiply } from '../types/size.ts';

export class Families {
  readonly #axes: AxisFactory;
  readonly #declaration: (id: DeclarationId) => Declaration;

  constructor(axes: AxisFactory, declaration: (id: DeclarationId) => Declaration) {
    this.#axes = axes;
    this.#declaration = declaration;
  }

  /** The family with one of its open axes (or the `as` of a window) narrowed. */
  select(family: FamilyValue<never>, axis: Axis, selection: Selection): FamilyValue<never> {
    if (family.kind === 'union') {
      if (axis === family.axis) {
        if (selection.kind === 'all') return family;
        return selection.kind === 'at'
          ? this.#member(family, selection.index)
          : this.#windowOfUnion(family, selection.from, selection.as);
      }
      return {
        ...family,
        members: family.members.map((m) => ({
          ...m,
          family: this.#hasAxis(m.family, axis) ? this.select(m.family, axis, selection) : m.family,
        })),
      };
    }
    for (const [id, s] of family.selection) {
      if (s.kind === 'all' && s.axis === axis) return this.selectRoot(family, id, selection);
      if (s.kind === 'window' && s.as === axis) {
        if (selection.kind === 'at')
          return this.selectRoot(family, id, { kind: 'at', index: s.from + selection.index });
        if (selection.kind === 'window')
          return this.selectRoot(family, id, { kind: 'window', from: s.from + selection.from, as: selection.as });
        return family;
      }
    }
    throw new CompilerBug('instantiate', `family ${family.instance.path} has no axis ${axis.name}`);
  }

  #hasAxis(family: FamilyValue<never>, axis: Axis): boolean {
    if (family.kind === 'union')
      return family.axis === axis || family.members.some((m) => this.#hasAxis(m.family, axis));
    return [...family.selection.values()].some((s) =>
      s.kind === 'all' ? s.axis === axis : s.kind === 'window' && s.as === axis,
    );
  }

  #member(family: FamilyValue<never> & { kind: 'union' }, index: number): FamilyValue<never> {
    for (const [i, m] of family.members.entries()) {
      const [offset, length] = this.#rangeOf(family, i);
      if (index >= offset + length) continue;
      let rest = index - offset;
      let chosen = m.family;
      for (const a of [...m.axes].reverse()) {
        const n = integerOf(a.size, 'instantiate: size of a family');
        chosen = this.select(chosen, a, { kind: 'at', index: rest % n });
        rest = Math.floor(rest / n);
      }
      return chosen;
    }
    throw new CompilerBug('instantiate', 'a point outside a union');
  }

  #rangeOf(family: FamilyValue<never> & { kind: 'union' }, member: number): readonly [number, number] {
    const { offset, length } = at(family.layout.members, member, 'instantiate: member of a union');
    return [integerOf(offset, 'instantiate: place in a union'), integerOf(length, 'instantiate: length of a member')];
  }

  /** A range of a union is a union: of whole members, of a window of a member with one axis, else of single points. */
  #windowOfUnion(family: FamilyValue<never> & { kind: 'union' }, from: number, as: Axis): FamilyValue<never> {
    const to = from + integerOf(as.size, 'instantiate: size of a family');
    const members: { readonly family: FamilyValue<never>; readonly axes: readonly Axis[]; readonly offset: number }[] =
      [];
    family.members.forEach((member, i) => {
      const [offset, length] = this.#rangeOf(family, i);
      const [low, high] = [Math.max(from, offset), Math.min(to, offset + length)];
      const [only, ...others] = member.axes;
      if (low >= high) return;
      if (high - low === length) members.push({ ...member, offset: low - from });
      else if (only !== undefined && others.length === 0) {
        const part = this.#axes.make(only.name, exact(high - low));
        const window = this.select(member.family, only, { kind: 'window', from: low - offset, as: part });
        members.push({ family: window, axes: [part], offset: low - from });
      } else {
        for (let p = low; p < high; p++) members.push({ family: this.#member(family, p), axes: [], offset: p - from });
      }
    });
    const layout = members.map(({ axes, offset }) => ({
      axes,
      offset: exact(offset),
      length: multiply(axes.map((a) => a.size)),
    }));
    return { kind: 'union', axis: as, layout: { axis: as, members: layout }, members };
  }

  selectRoot(
    family: FamilyValue<never> & { kind: 'function' },
    root: ConcreteAxisId,
    selection: Selection,
  ): FamilyValue<never> {
    const indices = new Map(family.indices);
    if (selection.kind === 'at') {
      const own = this.#ownFamily(family);
      const position =
        family.instance.family.findIndex((a) => a.id === root) - (family.instance.family.length - own.length);
      const index = own[position]?.index;
      if (index !== undefined && index !== null) indices.set(index, selection.index);
    }
    return {
      ...family,
      indices,
      selection: new Map(
        [...family.selection].map(([id, s]): [ConcreteAxisId, Selection] => [id, id === root ? selection : s]),
      ),
    };
  }

  #ownFamily(family: FamilyValue<never> & { kind: 'function' }): readonly FamilyAxis[] {
    const declaration = family.instance.declaration === null ? null : this.#declaration(family.instance.declaration);
    return declaration?.kind === 'callable' || declaration?.kind === 'instance' ? declaration.family : [];
  }

  /** A family axis that the body names by an index and that is still open. */
  openIndex(
    family: FamilyValue<never> & { kind: 'function' },
  ): { readonly root: ConcreteAxisId; readonly as: Axis; readonly from: number } | null {
    const own = this.#ownFamily(family);
    const roots = family.instance.family.slice(family.instance.family.length - own.length);
    for (const [i, f] of own.entries()) {
      const root = roots[i];
      const s = root === undefined ? undefined : family.selection.get(root.id);
      if (f.index === null || root === undefined || s === undefined || s.kind === 'at') continue;
      return s.kind === 'all' ? { root: root.id, as: s.axis, from: 0 } : { root: root.id, as: s.as, from: s.from };
    }
    return null;
  }
}
