/**
 * Scopes: what the names of a program stand for at a point of instantiation. Axes, constants, variables, instances and unions
 * are made when first met and kept in the instance they belong to; a declaration that depends on a family's named
 * index (`fn f[l in L]`) is made once for each index.
 *
 * Here are instances, families and variables; axes and constants are in static-scope.ts, the instances themselves and who
 * lives where in instance-tree.ts.
 */
import { at } from '../diagnostics/invariants.ts';
import { idOf, type ConcreteAxisId, type DeclarationId, type IndexId, type VariableId } from '../types/ids.ts';
import type {
  CallableDeclaration,
  Declaration,
  FamilyAxis,
  FamilyExpr,
  VariableDeclaration,
  UnionDeclaration,
} from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import type { Selection, Variable } from './backend.ts';
import type { Axis } from '../types/axis.ts';
import { checkOverrides } from './check-overrides.ts';
import { Families } from './families.ts';
import type { StaticFrame } from './instance-tree.ts';
import { differentOrigin, type FamilyValue, type Instance, type UsedVariable } from './instances.ts';
import { MAX_MEMBERS, TooMuch, withinLimit } from '../types/expansion-limits.ts';
import { formatSize, isConstant, sizeKey, integerOf } from '../types/size.ts';
import { SizeConstraints } from './size-constraints.ts';
import { slicedMembers } from './slice-members.ts';
import { sizeProblem, StaticScope, type ScopeOptions } from './static-scope.ts';

export type { StaticFrame } from './instance-tree.ts';
export type { ScopeOptions } from './static-scope.ts';

export class InstanceScope extends StaticScope {
  readonly families: Families;
  readonly #variables = new Map<string, UsedVariable>();
  readonly #marked = new Set<VariableId>();
  #made = 0;

  readonly #report: (problem: Diagnostic) => void;
  /** What slices in the declarations of unions must satisfy. All their sizes are known: no run is left to decide. */
  readonly #ofMembers: SizeConstraints;

