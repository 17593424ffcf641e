/**
 * Which values are indices of an axis by their making: a position along it, a place in an order, arithmetic on such, what `in E`
 * promises of inputs (the host looks at those before a run). Of these no run has to check anything. Incomplete: `false` means
 * "not known".
 */
import { get } from '../../dsl/diagnostics/invariants.ts';
import { asNumber, type Size } from '../../dsl/types/size.ts';
import { compareProducts } from '../graph/presence-bounds.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, Node, NodeId } from '../graph/graph-ir.ts';

/** What is known of the whole numbers a value may be: from `least` to `most`; or -1 and points of these axes together. */
type Known =
  | { readonly kind: 'range'; readonly min: number; readonly max: number }
  | { readonly kind: 'points'; readonly of: readonly AxisId[] };

const range = (min: number, max: number): Known => ({ kind: 'range', min: min, max: max });

export class PointsOfAxes {
  readonly #b: GraphBuilder;
  readonly #known = new Map<NodeId, Known | null>();

  constructor(b: GraphBuilder) {
    this.#b = b;
  }

  /** Says that a value is a point of an axis at every point: its making shows that, but not one operation at a time. */
  note(id: NodeId, axis: AxisId): void {
    this.#known.set(id, this.#points([axis]));
  }

  /** Whether a value is at all points a whole number from -1 to below a size, whatever the sizes of a run are. */
  isPoint(id: NodeId, size: Size): boolean {
    const known = this.#of(id);
    if (known === null) return false;
    if (known.kind === 'points') {
      const order = compareProducts(known.of.map(this.#b.sizeOf), [size]);
      return order === 0 || order === -1;
    }
    const end = asNumber(size);
    return end !== null && known.min >= -1 && known.max < end;
  }

  /** Points along axes: a range if their sizes are known. */
  #points(axes: readonly AxisId[]): Known {
    const sizes = axes.map((a) => asNumber(this.#b.sizeOf(a)));
    const known = sizes.filter((n) => n !== null);
    if (known.length < sizes.length) return { kind: 'points', of: axes };
    return range(-1, known.reduce((all, n) => all * n, 1) - 1);
  }

  #of(id: NodeId): Known | null {
    // Operands come before users: from the first that is not known yet, so that nothing recurses.
    const open = [id];
    for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
      const node = this.#b.node(next);
      const missing = partsOf(node).filter((part) => !this.#known.has(part));
      if (missing.length > 0 && !this.#known.has(next)) {
        open.push(...missing);
        continue;
      }
      open.pop();
      if (!this.#known.has(next)) this.#known.set(next, this.#made(node));
    }
    return get(this.#known, id, 'elaborate: points of node');
  }

  #made(node: Node): Known | null {
    const parts = partsOf(node).map((part) => get(this.#known, part, 'elaborate: points of node'));
    switch (node.kind) {
      case 'constant':
        return Number.isInteger(node.value) ? range(node.value, node.value) : null;
      case 'iota': {
        const size = asNumber(this.#b.sizeOf(node.axis));
        return size === null ? this.#points([node.axis]) : range(0, size - 1);
      }
      case 'argmax':
        return this.#points([node.axis]);
      case 'sort_rank':
      case 'choose':
        return this.#points(node.over);
      case 'input': {
        const { within, role } = this.#b.inputOf(node.input);
        // A state may have been written by a run, which nobody looks at.
        return within === null || role === 'state' ? null : this.#points([within]);
      }
      case 'extern': {
        const { within } = this.#b.resultOf(node.call, node.result);
        return within === null ? null : this.#points([within]);
      }
      case 'map':
        return node.element === 'i32' ? arithmetic(node.op, parts) : node.element === 'bool' ? range(0, 1) : null;
      case 'predicated':
        return Number.isInteger(node.otherwise) ? united([...parts, range(node.otherwise, node.otherwise)]) : null;
      case 'gather':
        // An index -1 gives 0.
        return united([...parts, range(0, 0)]);
      default:
        return parts.length === 0 ? null : united(parts);
    }
  }
}

/** The operands that a value takes its numbers from. */
function partsOf(node: Node): readonly NodeId[] {
  switch (node.kind) {
    case 'map':
      return node.element !== 'i32' ? [] : node.op === 'where' ? node.operands.slice(1) : node.operands;
    case 'predicated':
      return [node.value];
    case 'gather':
      return [node.table];
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
      return [node.operand];
    case 'concat':
      return node.parts.map((part) => part.node);
    default:
      return [];
  }
}

/** One of several values. */
function united(parts: readonly (Known | null)[]): Known | null {
  const [first, ...rest] = parts;
  if (first === undefined) return null;
  return rest.reduce<Known | null>((all, part) => {
    if (all === null || part === null) return null;
    if (all.kind === 'range' && part.kind === 'range')
      return range(Math.min(all.min, part.min), Math.max(all.max, part.max));
    if (all.kind === 'points' && part.kind === 'points') return all.of.join() === part.of.join() ? all : null;
    // -1 is among the points of any axes; 0 is not where they have none.
    const [points, numbers] = all.kind === 'points' ? [all, part] : [part, all];
    return numbers.kind === 'range' && numbers.min === -1 && numbers.max === -1 ? points : null;
  }, first);
}

/** Whole numbers of operands in ranges, as long as nothing wraps. */
function arithmetic(op: string, parts: readonly (Known | null)[]): Known | null {
  if (op === 'where') return united(parts);
  // The rest has the sign of what is divided by, whatever is divided.
  const [, divisor] = parts;
  if (op === 'mod' && divisor?.kind === 'range' && divisor.min > 0) return range(0, divisor.max - 1);
  const ranges = parts.flatMap((part) => (part?.kind === 'range' ? [part] : []));
  const [x, y, z] = ranges;
  if (ranges.length < parts.length || x === undefined) return null;
  const corners = (f: (a: number, b: number) => number): Known | null => {
    if (y === undefined) return null;
    const all = [f(x.min, y.min), f(x.min, y.max), f(x.max, y.min), f(x.max, y.max)];
    return whole(Math.min(...all), Math.max(...all));
  };
  switch (op) {
    case 'neg':
      return whole(-x.max, -x.min);
    case 'add':
      return corners((a, b) => a + b);
    case 'sub':
      return corners((a, b) => a - b);
    case 'mul':
      return corners((a, b) => a * b);
    case 'minimum':
      return corners(Math.min);
    case 'maximum':
      return corners(Math.max);
    case 'clamp':
      return y === undefined || z === undefined || y.max > z.min ? null : range(y.min, z.max);
    case 'convert':
      return x;
    default:
      return null;
  }
}

const whole = (min: number, max: number): Known | null => (min >= -(2 ** 31) && max < 2 ** 31 ? range(min, max) : null);
