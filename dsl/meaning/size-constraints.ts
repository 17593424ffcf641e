/**
 * Size constraints: what sizes must satisfy for an operation to make sense (SEMANTICS 2.4). Decided where the sizes are known;
 * what depends on the sizes of a run becomes a *condition*, checked when a run binds its inputs. One failing definition
 * is one diagnostic, with the first instance at which it fails.
 */
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import { beyondI32, rangeOfI32 } from '../types/range-of-i32.ts';
import type { PrimitiveExpr } from '../types/program.ts';
import type { Axis } from '../types/axis.ts';
import { rangeOf } from './size-range.ts';
import { problemAsI32 } from './whole-numbers.ts';
import { apply, asInteger, asNumber, exact, formatSize, multiply, sizeKey, type Size } from '../types/size.ts';

/** `left == right` or `left <= right`, to be checked once the dynamic axes have sizes. */
export interface SizeConstraint {
  readonly left: Size;
  readonly relation: '==' | '<=';
  readonly right: Size;
  /** What the sizes are of, in the program's names. */
  readonly message: string;
  readonly span: Span;
}

export class SizeConstraints {
  readonly #tell: (problem: Diagnostic) => void;
  readonly #require: (condition: SizeConstraint) => void;
  readonly #reported = new Set<string>();

  constructor(tell: (problem: Diagnostic) => void, require: (condition: SizeConstraint) => void) {
    this.#tell = tell;
    this.#require = require;
  }

  /** One diagnostic for a place and code. */
  report(problem: Diagnostic): void {
    const key = `${problem.code}:${problem.span?.source}:${problem.span?.start}:${problem.span?.end}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#tell(problem);
  }

  /** Whether `left relation right` holds, or may hold: then it is a condition. */
  #holds(left: Size, relation: '==' | '<=', right: Size, message: string, span: Span): boolean {
    if (sizeKey(left) === sizeKey(right)) return true;
    const [a, b] = [asNumber(left), asNumber(right)];
    if (a !== null && b !== null) return relation === '==' ? a === b : a <= b;
    this.#require({ left, relation, right, message, span });
    return true;
  }

  /** A static number as an i32: whole and of 32 bits. What a run decides becomes conditions, where its formula leaves it open. */
  asI32(value: Size, span: Span): void {
    const problem = problemAsI32(value, span);
    if (problem !== null) this.report(problem);
    if (asNumber(value) !== null) return;
    const range = rangeOf(value);
    const shown = formatSize(value);
    if (!range.whole) {
      const message = `${shown} is not a whole number, which an i32 is`;
      this.#require({ left: value, relation: '==', right: apply('floor', value), message, span });
    }
    const { message } = beyondI32(shown);
    const [least, greatest] = [exact(rangeOfI32.least), exact(rangeOfI32.greatest)];
    if (range.greatest > Number(rangeOfI32.greatest))
      this.#require({ left: value, relation: '<=', right: greatest, message, span });
    if (range.least < Number(rangeOfI32.least))
      this.#require({ left: least, relation: '<=', right: value, message, span });
  }

  /** `at` says at which indices the operation is met (" (at l = 0)"). */
  primitive(
    expr: PrimitiveExpr & { readonly span: Span },
    axes: ReadonlyMap<string, readonly Axis[]>,
    attributes: ReadonlyMap<string, Size | boolean>,
    at: () => string,
  ): void {
    const one = (name: string): Axis | undefined => axes.get(name)?.[0];
    const all = (name: string): readonly Axis[] => axes.get(name) ?? [];
    const size = (name: string): Size | null => {
      const s = attributes.get(name);
      return s === undefined || typeof s === 'boolean' ? null : s;
    };
    const { span } = expr;
    switch (expr.name) {
      case 'rename':
        all('from').forEach((a, i) => {
          const b = all('to')[i];
          if (b !== undefined) this.#renamed(a, b, span, at());
        });
        break;
      case 'split':
      case 'merge': {
        const whole = expr.name === 'split' ? one('axis') : one('into');
        if (whole !== undefined) this.#parts(whole, all(expr.name === 'split' ? 'into' : 'axes'), span, at());
        break;
      }
      case 'concat': {
        const into = one('into');
        if (into !== undefined) this.#joined(into, all('along'), span, at());
        break;
      }
      case 'at': {
        const [axis, index] = [one('axis'), size('index')];
        if (axis !== undefined && index !== null) this.point(index, axis, span, at());
        break;
      }
      case 'window': {
        const [axis, as, from, to] = [one('axis'), one('as'), size('from'), size('to')];
        if (axis !== undefined && as !== undefined && from !== null && to !== null)
          this.range(axis, as, from, to, span, at());
        break;
      }
      case 'top_k': {
        const k = size('k');
        if (k !== null) this.#selection(k, all('over'), span, at());
        break;
      }
      case 'limit': {
        const to = size('to');
        if (to !== null) this.#whole(to, `a capacity of ${formatSize(to)}`, span, at());
        break;
      }
      case 'max':
      case 'min':
      case 'argmax': {
        if (expr.args.get('x')?.type.kind !== 'tensor') break;
        for (const a of all('over')) {
          const message = `${expr.name} over ${a.name}, which has no points${at()}`;
          // Of a dynamic axis that is empty in a run the run says so, where somebody needs the value.
          if (asInteger(a.size) === 0 && !a.dynamic) this.report(diagnostic('MOE0352', { message, span }));
        }
        break;
      }
      default:
        break;
    }
  }

  #renamed(from: Axis, to: Axis, span: Span, at: string): void {
    const message = `${from.name} and ${to.name} differ in size: ${formatSize(from.size)} and ${formatSize(to.size)}${at}`;
    if (this.#holds(from.size, '==', to.size, message, span)) return;
    const help = `rename ${from.name} to its twin ${from.name}', or to an axis of the same size`;
    this.report(diagnostic('MOE0351', { message, span, help }));
  }

