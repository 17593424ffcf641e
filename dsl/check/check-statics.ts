/**
 * Static expressions: numbers, bools and strings known when the program is instantiated.
 *
 * A number is exact: literals become rationals, sizes of axes and consts stay symbols until instantiation binds them. Statics stay
 * statics as long as possible; only where one meets a tensor does it become a scalar of an element type (`staticExpr`).
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import type { AxisVar, ElementType, Expr, Static, StaticOp, StaticType } from '../types/program.ts';
import { sameAxis } from '../types/axes.ts';
import { beyondI32, rangeOfI32 } from '../types/range-of-i32.ts';
import { tensorType } from './types.ts';

/** The lexer refuses what no float64 holds; beyond this a power of ten would only be large. */
const largestExponent = 400;
/** A static written out in full may not have more parts: names of statics stand for their text. */
const largestStatic = 4096;

/** The exact value of a literal's text (`1`, `0.25`, `1e-6`), or null if its exponent is out of bounds. */
export function exactLiteral(text: string): { readonly numerator: bigint; readonly denominator: bigint } | null {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return null;
  const fraction = match[2] ?? '';
  const exponent = Number(match[3] ?? '0') - fraction.length;
  if (!(Math.abs(exponent) <= largestExponent)) return null;
  let numerator = BigInt(`${match[1] ?? '0'}${fraction}`);
  let denominator = 1n;
  if (exponent >= 0) numerator *= 10n ** BigInt(exponent);
  else denominator = 10n ** BigInt(-exponent);
  let [a, b] = [numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? { numerator, denominator } : { numerator: numerator / a, denominator: denominator / a };
}

export function staticNumber(value: number | bigint, span: Span): Static {
  return { kind: 'number', type: 'number', numerator: BigInt(value), denominator: 1n, span };
}

const sizes = new WeakMap<Static, number>();
const sizeOf = (value: Static): number => sizes.get(value) ?? 1;

const comparisons: ReadonlySet<StaticOp> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not']);

/** An operation on statics; null after a diagnostic if their types do not fit it. */
export function staticOp(cx: Context, op: StaticOp, args: readonly Static[], span: Span): Static | null {
  const wanted = argumentType(op, args);
  for (const arg of args) {
    if (wanted !== null && arg.type === wanted) continue;
    if (wanted === null && arg.type === args[0]?.type) continue;
    const message =
      wanted === null
        ? `a ${args[0]?.type} is compared with a ${arg.type}`
        : `a ${wanted} is wanted here, this is a ${arg.type}`;
    cx.report('MOE0304', arg.span, { message });
    return null;
  }
  return measured(cx, { kind: 'op', op, args, type: comparisons.has(op) ? 'bool' : 'number', span }, args);
}

function argumentType(op: StaticOp, args: readonly Static[]): StaticType | null {
  if (op === 'and' || op === 'or' || op === 'not') return 'bool';
  if ((op === 'eq' || op === 'ne') && args.every((a) => a.type === args[0]?.type)) return null;
  if (op === 'eq' || op === 'ne') return null;
  return 'number';
}

function measured(cx: Context, value: Static, parts: readonly Static[]): Static | null {
  const size = parts.reduce((sum, part) => sum + sizeOf(part), 1);
  if (size > largestStatic) {
    cx.report('MOE0318', value.span, { help: 'declare a part of it as a const: a const is computed once' });
    return null;
  }
  sizes.set(value, size);
  return value;
}

export function staticIf(cx: Context, condition: Static, then: Static, otherwise: Static, span: Span): Static | null {
  if (then.type !== otherwise.type) {
    cx.report('MOE0309', span, {
      message: `one side of the if is a ${then.type}, the other a ${otherwise.type}`,
      labels: [
        { span: then.span, text: `a ${then.type}` },
        { span: otherwise.span, text: `a ${otherwise.type}` },
      ],
    });
    return null;
  }
  return measured(cx, { kind: 'if', condition, then, else: otherwise, type: then.type, span }, [
    condition,
    then,
    otherwise,
  ]);
}

/** The axes of the static indices and points in an expression: what an index without an axis belongs to. */
export function indexedAxes(cx: Context, value: Static): readonly AxisVar[] {
  const found: AxisVar[] = [];
  const visit = (s: Static): void => {
    const axis = s.kind === 'index' ? cx.indices.get(s.index) : s.kind === 'point' ? s.axis : undefined;
    if (axis !== undefined && !found.some((a) => sameAxis(a, axis))) found.push(axis);
    if (s.kind === 'op') s.args.forEach(visit);
    if (s.kind === 'if') [s.condition, s.then, s.else].forEach(visit);
  };
  visit(value);
  return found;
}

/** The rational a static is by its literals alone, or null if it has symbols or is not a number made by + - * /. */
export function literalValue(value: Static): { readonly numerator: bigint; readonly denominator: bigint } | null {
  if (value.kind === 'number') return value;
  if (value.kind !== 'op') return null;
  const [a, b] = value.args.map(literalValue);
  if (a === undefined || a === null) return null;
  if (value.op === 'neg') return { numerator: -a.numerator, denominator: a.denominator };
  if (b === undefined || b === null) return null;
  switch (value.op) {
    case 'add':
      return {
        numerator: a.numerator * b.denominator + b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case 'sub':
      return {
        numerator: a.numerator * b.denominator - b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case 'mul':
      return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
    case 'div':
      return b.numerator === 0n
        ? null
        : { numerator: a.numerator * b.denominator, denominator: a.denominator * b.numerator };
    default:
      return null;
  }
}

/**
 * A static as a scalar tensor. A bool stays a bool; a number takes `element` (f32 where nothing is wanted). Null after a
 * diagnostic: a string is no tensor, a fraction no i32, nor is a number beyond 32 bits.
 */
export function staticExpr(cx: Context, value: Static, element: ElementType): Expr | null {
  if (value.type === 'string') {
    cx.report('MOE0304', value.span, { message: 'a number is wanted here, this is a string' });
    return null;
  }
  if (value.type === 'bool') return { kind: 'static', value, type: tensorType('bool'), span: value.span };
  if (element === 'bool') {
    cx.report('MOE0304', value.span, { message: 'a bool is wanted here, this is a number' });
    return null;
  }
  if (element === 'i32') {
    const known = literalValue(value);
    if (known !== null && known.numerator % known.denominator !== 0n) {
      cx.report('MOE0313', value.span, {
        message: 'an integer is wanted here, this is a fraction',
        help: 'say floor(…) or ceil(…); beside an i32 of a run compute in f32, `f32(n) * 0.5`',
      });
      return null;
    }
    const whole = known === null ? 0n : known.numerator / known.denominator;
    if (whole < rangeOfI32.least || whole > rangeOfI32.greatest) {
      cx.report('MOE0755', value.span, beyondI32(String(whole)));
      return null;
    }
    if (value.kind === 'infinity' || (value.kind === 'op' && value.args.some((a) => a.kind === 'infinity'))) {
      cx.report('MOE0313', value.span, { message: 'an integer is wanted here, this is infinite' });
      return null;
    }
  }
  return { kind: 'static', value, type: tensorType(element), span: value.span };
}

/**
 * `i32(x)` of a number known when compiling, as of one that is not: without its fraction, within 32 bits. A formula of statics, so
 * that it holds for constants set from outside and for sizes of a run alike.
 */
export function truncatedToI32(cx: Context, value: Static): Static | null {
  const known = literalValue(value);
  const within =
    known !== null &&
    known.numerator >= rangeOfI32.least * known.denominator &&
    known.numerator <= rangeOfI32.greatest * known.denominator;
  if (value.kind === 'size' || (within && known.numerator % known.denominator === 0n)) return value;
  const op = (name: StaticOp, args: readonly (Static | null)[]): Static | null => {
    const parts = args.flatMap((arg) => arg ?? []);
    return parts.length < args.length ? null : staticOp(cx, name, parts, value.span);
  };
  const end = (numerator: bigint): Static => ({
    kind: 'number',
    numerator,
    denominator: 1n,
    type: 'number',
    span: value.span,
  });
  const size = op('floor', [op('abs', [value])]);
  const whole = op('mul', [op('sign', [value]), size]);
  return op('max', [op('min', [whole, end(rangeOfI32.greatest)]), end(rangeOfI32.least)]);
}
