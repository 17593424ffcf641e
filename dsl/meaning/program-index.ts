/** Look-ups over a typed program: declarations by id, who owns them, and which depend on a family's named index. */
import { get } from '../diagnostics/invariants.ts';
import type { DeclarationId, DeclaredId, IndexId } from '../types/ids.ts';
import type { Block, CallableDeclaration, Declaration, Expr, FamilyExpr, Program, Static } from '../types/program.ts';

export interface ProgramIndex {
  readonly declarations: ReadonlyMap<DeclaredId, Declaration>;
  /** The callable in whose body a declaration stands; null at model or file level. */
  readonly owners: ReadonlyMap<DeclaredId, DeclarationId | null>;
  /** Declarations of the model itself: what a caller may override. */
  readonly modelLevel: ReadonlySet<DeclaredId>;
  readonly indexNames: ReadonlyMap<IndexId, string>;
  /** Axes, constants and instances whose meaning depends on a static index. */
  readonly dependsOnIndex: ReadonlySet<DeclaredId>;
  /** Axes whose size each run decides, directly or through the sizes they are made of. */
  readonly dynamicAxes: ReadonlySet<DeclaredId>;
  /** The static indices around a declaration: of the families it stands in, and of the chains. */
  readonly indicesAround: (id: DeclaredId) => ReadonlySet<IndexId>;
}

export function indexProgram(program: Program): ProgramIndex {
  const declarations = new Map<DeclaredId, Declaration>();
  const owners = new Map<DeclaredId, DeclarationId | null>();
  const indexNames = new Map<IndexId, string>();
  const around = new Map<DeclaredId, ReadonlySet<IndexId>>();

  const declare = (declaration: Declaration, owner: DeclarationId | null, indices: ReadonlySet<IndexId>): void => {
    declarations.set(declaration.id, declaration);
    owners.set(declaration.id, owner);
    around.set(declaration.id, indices);
    if (declaration.kind === 'union') {
      declarations.set(declaration.axis.id, declaration.axis);
      owners.set(declaration.axis.id, owner);
      around.set(declaration.axis.id, indices);
    }
    if (declaration.kind === 'variable' && declaration.initial !== null)
      expression(declaration.initial, owner, indices);
    if (declaration.kind === 'callable') callable(declaration, indices);
  };
  const callable = (declaration: CallableDeclaration, outside: ReadonlySet<IndexId>): void => {
    const indices = new Set([...outside, ...declaration.family.flatMap((f) => (f.index === null ? [] : [f.index]))]);
    for (const parameter of [...(declaration.template?.axes ?? []), ...(declaration.template?.numbers ?? [])])
      declare(parameter, declaration.id, indices);
    for (const f of declaration.family)
      if (f.index !== null)
        indexNames.set(f.index, get(program.axisNames, f.axis.axis, 'instantiate: name of axis').toLowerCase());
    if (declaration.body !== null) block(declaration.body, declaration.id, indices);
  };
  const block = (b: Block, owner: DeclarationId | null, indices: ReadonlySet<IndexId>): void => {
    for (const d of b.declarations) declare(d, owner, indices);
    for (const s of b.statements) if (s.kind !== 'let_family') expression(s.value, owner, indices);
    expression(b.result, owner, indices);
  };
  const expression = (e: Expr, owner: DeclarationId | null, indices: ReadonlySet<IndexId>): void => {
    switch (e.kind) {
      case 'static':
      case 'local':
      case 'variable':
        return;
      case 'primitive':
        for (const a of e.args.values()) expression(a, owner, indices);
        return;
      case 'call':
        for (const a of e.args) expression(a, owner, indices);
        return;
      case 'tuple':
        for (const a of e.items) expression(a, owner, indices);
        return;
      case 'if':
        block(e.then, owner, indices);
        block(e.else, owner, indices);
        return;
      case 'chain':
        indexNames.set(e.index, get(program.axisNames, e.axis.axis, 'instantiate: name of axis').toLowerCase());
        for (const c of e.carries) expression(c.start, owner, indices);
        block(e.body, owner, new Set([...indices, e.index]));
        return;
      case 'coerce':
      case 'embed':
        expression(e.value, owner, indices);
        return;
    }
  };
  const none: ReadonlySet<IndexId> = new Set();
  for (const d of program.globals) declare(d, null, none);
  for (const d of program.declarations) declare(d, null, none);
  for (const e of program.entries) declare(e, null, none);

  return {
    declarations,
    owners,
    modelLevel: new Set(program.declarations.map((d) => d.id)),
    indexNames,
    dependsOnIndex: dependents(declarations, (_, index) => index),
    dynamicAxes: dependents(declarations, (d) => d.kind === 'axis' && d.of.kind === 'dynamic'),
    indicesAround: (id) => around.get(id) ?? none,
  };
}

/** Fixed point: the declarations that `seed` names (told whether an index is mentioned), and all that mention one. */
function dependents(
  declarations: ReadonlyMap<DeclaredId, Declaration>,
  seed: (declaration: Declaration, mentionsIndex: boolean) => boolean,
): ReadonlySet<DeclaredId> {
  const mentions = new Map<DeclaredId, { readonly ids: ReadonlySet<DeclaredId>; readonly index: boolean }>();
  /** Number parameters of templates depend on what any instance gives for them. */
  const given = new Map<DeclaredId, Set<DeclaredId>>();
  for (const [id, d] of declarations) {
    const ids = new Set<DeclaredId>();
    let index = false;
    const visit = (s: Static): void => {
      if (s.kind === 'index') index = true;
      if (s.kind === 'const') ids.add(s.decl);
      if (s.kind === 'size') ids.add(s.axis.axis);
      if (s.kind === 'op') s.args.forEach(visit);
      if (s.kind === 'if') [s.condition, s.then, s.else].forEach(visit);
    };
    const family = (f: FamilyExpr): void => {
      if (f.kind === 'named') ids.add(f.decl);
      if (f.kind === 'at') visit(f.index);
      if (f.kind === 'window') [f.from, f.to].forEach(visit);
      if (f.kind === 'at' || f.kind === 'window') family(f.family);
    };
    if (d.kind === 'axis' && d.of.kind === 'sized') visit(d.of.size);
    if (d.kind === 'axis' && d.of.kind === 'union') ids.add(d.of.union);
    if (d.kind === 'const' && d.value !== null) visit(d.value);
    if (d.kind === 'union') {
      for (const m of d.members) {
        family(m.family);
        for (const a of m.axes) ids.add(a.axis);
      }
    }
    if (d.kind === 'instance') {
      for (const a of d.axes.values()) {
        if (a.kind === 'size') visit(a.size);
        else ids.add(a.axis.axis);
      }
      for (const [parameter, n] of d.numbers) {
        visit(n);
        given.set(parameter, (given.get(parameter) ?? new Set()).add(id));
      }
    }
    mentions.set(id, { ids, index: seed(d, index) });
  }
  for (const [parameter, instances] of given)
    mentions.set(parameter, { ids: instances, index: mentions.get(parameter)?.index ?? false });
  const result = new Set<DeclaredId>();
  for (let changed = true; changed;) {
    changed = false;
    for (const [id, m] of mentions) {
      if (result.has(id) || !(m.index || [...m.ids].some((other) => result.has(other)))) continue;
      result.add(id);
      changed = true;
    }
  }
  return result;
}