  #parts(whole: Axis, parts: readonly Axis[], span: Span, at: string): void {
    const product = multiply(parts.map((a) => a.size));
    const names = parts.map((a) => a.name).join(', ');
    const message = `${whole.name} has ${formatSize(whole.size)} points, (${names}) has ${formatSize(product)}${at}`;
    if (!this.#holds(whole.size, '==', product, message, span)) this.report(diagnostic('MOE0353', { message, span }));
  }

  #joined(into: Axis, along: readonly Axis[], span: Span, at: string): void {
    const sum = along.reduce<Size>((s, a) => apply('add', s, a.size), exact(0));
    const message = `${into.name} has ${formatSize(into.size)} points, what is joined has ${formatSize(sum)}${at}`;
    if (!this.#holds(into.size, '==', sum, message, span)) this.report(diagnostic('MOE0351', { message, span }));
  }

  /** A number that must be whole; a fraction that only a run knows is refused by the runtime. */
  #whole(size: Size, what: string, span: Span, at: string): boolean {
    const n = asNumber(size);
    if (n === null || Number.isInteger(n)) return true;
    this.report(
      diagnostic('MOE0350', { message: `${what} is not a whole number${at}`, span, help: 'say floor or ceil' }),
    );
    return false;
  }

  #selection(k: Size, over: readonly Axis[], span: Span, at: string): void {
    if (!this.#whole(k, `a selection of ${formatSize(k)}`, span, at)) return;
    const wanted = asNumber(k);
    // Over a dynamic axis fewer points are no error: all are taken.
    const there = over.some((a) => a.dynamic) ? null : asInteger(multiply(over.map((a) => a.size)));
    if (wanted === null) return;
    const names = over.map((a) => a.name).join(', ');
    if (wanted < 0) {
      this.report(
        diagnostic('MOE0350', { message: `${wanted} are to be selected${at}`, span, help: 'select none or more' }),
      );
    } else if (there !== null && wanted > there) {
      const message = `${wanted} are to be selected among the ${there} points of ${names}${at}`;
      const help = `select at most ${there}, or make ${names} larger`;
      this.report(diagnostic('MOE0450', { message, span, label: `${wanted} are selected here`, help }));
    }
  }

  /** A float is no index, whichever number it is: another rounding would mean another point. */
  #isExact(size: Size, what: string, span: Span): boolean {
    if (size.kind !== 'real') return true;
    const message = `${what} is ${formatSize(size)} in float arithmetic, which is not exact`;
    this.report(diagnostic('MOE0350', { message, span, help: 'say floor or ceil' }));
    return false;
  }

  /** A point of an axis, known when compiling. */
  point(index: Size, axis: Axis, span: Span, at: string): void {
    const message = `${axis.name} has ${formatSize(axis.size)} points, there is none at ${formatSize(index)}${at}`;
    if (!this.#isExact(index, `the index of ${axis.name}`, span)) return;
    const i = asNumber(index);
    const inside =
      (i === null || (Number.isInteger(i) && i >= 0)) &&
      (i !== null || this.#holds(exact(0), '<=', index, message, span)) &&
      this.#holds(apply('add', index, exact(1)), '<=', axis.size, message, span);
    if (!inside) this.report(diagnostic('MOE0352', { message, span }));
  }

  /** A half-open range that becomes the axis `as`; false if it cannot. */
  range(axis: Axis, as: Axis, from: Size, to: Size, span: Span, at: string): boolean {
    const leaves = `the range ${formatSize(from)} .. ${formatSize(to)} leaves ${axis.name}, which has ${formatSize(axis.size)} points${at}`;
    if (![from, to].every((end) => this.#isExact(end, `an end of the range of ${axis.name}`, span))) return false;
    const whole = [from, to].every((s) => asNumber(s) === null || Number.isInteger(asNumber(s)));
    const inside =
      whole &&
      this.#holds(exact(0), '<=', from, leaves, span) &&
      this.#holds(from, '<=', to, leaves, span) &&
      this.#holds(to, '<=', axis.size, leaves, span);
    if (!inside) {
      const help = 'a range lies inside its axis: write max(…, 0), or choose with if';
      this.report(diagnostic('MOE0352', { message: leaves, span, help }));
      return false;
    }
    const length = apply('sub', to, from);
    const message = `the range has ${formatSize(length)} points, ${as.name} has ${formatSize(as.size)}${at}`;
    if (this.#holds(length, '==', as.size, message, span)) return true;
    this.report(diagnostic('MOE0351', { message, span }));
    return false;
  }
}
