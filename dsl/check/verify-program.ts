/**
 * The verifier of typed programs: what program.ts promises. Run on every program that the checker lets through, so that what comes
 * after may rely on it.
 *
 * Checked: ids of declarations, locals and indices are unique; where an axis, variable, constant or function is named, something with
 * that id exists (that it is of the right kind is held by the types of ids); primes are counts; a type has no axis twice; every
 * expression has a type; tuples and lets have as many items as their types. Operations are not typed again.
 */
import { verified } from '../diagnostics/bug.ts';
import type { ProgramId } from '../types/ids.ts';
import { sameAxis } from '../types/axes.ts';
import {
  type AxisDeclaration,
  type AxisVar,
  type Block,
  type CallableDeclaration,
  type Declaration,
  type Expr,
  type FamilyExpr,
  type NamePattern,
  type Program,
  type Static,
  type Stmt,
  type ValueType,
  type VariableSource,
  keywordOf,
} from '../types/program.ts';

export function verifyProgram(program: Program): void {
  verified('program', `the typed program of ${program.name}`, programFaults(program));
}

/** What is wrong with a program, one sentence each; empty if nothing is. */
function programFaults(program: Program): readonly string[] {
  return new ProgramVerifier().run(program);
}

function itemCount(type: ValueType | undefined): number | null {
  return type?.kind === 'tuple' ? type.items.length : null;
}

class ProgramVerifier {
  readonly #faults: string[] = [];
  readonly #declared = new Map<ProgramId, string>();
  /** What is named, to be looked up when all is declared: a body may name what comes after it. */
  readonly #named: { readonly id: ProgramId; readonly what: string }[] = [];
  /** Statics and types are shared between many places: each is looked at once. */
  readonly #seen = new Set<object>();

  run(program: Program): readonly string[] {
    for (const d of [...program.globals, ...program.declarations, ...program.entries]) this.#declaration(d);
    for (const { id, what } of this.#named) if (!this.#declared.has(id)) this.#say(`${what} ${id} is not declared`);
    return [...new Set(this.#faults)];
  }

  #say(fault: string): void {
    this.#faults.push(fault);
  }

  #declare(id: ProgramId, what: string): void {
    const before = this.#declared.get(id);
    if (before !== undefined) this.#say(`${what} and ${before} have one id, ${id}`);
    this.#declared.set(id, what);
  }

  #name(id: ProgramId, what: string): void {
    this.#named.push({ id, what });
  }

  // -------------------------------------------------------------------------------------------------------- leaves