  constructor(options: ScopeOptions) {
    super({ ...options, overrides: checkOverrides(options.program, options.overrides, options.report) });
    this.#report = options.report;
    this.#ofMembers = new SizeConstraints(options.report, ({ message }) => {
      throw new CompilerBug('instantiate', `a run would decide of a union that ${message}`);
    });
    this.families = new Families(this.axes, (id) => this.tree.declaration(id));
  }

  /** The instance that an entry is, whoever runs or calls it. */
  entryInstance(entry: CallableDeclaration): Instance {
    return this.#instanceOf(entry.id, this.frameOf(this.tree.root)).instance;
  }

  callable(id: DeclarationId): CallableDeclaration {
    return this.tree.callable(id);
  }

  declarationOf(instance: Instance): Declaration | null {
    return this.tree.declarationOf(instance);
  }

  /** " (at l = 0)": the first instance at which a size constraint fails. */
  where(frame: StaticFrame): string {
    const parts = [...frame.indices].map(([id, value]) => `${this.indexName(id)} = ${value}`);
    return parts.length === 0 ? '' : ` (at ${parts.join(', ')})`;
  }

  indexName(id: IndexId): string {
    return this.tree.indexName(id);
  }

  /** The innermost instance around another one that the frame is inside of. */
  commonInstance(instance: Instance, frame: StaticFrame): Instance {
    return this.tree.commonInstance(instance, frame);
  }

  // --- instances and families --------------------------------------------------------------------------------------

  /** The instance that a callable or an instance declaration is, in the scope of a frame. */
  #instanceOf(
    id: DeclarationId,
    frame: StaticFrame,
  ): {
    readonly instance: Instance;
    readonly callable: DeclarationId;
    readonly home: Instance;
    readonly family: readonly FamilyAxis[];
  } {
    const declaration = this.tree.declaration(id);
    if (declaration.kind !== 'callable' && declaration.kind !== 'instance')
      throw new CompilerBug('instantiate', `${declaration.name} has no instance`);
    const home = this.tree.home(id, frame);
    const key = this.tree.key(id, frame, this.tree.index.dependsOnIndex.has(id));
    const callable = declaration.kind === 'instance' ? declaration.template : id;
    const made = home.made.get(key);
    if (made?.kind === 'instance') return { instance: made.instance, callable, home, family: declaration.family };
    const inner: StaticFrame = { ...frame, instance: home };
    const own = declaration.family.map((f) => fixed(this.axis(f.axis, inner), 'a family', declaration.span));
    const family = [...home.family, ...own];
    const path = home.path === '' ? declaration.name : `${home.path}.${declaration.name}`;
    const depends = this.tree.index.dependsOnIndex.has(id);
    const indices = new Map([...home.indices, ...(depends ? this.tree.indicesOf(id, frame) : [])]);
    const instance =
      declaration.kind === 'instance'
        ? this.tree.make(
            path,
            declaration.template,
            this.tree.home(declaration.template, inner),
            home,
            id,
            family,
            indices,
          )
        : this.tree.make(path, id, home, home, id, family, indices);
    if (declaration.kind === 'instance') {
      const bound = new Set<Axis>();
      for (const [parameter, argument] of declaration.axes) {
        const name = this.tree.declaration(parameter).name;
        let axis: Axis;
        if (argument.kind === 'size') {
          // A parameter may be any number (`eps`), as long as nothing is stored along it.
          axis = this.axes.make(name, this.number(argument.size, inner));
        } else {
          const outer = this.axis(argument.axis, inner);
          axis = bound.has(outer) ? this.axes.make(name, outer.size) : outer;
          if (axis !== outer) instance.outer.set(axis, outer);
          bound.add(outer);
        }
        instance.made.set(String(parameter), { kind: 'axis', axis });
      }
      for (const [parameter, value] of declaration.numbers)
        instance.made.set(String(parameter), { kind: 'static', value: this.static(value, inner) });
    }
    home.made.set(key, { kind: 'instance', instance });
    return { instance, callable, home, family: declaration.family };
  }

  /** The family a declaration is, with all of its own axes open and the ones around as the frame has them. */
  family(id: DeclarationId, frame: StaticFrame): FamilyValue<never> {
    const declaration = this.tree.declaration(id);
    if (declaration.kind === 'union') return this.#unionFamily(declaration, frame);
    const { instance, callable, home } = this.#instanceOf(id, frame);
    const selection = this.selectionOf(instance, home, frame);
    const around = this.tree.index.indicesAround(id);
    const indices = new Map([...frame.indices].filter(([index]) => around.has(index)));
    return { kind: 'function', instance, callable, selection, indices };
  }

  /**
   * How a frame reads the family axes of an instance: those around `known` (an instance the frame is inside of) as the
   * frame has them, the further ones as a whole.
   */
  selectionOf(instance: Instance, known: Instance, frame: StaticFrame): Map<ConcreteAxisId, Selection> {
    return new Map(
      instance.family.map((axis, i): [ConcreteAxisId, Selection] => {
        const chosen = i < known.family.length ? frame.selection.get(axis.id) : undefined;
        return [axis.id, chosen ?? { kind: 'all', axis }];
      }),
    );
  }

  #unionFamily(declaration: UnionDeclaration, frame: StaticFrame): FamilyValue<never> {
    const axis = this.axis({ axis: declaration.axis.id, primes: 0 }, frame);
    const layout = this.unionLayout(axis);
    const members = declaration.members.map((m, i) => ({
      family: this.#familyOf(m.family, frame),
      axes: at(layout.members, i, 'instantiate: member of a union').axes,
    }));
    return { kind: 'union', axis, layout, members };
  }

  /** A family expression without locals: a union's member. */
  #familyOf(expr: FamilyExpr, frame: StaticFrame): FamilyValue<never> {
    switch (expr.kind) {
      case 'named':
        return this.family(expr.decl, frame);
      case 'local_family':
        throw new CompilerBug('instantiate', 'a union of local families');
      case 'at':
      case 'window': {
        const family = this.#familyOf(expr.family, frame);
        const { axis, selection } = slicedMembers(expr, frame, this, this.#ofMembers);
        return this.families.select(family, axis, selection);
      }
    }
  }

  // --- variables ---------------------------------------------------------------------------------------------------

  variable(id: DeclarationId, via: readonly DeclarationId[], frame: StaticFrame): UsedVariable {
    let at = frame;
    for (const step of via) at = { ...at, instance: this.#instanceOf(step, at).instance };
    const declaration = this.tree.declaration(id);
    if (declaration.kind !== 'variable')
      throw new CompilerBug('instantiate', `${declaration.name} is no param, state or input`);
    const home = this.tree.home(id, at);
    const made = home.made.get(String(id));
    if (made?.kind === 'variable') return made.variable;
    const used = this.#makeVariable(declaration, home, { ...at, instance: home });
    home.made.set(String(id), { kind: 'variable', variable: used });
    return used;
  }

  #makeVariable(declaration: VariableDeclaration, home: Instance, frame: StaticFrame): UsedVariable {
    const path = home.path === '' ? declaration.name : `${home.path}.${declaration.name}`;
    const isControl = declaration.role === 'control';
    const own = declaration.type.axes.map((a) => this.axis(a, frame));
    // An input of the model is given to each run, with the shape that it has there.
    const declared =
      isControl && home === this.tree.root
        ? own
        : own.map((a) => fixed(a, isControl ? 'an input of a body' : `a ${declaration.role}`, declaration.span));
    const before = this.#variables.get(path);
    // Instances that differ by the index of a family are members of one family: what they store is one tensor over it.
    const origin = before === undefined ? null : differentOrigin(before.instance, home);
    const one = before?.variable.declaration === declaration && origin === null;
    if (before !== undefined && one && sameSizes(before.variable.declared, declared)) {
      const variant: UsedVariable = { ...before, instance: home };
      before.variants.push(variant);
      return variant;
    }
    const variable: Variable = {
      id: idOf(this.#made++),
      path,
      declaration,
      element: declaration.type.element,
      family: home.family,
      declared,
      within: declaration.type.within === undefined ? null : this.axis(declaration.type.within, frame),
    };
    const used: UsedVariable = { variable, instance: home, members: new Set(), variants: [] };
    used.variants.push(used);
    if (before === undefined) this.#variables.set(path, used);
    else if (one) this.reportShape(before, declared, frame);
    else {
      this.#report(
        onePath(
          path,
          this.spanOf(origin?.first ?? before.variable.declaration.id),
          this.spanOf(origin?.second ?? declaration.id),
        ),
      );
    }
    return used;
  }

  /** The shape of a variable is one for all members of the families around it. */
  reportShape({ variable, instance }: UsedVariable, here: readonly Axis[], frame: StaticFrame): void {
    const shape = (axes: readonly Axis[]): string => `[${axes.map((a) => formatSize(a.size)).join(', ')}]`;
    const at = [...frame.indices].map(([index, value]) => `${this.tree.indexName(index)} = ${value}`).join(', ');
    const made = this.tree.declarationOf(instance);
    const instantiated = made?.kind === 'instance';
    this.#report(
      diagnostic('MOE0365', {
        message: `${variable.path} would be ${shape(here)} at ${at}, and is ${shape(variable.declared)} elsewhere: all members of a family have one shape`,
        span: instantiated ? made.span : variable.declaration.span,
        labels: instantiated
          ? [{ span: variable.declaration.span, text: `${variable.declaration.name} is declared here` }]
          : [],
        help: 'give it the greatest size, and use a part of it: w[F: 0 .. n as Part]',
      }),
    );
  }

  /** Where a declaration stands. */
  spanOf(id: DeclarationId): Span {
    return this.tree.declaration(id).span;
  }

  /** Notes that these members are read or written: only they are required of a checkpoint. */
  markUsed(used: UsedVariable, selection: readonly Selection[]): void {
    const count = (s: Selection): number =>
      s.kind === 'at' ? 1 : integerOf((s.kind === 'all' ? s.axis : s.as).size, 'instantiate: size of a family');
    const members = selection.reduce((product, s) => product * count(s), 1);
    this.#marked.add(used.variable.id);
    withinLimit(members, MAX_MEMBERS, `${used.variable.path} is there`, used.variable.declaration.span);
    let keys = [''];
    for (const s of selection) {
      const first = s.kind === 'at' ? s.index : s.kind === 'window' ? s.from : 0;
      const points = Array.from({ length: count(s) }, (_, i) => first + i);
      keys = keys.flatMap((prefix) => points.map((p) => (prefix === '' ? String(p) : `${prefix},${p}`)));
    }
    for (const member of keys) used.members.add(member);
  }

  /** What bodies read or write. Of a family without members a variable has no members, and is read all the same. */
  usedVariables(): readonly UsedVariable[] {
    return [...this.#variables.values()].filter((s) => this.#marked.has(s.variable.id));
  }

  /** A variable that some body has named, by what the backend was told of it. */
  usedOf(variable: Variable): UsedVariable | null {
    return this.#variables.get(variable.path) ?? null;
  }

  /** A frame in which an instance's own declarations can be read: for bindings and initial values. */
  frameOf(instance: Instance, indices: ReadonlyMap<IndexId, number> = new Map()): StaticFrame {
    return { instance, selection: new Map(), indices };
  }

  /** The static indices around a declaration: of the families it stands in, and of the chains. */
  indicesAround(id: DeclarationId): ReadonlySet<IndexId> {
    return this.tree.index.indicesAround(id);
  }

  /** The family axes around a variable that bodies name by an index, innermost first. */
  namedIndices(instance: Instance): readonly { readonly index: IndexId; readonly axis: Axis }[] {
    return this.tree.namedIndices(instance);
  }
}

