/**
 * The conditions of a body (`require`), met in the order of the text and put on what the body gives: its result, and the outputs,
 * losses and updates in it. What is known when compiling is decided there.
 */
import { at } from '../diagnostics/invariants.ts';
import type { Expr, MessagePart, Static } from '../types/program.ts';
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import type { Backend, Required } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Frame, InstantiatedValue } from './frame.ts';
import type { StaticValue } from './instances.ts';
import { rangeOf } from './size-range.ts';
import { asNumber, formatSize, type Size } from '../types/size.ts';

/** What requirements need of instantiation. */
export interface Surroundings<T, R> {
  readonly backend: Backend<T, R>;
  readonly report: (problem: Diagnostic) => void;
  /** Sizes of a run are known: what does not hold is an error of the run, not of compiling. */
  readonly isRun: boolean;
  static(value: Static, frame: Frame<T, R>): StaticValue;
  number(value: Static, frame: Frame<T, R>): Size;
  tensor(expr: Expr, frame: Frame<T, R>): T;
}

export class Requirements<T, R> {
  readonly #around: Surroundings<T, R>;
  readonly #all: Required<T>[] = [];

  constructor(around: Surroundings<T, R>) {
    this.#around = around;
  }

  add(condition: Expr, message: readonly MessagePart[], frame: Frame<T, R>, span: Span): void {
    const { backend } = this.#around;
    const holds =
      condition.kind === 'static' ? this.#decided(condition.value, frame) : this.#around.tensor(condition, frame);
    if (holds === true) return;
    const parts = message.map((part) => this.#part(part, frame));
    if (holds === false && !this.#around.isRun) {
      const shown = parts.map((part) =>
        typeof part === 'string' ? part : 'size' in part ? formatSize(part.size) : part.name,
      );
      const text = shown.length === 0 ? 'this does not hold' : shown.join('');
      this.#around.report(diagnostic('MOE0360', { message: text, span, label: 'required here' }));
      return;
    }
    this.#all.push({ condition: holds === false ? backend.scalar(false, 'bool') : holds, message: parts, span });
  }

  /** What the body gives, which may be needed only where its conditions hold. */
  on(value: InstantiatedValue<T, R>): InstantiatedValue<T, R> {
    if (this.#all.length === 0 || value.kind === 'family') return value;
    return value.kind === 'tuple'
      ? { ...value, items: value.items.map((item) => this.on(item)) }
      : this.onOperand(value);
  }

  onOperand(operand: Operand<T, R>): Operand<T, R> {
    return this.#all.reduce((value, required) => this.#around.backend.requires(value, required), operand);
  }

  onTensor(value: T): T {
    const result = this.onOperand({ kind: 'tensor', value });
    return result.kind === 'tensor' ? result.value : value;
  }

  #part(part: MessagePart, frame: Frame<T, R>): Required<T>['message'][number] {
    if (typeof part === 'string') return part;
    if (part.value.kind === 'static') {
      const value = this.#around.static(part.value.value, frame);
      return value.kind === 'number' ? { size: value.size } : String(value.value);
    }
    return { name: part.name, value: this.#around.tensor(part.value, frame) };
  }

  /** A condition on sizes and constants: known, or computed of the sizes of a run. */
  #decided(value: Static, frame: Frame<T, R>): boolean | T {
    if (value.kind === 'op' && (value.op === 'and' || value.op === 'or')) {
      const neutral = value.op === 'and';
      const sides = value.args.map((arg) => this.#decided(arg, frame));
      if (sides.includes(!neutral)) return !neutral;
      const open = sides.flatMap((side) => (typeof side === 'boolean' ? [] : [side]));
      const [first, ...rest] = open;
      return first === undefined
        ? neutral
        : rest.reduce((all, side) => this.#call(value.op, [all, side], value.span), first);
    }
    if (value.kind === 'op' && value.op === 'not') {
      const inner = this.#decided(at(value.args, 0, 'instantiate: operand of not'), frame);
      return typeof inner === 'boolean' ? !inner : this.#call('not', [inner], value.span);
    }
    const [left, right] = value.kind === 'op' ? value.args : [];
    if (left?.type === 'number' && right?.type === 'number' && value.kind === 'op') {
      const sizes = [this.#around.number(left, frame), this.#around.number(right, frame)];
      if (sizes.some((size) => asNumber(size) === null)) {
        const whole = sizes.every((size) => rangeOf(size).whole);
        const numbers = sizes.map((size) => this.#around.backend.scalar(size, whole ? 'i32' : 'f32'));
        return this.#call(value.op, numbers, value.span);
      }
    }
    const known = this.#around.static(value, frame);
    return known.kind === 'bool' && known.value;
  }

  #call(op: string, args: readonly T[], span: Span): T {
    const name = comparisons.find((each) => each === op) ?? 'and';
    const result = this.#around.backend.primitive({
      name,
      args: new Map(args.map((value, i) => [i === 0 ? 'x' : 'y', { kind: 'tensor', value }])),
      axes: new Map(),
      attributes: new Map(),
      element: 'bool',
      span,
      batchAxes: [],
      seedKey: '',
    });
    return result.kind === 'tensor' ? result.value : this.#around.backend.scalar(true, 'bool');
  }
}

const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not'] as const;