  readonly #axis = ({ axis, primes }: AxisVar): void => {
    this.#name(axis, 'axis');
    if (!Number.isInteger(primes) || primes < 0) this.#say(`axis ${axis} has ${primes} primes`);
  };

  #axisList(axes: readonly AxisVar[], what: string): void {
    axes.forEach(this.#axis);
    if (axes.some((a, i) => axes.slice(0, i).some((b) => sameAxis(a, b)))) this.#say(`${what} has an axis twice`);
  }

  /** `undefined`: tsc holds that every expression has a type, and this is here for the case that a cast got round it. */
  #type(type: ValueType | undefined, what: string): void {
    if (type === undefined) return this.#say(`${what} has no type`);
    if (this.#seen.has(type)) return;
    this.#seen.add(type);
    switch (type.kind) {
      case 'tensor':
        this.#axisList(type.axes, `the type of ${what}`);
        if (type.within !== undefined) this.#axis(type.within);
        return;
      case 'route':
        this.#axisList([...type.sources, ...type.targets, ...type.payload], `the type of ${what}`);
        return (type.consumed ?? []).forEach(this.#axis);
      case 'tuple':
        return type.items.forEach((item) => this.#type(item.type, what));
    }
  }

  /** In a loop: a `let` of a static stands for what it is bound to, so one may be thousands of operations deep (`largestStatic`). */
  #static(value: Static): void {
    const pending: Static[] = [value];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (this.#seen.has(at)) continue;
      this.#seen.add(at);
      switch (at.kind) {
        case 'number':
          if (at.denominator <= 0n) this.#say(`a number has the denominator ${at.denominator}`);
          break;
        case 'infinity':
        case 'bool':
        case 'string':
          break;
        case 'const':
          this.#name(at.decl, 'constant');
          break;
        case 'index':
          this.#name(at.index, 'index');
          break;
        case 'size':
        case 'point':
          this.#axis(at.axis);
          break;
        case 'op':
          pending.push(...at.args);
          break;
        case 'if':
          pending.push(at.condition, at.then, at.else);
          break;
      }
    }
  }

  #family(family: FamilyExpr): void {
    switch (family.kind) {
      case 'named':
        return this.#name(family.decl, 'function');
      case 'local_family':
        return this.#name(family.local, 'local function');
      case 'at':
        this.#axis(family.axis);
        this.#static(family.index);
        return this.#family(family.family);
      case 'window':
        this.#axis(family.axis);
        this.#axis(family.as);
        this.#static(family.from);
        this.#static(family.to);
        return this.#family(family.family);
    }
  }

  // -------------------------------------------------------------------------------------------------------- bodies

  #expr(expr: Expr): void {
    if (this.#seen.has(expr)) return;
    this.#seen.add(expr);
    this.#type(expr.type, `a ${expr.kind} at ${expr.span.source}:${expr.span.start}`);
    switch (expr.kind) {
      case 'static':
        return this.#static(expr.value);
      case 'local':
        return this.#name(expr.local, `local ${expr.name}`);
      case 'variable':
        return [...expr.via, expr.decl].forEach((id) => this.#name(id, 'variable'));
      case 'primitive':
        expr.args.forEach((arg) => this.#expr(arg));
        expr.axes.forEach((axes) => axes.forEach(this.#axis));
        return expr.attributes.forEach((value) => this.#static(value));
      case 'call':
        this.#family(expr.callee);
        return expr.args.forEach((arg) => this.#expr(arg));
      case 'tuple':
        if (itemCount(expr.type) !== expr.items.length) this.#say(`a tuple of ${expr.items.length} has another type`);
        return expr.items.forEach((item) => this.#expr(item));
      case 'if':
        this.#static(expr.condition);
        this.#block(expr.then);
        return this.#block(expr.else);
      case 'chain':
        this.#declare(expr.index, 'an index of a chain');
        if (expr.step !== null) this.#declare(expr.step, 'the number of a step');
        this.#axis(expr.axis);
        for (const carry of expr.carries) {
          this.#declare(carry.local, `carry ${carry.name}`);
          this.#type(carry.type, `carry ${carry.name}`);
          this.#expr(carry.start);
        }
        for (const { local, name } of expr.collecting) this.#name(local, `local ${name}`);
        return this.#block(expr.body);
      case 'coerce':
        return this.#expr(expr.value);
      case 'embed':
        this.#axis(expr.union);
        return this.#expr(expr.value);
    }
  }

  #block(block: Block): void {
    block.declarations.forEach((d) => this.#declaration(d));
    block.statements.forEach((s) => this.#statement(s));
    this.#expr(block.result);
  }

  #statement(statement: Stmt): void {
    switch (statement.kind) {
      case 'let': {
        const { locals, names, value } = statement;
        const items = itemCount(value.type) ?? 1;
        if (locals.length !== items) this.#say(`let ${names.join(', ')} takes ${locals.length} of ${items} values`);
        locals.forEach((local, i) => local !== null && this.#declare(local, `local ${names[i] ?? '?'}`));
        return this.#expr(value);
      }
      case 'let_family':
        this.#declare(statement.local, `local function ${statement.name}`);
        return this.#family(statement.family);
      case 'update':
        this.#name(statement.state, 'state');
        return this.#expr(statement.value);
      case 'loss':
      case 'output':
        return this.#expr(statement.value);
      case 'require':
        for (const part of statement.message) if (typeof part !== 'string') this.#expr(part.value);
        return this.#expr(statement.value);
    }
  }

  // -------------------------------------------------------------------------------------------------- declarations

  #declaration(d: Declaration): void {
    switch (d.kind) {
      case 'axis':
        return this.#axisDeclaration(d);
      case 'const':
        this.#declare(d.id, `constant ${d.name}`);
        return d.value === null ? undefined : this.#static(d.value);
      case 'variable':
        this.#declare(d.id, `${keywordOf(d)} ${d.name}`);
        this.#type(d.type, `${keywordOf(d)} ${d.name}`);
        if (d.initial !== null) this.#expr(d.initial);
        return d.source === null ? undefined : this.#source(d.source);
      case 'callable':
        return this.#callable(d);
      case 'instance':
        this.#declare(d.id, `${d.role} ${d.name}`);
        this.#name(d.template, 'template');
        this.#familyAxes(d.family);
        for (const [id, to] of d.axes) {
          this.#name(id, 'axis parameter');
          if (to.kind === 'axis') this.#axis(to.axis);
          else this.#static(to.size);
        }
        for (const [id, value] of d.numbers) {
          this.#name(id, 'number parameter');
          this.#static(value);
        }
        if (d.source !== null) {
          this.#pattern(d.source.prefix);
          for (const source of d.source.record?.values() ?? []) this.#source(source);
        }
        return;
      case 'union':
        this.#declare(d.id, `union ${d.name}`);
        this.#axisDeclaration(d.axis);
        d.shared.forEach(this.#axis);
        for (const member of d.members) {
          this.#family(member.family);
          member.axes.forEach(this.#axis);
        }
        return;
    }
  }

  #axisDeclaration(d: AxisDeclaration): void {
    this.#declare(d.id, `axis ${d.name}`);
    if (d.of.kind === 'sized') this.#static(d.of.size);
    if (d.of.kind === 'union') this.#name(d.of.union, 'union');
  }

  #callable(d: CallableDeclaration): void {
    this.#declare(d.id, `${d.role} ${d.name}`);
    for (const axis of d.template?.axes ?? []) this.#axisDeclaration(axis);
    for (const number of d.template?.numbers ?? []) this.#declaration(number);
    this.#familyAxes(d.family);
    for (const formal of d.formals) {
      this.#declare(formal.local, `formal ${formal.name}`);
      this.#type(formal.type, `formal ${formal.name}`);
    }
    this.#type(d.result, `the result of ${d.name}`);
    d.uses.forEach(this.#axis);
    if (d.body !== null) this.#block(d.body);
  }

  #familyAxes(family: CallableDeclaration['family']): void {
    for (const { axis, index } of family) {
      this.#axis(axis);
      if (index !== null) this.#declare(index, 'an index of a family');
    }
  }

  #source(source: VariableSource): void {
    source.patterns.forEach((pattern) => this.#pattern(pattern));
    for (const dim of source.stored ?? []) for (const part of dim) if (part.kind === 'axis') this.#axis(part.axis);
  }

  #pattern({ texts, holes }: NamePattern): void {
    if (texts.length !== holes.length + 1) this.#say(`a name has ${texts.length} texts around ${holes.length} holes`);
    for (const hole of holes) {
      if (hole.kind === 'position' || hole.kind === 'text') this.#static(hole.value);
      if (hole.kind === 'point_name') this.#axis(hole.axis);
      if ('axes' in hole) hole.axes.forEach(this.#axis);
    }
  }
}
