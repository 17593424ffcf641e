/**
 * The axes a callable uses: those of every type in its signature and body, and those the body mentions. A carried axis among
 * them is alpha-renamed by instantiation, so that no operator of the body can meet it.
 */
import type {
  AxisVar,
  Block,
  Declaration,
  Expr,
  FamilyExpr,
  Formal,
  FamilyAxis,
  Static,
  ValueType,
} from '../types/program.ts';
import { mentionedAxes } from './types.ts';

export function usedAxes(
  family: readonly FamilyAxis[],
  formals: readonly Formal[],
  result: ValueType,
  body: Block | null,
): readonly AxisVar[] {
  const found = new Map<string, AxisVar>();
  const add = (axis: AxisVar): void => void found.set(`${axis.axis}'${axis.primes}`, axis);
  const seen = new Set<object>();

  const type = (t: ValueType): void => {
    if (seen.has(t)) return;
    seen.add(t);
    mentionedAxes(t).forEach(add);
  };
  const fixed = (s: Static): void => {
    if (s.kind === 'size' || s.kind === 'point') add(s.axis);
    if (seen.has(s)) return;
    seen.add(s);
    if (s.kind === 'op') s.args.forEach(fixed);
    if (s.kind === 'if') [s.condition, s.then, s.else].forEach(fixed);
  };
  const callee = (f: FamilyExpr): void => {
    if (f.kind === 'named' || f.kind === 'local_family') return;
    add(f.axis);
    if (f.kind === 'at') fixed(f.index);
    else {
      add(f.as);
      fixed(f.from);
      fixed(f.to);
    }
    callee(f.family);
  };
  const expr = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    type(e.type);
    switch (e.kind) {
      case 'static':
        return fixed(e.value);
      case 'local':
      case 'variable':
        return;
      case 'primitive':
        e.args.forEach(expr);
        e.axes.forEach((axes) => axes.forEach(add));
        e.attributes.forEach(fixed);
        return;
      case 'call':
        callee(e.callee);
        return e.args.forEach(expr);
      case 'tuple':
        return e.items.forEach(expr);
      case 'if':
        fixed(e.condition);
        block(e.then);
        return block(e.else);
      case 'chain':
        add(e.axis);
        for (const carry of e.carries) {
          type(carry.type);
          expr(carry.start);
        }
        return block(e.body);
      case 'coerce':
      case 'embed':
        return expr(e.value);
    }
  };
  const declaration = (d: Declaration): void => {
    if (d.kind === 'variable') type(d.type);
    if (d.kind === 'axis') add({ axis: d.id, primes: 0 });
    if (d.kind === 'callable' || d.kind === 'instance') d.family.forEach((f) => add(f.axis));
    if (d.kind === 'instance') for (const bound of d.axes.values()) if (bound.kind === 'axis') add(bound.axis);
    if (d.kind === 'callable') d.uses.forEach(add);
  };
  const block = (b: Block): void => {
    b.declarations.forEach(declaration);
    for (const statement of b.statements) {
      if (statement.kind === 'let_family') callee(statement.family);
      else expr(statement.value);
    }
    expr(b.result);
  };

  family.forEach((f) => add(f.axis));
  formals.forEach((f) => type(f.type));
  type(result);
  if (body !== null) block(body);
  return [...found.values()];
}