/**
 * An axis of what is stored, or of a family. The checker sees to it that its size is known (MOE0321); in a template that is decided
 * by what its parameters become.
 */
function fixed(axis: Axis, what: string, span: Span): Axis {
  if (isConstant(axis.size)) {
    const problem = sizeProblem(axis.name, axis.size, span);
    if (problem !== null) throw new TooMuch(problem);
    return axis;
  }
  const size = axis.name === formatSize(axis.size) ? '' : ` ${formatSize(axis.size)}`;
  const message = `${what} has a fixed shape, the size${size} of ${axis.name} is known only at a run`;
  throw new TooMuch(diagnostic('MOE0321', { message, span, help: 'give the template an axis of fixed size' }));
}

/** Whether axes that stand for one another have the same sizes. */
export function sameSizes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return a.length === b.length && a.every((axis, i) => b[i] !== undefined && sizeKey(axis.size) === sizeKey(b[i].size));
}

/** Two declarations in two blocks of one body, whose instances a host and a checkpoint could not tell apart. */
export function onePath(path: string, first: Span, second: Span): Diagnostic {
  return diagnostic('MOE0364', {
    message: `two declarations would be ${path}, the name by which a checkpoint and the host know it`,
    span: second,
    labels: [{ span: first, text: 'the first one' }],
    help: 'give one of them another name; if one is meant, declare it once, outside of both blocks',
  });
}
