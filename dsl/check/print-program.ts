/**
 * The typed program as text, for tests and `--emit=program`: every name resolved, every operation in its normal form with its
 * type. Names are those of the source; where two declarations share one, the later gets `#2`.
 */
import { unreachable } from '../diagnostics/bug.ts';
import type { IndexId, LocalId, ProgramId } from '../types/ids.ts';
import {
  type AxisDeclaration,
  type AxisVar,
  type Block,
  type CallableDeclaration,
  type Declaration,
  type Expr,
  type FamilyExpr,
  type InstanceDeclaration,
  type NameHole,
  type NamePattern,
  type Program,
  type Static,
  type Stmt,
  type VariableSource,
  type ValueType,
  keywordOf,
} from '../types/program.ts';
import { formatType } from './types.ts';

export function printProgram(program: Program): string {
  return new Printer(program).print();
}

const infix: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  pow: '**',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  and: 'and',
  or: 'or',
};

class Printer {
  readonly #program: Program;
  readonly #names = new Map<ProgramId, string>();
  readonly #taken = new Map<string, number>();
  /** Names of values count anew in each callable of the model. */
  #locals = new Map<string, number>();
  readonly #lines: string[] = [];
  #depth = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  print(): string {
    const program = this.#program;
    // The model's own axes keep their names; those of templates make way.
    for (const d of program.declarations) {
      if (d.kind === 'axis') this.#name(d.id, d.name);
      if (d.kind === 'union') this.#name(d.axis.id, d.axis.name);
    }
    for (const [id, name] of program.axisNames) this.#name(id, name);
    this.#line(`program ${program.name}`);
    for (const d of program.globals) this.#declaration(d);
    for (const d of program.declarations) this.#declaration(d);
    for (const d of program.entries) this.#declaration(d);
    return `${this.#lines.join('\n')}\n`;
  }

  #line(text: string): void {
    this.#lines.push(`${'  '.repeat(this.#depth)}${text}`);
  }

  #inside(body: () => void): void {
    this.#depth++;
    body();
    this.#depth--;
  }

  /** The name of an id, made unique on first sight. */
  #name(id: ProgramId, text = '?', taken = this.#taken): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const count = (taken.get(text) ?? 0) + 1;
    taken.set(text, count);
    const name = count === 1 ? text : `${text}#${count}`;
    this.#names.set(id, name);
    return name;
  }

  #local(id: LocalId | IndexId, text: string | undefined): string {
    return this.#name(id, text, this.#locals);
  }

  /** The index along an axis, called like the axis. */
  #index(id: IndexId, axis: AxisVar): string {
    return this.#local(id, this.#axis(axis).toLowerCase());
  }

  readonly #axis = (axis: AxisVar): string => this.#name(axis.axis) + "'".repeat(axis.primes);

  #axes(axes: readonly AxisVar[]): string {
    return axes.map(this.#axis).join(', ');
  }

  #type(type: ValueType): string {
    return formatType(type, this.#axis);
  }

  // -------------------------------------------------------------------------------------------------- declarations

  #declaration(d: Declaration): void {
    switch (d.kind) {
      case 'axis':
        return this.#axisDeclaration(d);
      case 'const':
        return this.#line(
          `const ${this.#name(d.id, d.name)}: ${d.type}${d.value === null ? '' : ` = ${this.#static(d.value)}`}`,
        );
      case 'variable': {
        const more = [
          d.initial === null ? '' : ` = ${this.#expr(d.initial)}`,
          d.frozen ? ' frozen' : '',
          d.source === null ? '' : ` from ${this.#source(d.source)}`,
        ];
        return this.#line(`${keywordOf(d)} ${this.#name(d.id, d.name)}: ${this.#type(d.type)}${more.join('')}`);
      }
      case 'callable':
        return this.#callable(d);
      case 'instance':
        return this.#instance(d);
      case 'union': {
        const members = d.members.map(
          (m) => `${this.#family(m.family)}${m.axes.length === 0 ? '' : ` over ${this.#axes(m.axes)}`}`,
        );
        const shared = d.shared.length === 0 ? '' : ` sharing ${this.#axes(d.shared)}`;
        this.#name(d.axis.id, d.axis.name);
        return this.#line(
          `union ${this.#name(d.id, d.name)}${shared} along ${this.#name(d.axis.id)} = ${members.join(' | ')}`,
        );
      }
      default:
        return unreachable(d, 'print');
    }
  }

  #axisDeclaration(d: AxisDeclaration): void {
    const name = this.#name(d.id, d.name);
    switch (d.of.kind) {
      case 'dynamic':
        return this.#line(`axis ${name}`);
      case 'sized':
        return this.#line(`axis ${name} = ${this.#static(d.of.size)}`);
      case 'points':
        return this.#line(`axis ${name} = (${d.of.names.join(', ')})`);
      case 'union':
        return this.#line(`axis ${name} of a union`);
      case 'parameter':
        return this.#line(`axis ${name} of the instance`);
    }
  }

  #callable(d: CallableDeclaration): void {
    if (this.#depth === 0) this.#locals = new Map();
    const name = this.#name(d.id, d.name);
    const template =
      d.template === null
        ? ''
        : `<${[...d.template.axes, ...d.template.numbers].map((p) => this.#name(p.id, p.name)).join(', ')}>`;
    const family = d.family.map(
      (f) => `${f.index === null ? '' : `${this.#index(f.index, f.axis)} in `}${this.#axis(f.axis)}`,
    );
    const formals = d.formals.map((f) => `${this.#local(f.local, f.name)}: ${this.#type(f.type)}`);
    const head = `${d.body === null ? 'extern ' : ''}${d.role} ${name}${template}${family.length === 0 ? '' : `[${family.join(', ')}]`}`;
    this.#line(`${head}(${formals.join(', ')}) -> ${this.#type(d.result)} uses ${this.#axes(d.uses)}`);
    const { body } = d;
    if (body !== null) this.#inside(() => this.#block(body));
  }

  #instance(d: InstanceDeclaration): void {
    const args = [
      ...[...d.axes].map(
        ([id, to]) => `${this.#name(id)}: ${to.kind === 'axis' ? this.#axis(to.axis) : this.#static(to.size)}`,
      ),
      ...[...d.numbers].map(([id, value]) => `${this.#name(id)}: ${this.#static(value)}`),
    ];
    const family = d.family.length === 0 ? '' : `[${this.#axes(d.family.map((f) => f.axis))}]`;
    this.#line(`${d.role} ${this.#name(d.id, d.name)}${family} = ${this.#name(d.template)}<${args.join(', ')}>`);
    const { source } = d;
    if (source === null) return;
    this.#inside(() => {
      this.#line(`from ${this.#pattern(source.prefix)}${source.frozen === 'all' ? ' frozen' : ''}`);
      for (const [key, variable] of source.record ?? []) {
        const frozen = source.frozen !== undefined && source.frozen !== 'all' && source.frozen.has(key);
        this.#line(`${key}: ${this.#source(variable)}${frozen ? ' frozen' : ''}`);
      }
    });
  }

  #source(source: VariableSource): string {
    const patterns = source.patterns.map((p) => this.#pattern(p)).join(', ');
    const stored = source.stored?.map((dim) => {
      const parts = dim.map((p) =>
        p.kind === 'axis' ? this.#axis(p.axis) : p.of === 1 ? '1' : `${p.from} .. ${p.to} of ${p.of}`,
      );
      return parts.length === 1 ? parts.join('') : `(${parts.join(', ')})`;
    });
    const named = source.decoder === null ? patterns : `${source.decoder}(${patterns})`;
    return stored === undefined ? named : `${named} as [${stored.join(', ')}]`;
  }

  #pattern(pattern: NamePattern): string {
    const hole = (h: NameHole): string => {
      switch (h.kind) {
        case 'position':
          return this.#static(h.value);
        case 'point_name':
          return `name ${this.#axis(h.axis)}`;
        case 'text':
          return this.#static(h.value);
        case 'all':
          return `all ${this.#axes(h.axes)}`;
        case 'group':
          return `(${this.#axes(h.axes)})`;
        case 'param':
          return 'param';
      }
    };
    return `"${pattern.texts.map((text, i) => (i === 0 ? text : `{${hole(pattern.holes[i - 1] ?? { kind: 'param' })}}${text}`)).join('')}"`;
  }

  // -------------------------------------------------------------------------------------------------------- bodies

  #block(block: Block): void {
    for (const d of block.declarations) this.#declaration(d);
    for (const s of block.statements) this.#statement(s);
    this.#value('', block.result);
  }

  #statement(s: Stmt): void {
    switch (s.kind) {
      case 'let': {
        const items = s.value.type.kind === 'tuple' ? s.value.type.items.map((i) => i.type) : [s.value.type];
        const names = s.locals.map((local, i) => {
          const type = items[i];
          return local === null
            ? '_'
            : `${this.#local(local, s.names[i])}: ${type === undefined ? '?' : this.#type(type)}`;
        });
        return this.#value(`let ${names.length === 1 ? names.join('') : `(${names.join(', ')})`} = `, s.value);
      }
      case 'let_family':
        return this.#line(`let ${this.#local(s.local, s.name)} = ${this.#family(s.family)}`);
      case 'update':
        return this.#value(`update ${this.#name(s.state)} = `, s.value);
      case 'require':
        return this.#value('require ', s.value);
      case 'loss':
      case 'output':
        return this.#value(`${s.kind} ${s.name} = `, s.value);
      default:
        return unreachable(s, 'print');
    }
  }

  /** An expression behind some text; chains and ifs take lines of their own. */
  #value(before: string, e: Expr): void {
    if (e.kind === 'chain') {
      const carries = e.carries.map(
        (c) => `${this.#local(c.local, c.name)}: ${this.#type(c.type)} = ${this.#expr(c.start)}`,
      );
      this.#line(
        `${before}chain ${e.step === null ? this.#index(e.index, e.axis) : this.#local(e.step, 'step')} in ${this.#axis(e.axis)} carrying ${carries.join(', ')}`,
      );
      this.#inside(() => this.#block(e.body));
      if (e.collecting.length > 0) this.#line(`collecting ${e.collecting.map((c) => this.#name(c.local)).join(', ')}`);
      return;
    }
    if (e.kind === 'if') {
      this.#line(`${before}if ${this.#static(e.condition)}`);
      this.#inside(() => this.#block(e.then));
      this.#line('else');
      this.#inside(() => this.#block(e.else));
      return;
    }
    this.#line(`${before}${this.#expr(e)}`);
  }

  #expr(e: Expr): string {
    switch (e.kind) {
      case 'static':
        return e.type.kind === 'tensor' && e.type.element !== 'f32' && e.type.element !== 'bool'
          ? `${e.type.element} ${this.#static(e.value)}`
          : this.#static(e.value);
      case 'local':
        return this.#local(e.local, e.name);
      case 'variable':
        return [...e.via, e.decl].map((id) => this.#name(id)).join('.');
      case 'primitive': {
        const parts = [
          ...[...e.args].map(([, arg]) => this.#expr(arg)),
          ...[...e.axes].map(
            ([name, axes]) => `${name}: ${axes.length === 1 ? this.#axes(axes) : `(${this.#axes(axes)})`}`,
          ),
          ...[...e.attributes].map(([name, value]) => `${name}: ${this.#static(value)}`),
        ];
        const element = e.name === 'convert' && e.type.kind !== 'tuple' ? e.type.element : e.name;
        return `${element}(${parts.join(', ')})`;
      }
      case 'call':
        return `${this.#family(e.callee)}(${e.args.map((a) => this.#expr(a)).join(', ')})`;
      case 'tuple':
        return `(${e.items.map((i) => this.#expr(i)).join(', ')})`;
      case 'coerce':
        return `<${this.#type(e.type)}>${this.#expr(e.value)}`;
      case 'embed':
        return `<part ${e.part} of ${this.#axis(e.union)}>${this.#expr(e.value)}`;
      case 'if':
      case 'chain':
        return this.#nested(e);
      default:
        return unreachable(e, 'print');
    }
  }

  /** A chain or if inside an expression, on one line. */
  #nested(e: Expr): string {
    const start = this.#lines.length;
    const depth = this.#depth;
    this.#depth = 0;
    this.#value('', e);
    this.#depth = depth;
    return `{ ${this.#lines
      .splice(start)
      .map((line) => line.trim())
      .join('; ')} }`;
  }

  #family(f: FamilyExpr): string {
    switch (f.kind) {
      case 'named':
        return this.#name(f.decl);
      case 'local_family':
        return this.#name(f.local);
      case 'at':
        return `${this.#family(f.family)}[${this.#axis(f.axis)}: ${this.#static(f.index)}]`;
      case 'window':
        return `${this.#family(f.family)}[${this.#axis(f.axis)}: ${this.#static(f.from)} .. ${this.#static(f.to)} as ${this.#axis(f.as)}]`;
    }
  }

  #static(s: Static): string {
    switch (s.kind) {
      case 'number':
        return s.denominator === 1n ? `${s.numerator}` : `${s.numerator}/${s.denominator}`;
      case 'infinity':
        return 'inf';
      case 'bool':
        return `${s.value}`;
      case 'string':
        return JSON.stringify(s.value);
      case 'const':
        return this.#name(s.decl);
      case 'size':
        return this.#axis(s.axis);
      case 'index':
        return this.#name(s.index);
      case 'point':
        return `${this.#axis(s.axis)}.${s.position}`;
      case 'op': {
        const sign = infix[s.op];
        const args = s.args.map((a) => this.#static(a));
        return sign === undefined ? `${s.op}(${args.join(', ')})` : `(${args.join(` ${sign} `)})`;
      }
      case 'if':
        return `(if ${this.#static(s.condition)} then ${this.#static(s.then)} else ${this.#static(s.else)})`;
    }
  }
}
