/** Evaluates static expressions: numbers stay exact, or formulas of dynamic sizes; bools and strings are plain. */
import type { DeclarationId, IndexId } from '../types/ids.ts';
import type { AxisVar, Static, StaticOp } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { StaticValue } from './instances.ts';
import { apply, asNumber, exact, formatSize, one, sizeKey, type Size, type SizeOp } from '../types/size.ts';

export interface StaticContext {
  readonly constant: (id: DeclarationId) => StaticValue;
  readonly size: (axis: AxisVar) => Size;
  readonly index: (id: IndexId) => number;
  readonly report: (problem: Diagnostic) => void;
}

export function evaluateStatic(expr: Static, context: StaticContext): StaticValue {
  switch (expr.kind) {
    case 'number':
      return { kind: 'number', size: exact(expr.numerator, expr.denominator) };
    case 'infinity':
      return { kind: 'number', size: { kind: 'real', value: Infinity } };
    case 'bool':
      return { kind: 'bool', value: expr.value };
    case 'string':
      return { kind: 'string', value: expr.value };
    case 'const':
      return context.constant(expr.decl);
    case 'size':
      return { kind: 'number', size: context.size(expr.axis) };
    case 'index':
      return { kind: 'number', size: exact(context.index(expr.index)) };
    case 'point':
      return { kind: 'number', size: exact(expr.position) };
    case 'if': {
      const condition = evaluateStatic(expr.condition, context);
      return evaluateStatic(condition.kind === 'bool' && condition.value ? expr.then : expr.else, context);
    }
    case 'op':
      return operation(
        expr,
        expr.op,
        expr.args.map((a) => evaluateStatic(a, context)),
        context,
      );
  }
}

function operation(expr: Static, op: StaticOp, args: readonly StaticValue[], context: StaticContext): StaticValue {
  const [a, b, c] = args;
  switch (op) {
    case 'and':
      return { kind: 'bool', value: truth(a) && truth(b) };
    case 'or':
      return { kind: 'bool', value: truth(a) || truth(b) };
    case 'not':
      return { kind: 'bool', value: !truth(a) };
    case 'eq':
    case 'ne': {
      if (a === undefined || b === undefined) throw new CompilerBug('instantiate', `${op} of too little`);
      if (a.kind !== 'number' || b.kind !== 'number') {
        const same = a.kind === b.kind && a.kind !== 'number' && b.kind !== 'number' && a.value === b.value;
        return { kind: 'bool', value: same === (op === 'eq') };
      }
      return compare(expr, op, a.size, b.size, context);
    }
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return compare(expr, op, size(a), size(b), context);
    case 'neg':
      return { kind: 'number', size: apply('sub', exact(0), size(a)) };
    case 'rsqrt':
      if ((asNumber(size(a)) ?? 1) <= 0) {
        const message = `rsqrt of ${formatSize(size(a))} is not a number`;
        context.report(diagnostic('MOE0359', { message, span: expr.span }));
        return { kind: 'number', size: one };
      }
      return { kind: 'number', size: apply('div', one, apply('sqrt', size(a))) };
    case 'clamp':
      return { kind: 'number', size: apply('min', apply('max', size(a), size(b)), size(c)) };
    default: {
      const sized: SizeOp = op;
      if ((op === 'div' || op === 'mod') && asNumber(size(b)) === 0) {
        context.report(diagnostic('MOE0357', { message: `${formatSize(size(a))} is divided by 0`, span: expr.span }));
        return { kind: 'number', size: one };
      }
      const made = apply(sized, ...args.map(size));
      if (!Number.isNaN(asNumber(made))) return { kind: 'number', size: made };
      const given = args.map((arg) => formatSize(size(arg))).join(', ');
      context.report(diagnostic('MOE0359', { message: `${op} of ${given} is not a number`, span: expr.span }));
      return { kind: 'number', size: one };
    }
  }
}

function compare(
  expr: Static,
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  a: Size,
  b: Size,
  context: StaticContext,
): StaticValue {
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x === null || y === null) {
    if (sizeKey(a) === sizeKey(b)) return { kind: 'bool', value: op === 'eq' || op === 'le' || op === 'ge' };
    context.report(
      diagnostic('MOE0358', {
        message: `${formatSize(x === null ? a : b)} is known only when the model runs: it cannot decide what is compiled`,
        span: expr.span,
        help: 'choose between values with where(…)',
      }),
    );
    return { kind: 'bool', value: false };
  }
  const results = { eq: x === y, ne: x !== y, lt: x < y, le: x <= y, gt: x > y, ge: x >= y };
  return { kind: 'bool', value: results[op] };
}

function truth(value: StaticValue | undefined): boolean {
  if (value?.kind !== 'bool') throw new CompilerBug('instantiate', 'a bool was expected');
  return value.value;
}

function size(value: StaticValue | undefined): Size {
  if (value?.kind !== 'number') throw new CompilerBug('instantiate', 'a number was expected');
  return value.size;
}
