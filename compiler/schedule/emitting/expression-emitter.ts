/**
 * From values of the graph to expressions of a kernel: what a node is at one point.
 *
 * A `PointScope` says where we are: an index for each axis, a row for each assignment list that is in scope. A node that has memory is loaded;
 * any other is computed here from its operands (this is how elementwise chains fuse); a view is the same operand in another Env.
 *
 * - A value stored on an assignment list is loaded by its row if the row is in scope, else by the row its indices have (`place`). Where
 *   they have none the row is 0 and the value means nothing: nobody asks for it, but the load is in bounds.
 * - A value is emitted once in a block and the blocks inside it: `values` of an Env and its parents. `inner` starts a block.
 * - Rows in scope are present: a presence they were made of is known to be true.
 */
import { at, missing } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug, unreachable } from '../../../dsl/diagnostics/bug.ts';
import { binaryNames, unaryNames } from '../../../dsl/types/primitive-names.ts';
import type { AxisId, ElementType, MapOp, Node, NodeId } from '../../graph/graph-ir.ts';
import { roundToF16 as nearestF16 } from '../../../dsl/tensors/round-to-f16.ts';
import {
  add, and, bitcast, bool, convert, div, f32, ge, i32, load, lt, ne, rem, select, sub, u32,
} from '../../kernel/make-expressions.ts'; // prettier-ignore
import type { KernelExpr, ScalarType, Width } from '../../kernel/kernel-ir.ts';
import { scalarOf } from '../../kernel/kernel-typing.ts';
import { implies } from '../../graph/implies.ts';
import { isNamedByUnion } from '../../graph/united-slots.ts';
import { isWide } from '../../graph/wide-angles.ts';
import { roundToF16 } from '../../kernel/math/f16.ts';
import { cosine, sine, turned } from '../../kernel/math/turn.ts';
import type { Turned } from '../../kernel/math/turn.ts';
import type { SlotForm } from '../memory/memory.ts';
import type { Wide } from '../../kernel/math/wide.ts';
import { exprDepth } from '../../kernel/visit-kernel.ts';
import { extreme, rowMajor } from '../../kernels/space.ts';
import { isKnownPresent, isKnownTrue, isTrue } from './known-true.ts';
import { inner, knownValue, scopeAt, type PointScope } from './point-scope.ts';
import { slotRowOf } from './named-points.ts';
import { PointEmitter } from './point-emitter.ts';
import { placeInQueue } from './queue-places.ts';
import { as, binaryFunctionOf, clamp, integerOf, unaryFunctionOf } from './scalar-functions.ts';
import { wideValue } from './wide-emitter.ts';

const KERNEL_TYPE: Readonly<Record<ElementType, ScalarType>> = { f32: 'f32', f16: 'f32', i32: 'i32', bool: 'bool' };
const COMPARISONS: ReadonlySet<MapOp> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);
/** Expressions nest no deeper than this before they get a local: shader compilers give up at about 128. */
const DEEPEST = 12;

export function kernelType(element: ElementType): ScalarType {
  return KERNEL_TYPE[element];
}

export class ExprEmitter extends PointEmitter {
  /** Nodes inlined in this launch: what may be given memory if it binds too many buffers. */
  readonly inlined = new Set<NodeId>();
  readonly #wideValues = new WeakMap<PointScope, Map<NodeId, Wide>>();
  readonly #turnedAngles = new WeakMap<PointScope, Map<NodeId, Turned>>();

  protected rowOfSlots(env: PointScope, form: SlotForm, rowOf: (slot: KernelExpr) => KernelExpr): KernelExpr {
    return slotRowOf(this, env, form, rowOf);
  }

  /** The zero of an element type. */
  zeroOf(element: ElementType): KernelExpr {
    return constant(element, 0);
  }

  /** The value of a node at a point: f32, i32 or bool. */
  value(id: NodeId, env: PointScope): KernelExpr {
    const known = knownValue(env, id);
    if (known !== undefined) return known;
    const node = this.placement.node(id);
    const memory = this.placement.memoryOf(id);
    if (memory !== null && node.element === 'bool' && isKnownTrue(this.placement, id, env)) return bool(true);
    let value: KernelExpr;
    if (memory !== null) {
      const loaded = load(this.read(memory.buffer), this.elementIndex(env, memory.space));
      value = node.element === 'bool' ? ne(loaded, u32(0)) : loaded;
    } else {
      const outer = this.computing;
      this.computing = id;
      value = this.compute(node, env);
      this.computing = outer;
      this.inlined.add(id);
    }
    value = this.kept(id, value);
    env.values.set(id, value);
    return value;
  }

  /** A value of a node as it is used: a local where it is used more than once, or nests too deep. */
  kept(id: NodeId, value: KernelExpr): KernelExpr {
    const isMany = this.placement.usesOf(id) > 1 || exprDepth(value) > DEEPEST;
    return isMany && !isSimple(value) ? this.launch.k.let(value) : value;
  }

  /** A value as a vector of `lanes` neighbours along its last axis, whose index in `env` counts vectors: one load (`loadsVectors`). */
  vector(id: NodeId, env: PointScope, lanes: Width): KernelExpr {
    const node = this.placement.node(id);
    const memory = this.placement.memoryOf(id);
    if (memory !== null) return load(this.read(memory.buffer, lanes), this.elementIndex(env, memory.space, lanes));
    if (node.kind !== 'rename' && node.kind !== 'broadcast' && node.kind !== 'slice')
      throw new CompilerBug('schedule', `node ${id} (${node.kind}) is no vector of memory`);
    return this.vector(node.operand, this.view(env, node), lanes);
  }

  /** What a look-up finds at a point; 0 where its index is none of the table. */
  gathered(node: Extract<Node, { kind: 'gather' }>, env: PointScope): KernelExpr {
    const { k } = this.launch;
    const index = k.let(convert('i32', this.value(node.indices, env)), 'at');
    const size = k.let(bitcast('i32', this.size(node.axis)), 'size');
    const value = k.var(this.zeroOf(node.element), 'm');
    k.when(and(ge(index, 0), lt(index, size)), () => {
      k.assign(value, this.value(node.table, inner(env, [[node.axis, bitcast('u32', index)]])));
    });
    return value;
  }

  /** What `emit` emits, as part of a node that is computed in passing. */
  inPassing<T>(id: NodeId, emit: () => T): T {
    const outer = this.computing;
    this.computing = id;
    this.inlined.add(id);
    const result = emit();
    this.computing = outer;
    return result;
  }

  #present(node: Extract<Node, { kind: 'presence' }>, env: PointScope): KernelExpr {
    const list = this.placement.listOf(node.id);
    return list === null ? this.value(node.mask, env) : ge(this.rowOf(env, list), i32(0));
  }

  /** The value of a node computed from its operands, whether it has memory or not. */
  compute(node: Node, env: PointScope): KernelExpr {
    const { k } = this.launch;
    switch (node.kind) {
      case 'constant':
        return constant(node.element, node.value);
      case 'size':
        if (node.element === 'i32') return this.launch.size(node.size, 'i32');
        return this.#heldAs(node.element, this.launch.size(node.size, 'f32'));
      case 'iota':
        return this.#heldAs(node.element, convert(kernelType(node.element), this.index(env, node.axis)));
      case 'map':
        return this.#mapped(node, env);
      case 'presence':
        return isKnownPresent(this.placement, node.id, env) ? bool(true) : this.#present(node, env);
      case 'predicated': {
        const condition = this.value(node.presence, env);
        if (condition.kind === 'literal') {
          return condition.value === true ? this.value(node.value, env) : constant(node.element, node.otherwise);
        }
        const result = k.var(constant(node.element, node.otherwise), 'm');
        k.when(condition, () => k.assign(result, this.value(node.value, inner(env))));
        return result;
      }
      case 'concat':
        return this.#concatenated(node, env);
      case 'rename':
      case 'slice':
      case 'split':
      case 'merge':
      case 'broadcast':
        return this.value(node.operand, this.view(env, node));
      case 'scan':
      case 'sort_rank': {
        const queued = this.placement.queueOf(node.id);
        return queued === null ? this.placement.lacks(node) : placeInQueue(this, env, queued);
      }
      case 'input':
      case 'contract':
      case 'reduce':
      case 'choose':
      case 'argmax':
      case 'gather':
      case 'draw':
      case 'extern':
      case 'fold':
        return this.placement.lacks(node);
      default:
        return unreachable(node, 'schedule');
    }
  }

  /** Whether all these presences hold at the point, tested in order up to the first that does not. */
  allPresent(presences: readonly NodeId[], env: PointScope): KernelExpr {
    const open = presences.filter((s) => !isKnownPresent(this.placement, s, env));
    const [first, ...rest] = open;
    if (first === undefined) return bool(true);
    const value = this.value(first, env);
    if (rest.length === 0) return value;
    const { k } = this.launch;
    const result = k.var(bool(false), 'in');
    k.when(value, () => k.assign(result, this.allPresent(rest, inner(env))));
    return result;
  }

  #mapped(node: Extract<Node, { kind: 'map' }>, env: PointScope): KernelExpr {
    const { k } = this.launch;
    const { op } = node;
    const type = kernelType(node.element);
    const union = op === 'and' ? this.#unionIn(node) : null;
    if (union !== null) return this.value(union, env);
    const values = node.operands.map((id) => this.value(id, env));
    const at = (i: number): KernelExpr => {
      const value = values[i];
      if (value === undefined) throw new CompilerBug('schedule', `${op} lacks operand ${i}`);
      return value;
    };
    switch (op) {
      case 'where':
        return select(as('bool', at(0)), as(type, at(1)), as(type, at(2)));
      case 'clamp':
        return clamp(k, as(type, at(0)), as(type, at(1)), as(type, at(2)));
      case 'convert':
        if (node.element === 'f16') return this.#heldAs('f16', as('f32', at(0)));
        return type === 'i32' ? integerOf(k, at(0)) : as(type, at(0));
      case 'sin':
        return sine(k, this.#turned(node.operands[0], at(0), env));
      case 'cos':
        return cosine(k, this.#turned(node.operands[0], at(0), env));
      case 'and':
        // What is known to hold need not be asked.
        if (isTrue(at(0))) return as('bool', at(1));
        if (isTrue(at(1))) return as('bool', at(0));
        return binaryFunctionOf(k, op, as('bool', at(0)), as('bool', at(1)));
      case 'or':
        return binaryFunctionOf(k, op, as('bool', at(0)), as('bool', at(1)));
      default:
        break;
    }
    if (values.length === 1) return unaryFunctionOf(k, unaryName(op), op === 'not' ? at(0) : as(type, at(0)));
    const common = COMPARISONS.has(op) ? commonType(at(0), at(1), op === 'eq' || op === 'ne') : type;
    return binaryFunctionOf(k, binaryName(op), as(common, at(0)), as(common, at(1)));
  }

  /** The union of which a conjunction says no more than which list names its points (graph/united-slots.ts). */
  #unionIn({ operands: [union, named] }: Extract<Node, { kind: 'map' }>): NodeId | null {
    const node = (id: NodeId): Node => this.placement.node(id);
    if (union === undefined || named === undefined || !isNamedByUnion(named, node)) return null;
    return implies(union, named, node) ? union : null;
  }

  /** An angle less whole turns, once for all its waves. */
  #turned(id: NodeId | undefined, angle: KernelExpr, env: PointScope): Turned {
    const { k } = this.launch;
    if (id === undefined) throw new CompilerBug('schedule', 'a wave of nothing');
    for (let e: PointScope | null = env; e !== null; e = e.parent) {
      const known = this.#turnedAngles.get(e)?.get(id);
      if (known !== undefined) return known;
    }
    const node = (n: NodeId): Node => this.placement.node(n);
    const source = {
      k,
      node,
      value: (n: NodeId, at: PointScope): KernelExpr => this.value(n, at),
      view: (at: PointScope, view: Parameters<ExprEmitter['view']>[1]): PointScope => this.view(at, view),
      known: this.#wideValues,
    };
    const wide = isWide(id, node) ? wideValue(id, env, source) : undefined;
    const angles = this.#turnedAngles.get(env) ?? new Map<NodeId, Turned>();
    const result = turned(k, as('f32', angle), wide);
    this.#turnedAngles.set(env, angles.set(id, result));
    return result;
  }

  /** A number of the right kernel type as the element holds it: f16 rounds. */
  #heldAs(element: ElementType, value: KernelExpr): KernelExpr {
    return element === 'f16' ? roundToF16(this.launch.k, value) : value;
  }

  #concatenated(node: Extract<Node, { kind: 'concat' }>, env: PointScope): KernelExpr {
    const { k } = this.launch;
    const position = this.index(env, node.axis);
    const result = k.var(constant(node.element, 0), 'm');
    const choose = (i: number, offset: KernelExpr): void => {
      const part = node.parts[i] ?? missing('schedule: part of a concat', i);
      const end = k.let(add(offset, part.axis === null ? u32(1) : this.size(part.axis)), 'end');
      const take = () => {
        const at = part.axis === null ? [] : [[part.axis, sub(position, offset)] as const];
        k.assign(result, as(scalarOf(result.type), this.value(part.node, this.#reviewed(env, node.axis, at))));
      };
      k.when(lt(position, end), take, i + 1 < node.parts.length ? () => choose(i + 1, end) : undefined);
    };
    choose(0, u32(0));
    return result;
  }

  /** The Env of a part: other axes as they are, the axis replaced. */
  #reviewed(env: PointScope, without: AxisId, bound: readonly (readonly [AxisId, KernelExpr])[]): PointScope {
    const axes = new Map(env.axes);
    axes.delete(without);
    for (const [axis, index] of bound) axes.set(axis, index);
    const gone = new Set([without, ...bound.map(([axis]) => axis)]);
    const rows = new Map(
      [...env.rows].filter(([, { assignmentList }]) => !assignmentList.axes.some((a) => gone.has(a))),
    );
    const named = env.named.filter((point) => [...gone].every((axis) => !point.axes.has(axis)));
    return scopeAt(axes, rows, null, named);
  }

  /** The Env of a view's operand: the same point under its axes. */
  view(
    env: PointScope,
    node: Extract<Node, { kind: 'rename' | 'slice' | 'split' | 'merge' | 'broadcast' }>,
  ): PointScope {
    const known = env.views.get(node.id);
    if (known !== undefined) return known;
    const operand = this.placement.node(node.operand).axes;
    const above =
      env.parent !== null && node.axes.every((a) => env.parent?.axes.has(a)) ? this.view(env.parent, node) : null;
    const mapped = this.#viewIndices(env, node);
    const axes = new Map(operand.map((a) => [a, above?.axes.get(a) ?? mapped.get(a) ?? this.index(env, a)]));
    // A row stays in scope if its axes go through untouched.
    const rows = [...env.rows].filter(([, { assignmentList }]) =>
      assignmentList.axes.every((a) => operand.includes(a) && !mapped.has(a)),
    );
    const named = env.named.filter((point) => [...point.axes].every((a) => operand.includes(a) && !mapped.has(a)));
    const viewed = scopeAt(axes, new Map(rows), above, named);
    env.views.set(node.id, viewed);
    return viewed;
  }

  /** The operand's axes that have another index, with it. */
  #viewIndices(
    env: PointScope,
    node: Extract<Node, { kind: 'rename' | 'slice' | 'split' | 'merge' | 'broadcast' }>,
  ): ReadonlyMap<AxisId, KernelExpr> {
    switch (node.kind) {
      case 'broadcast':
        return new Map();
      case 'rename':
        return new Map(node.from.map((a, i) => [a, this.index(env, at(node.to, i, 'schedule: axis of a rename'))]));
      case 'slice': {
        const at = this.launch.offset(node.axis, node.at);
        return new Map([[node.axis, node.as === null ? at : add(this.index(env, node.as), at)]]);
      }
      case 'split': {
        const sizes = node.into.map((a) => this.size(a));
        return new Map([[node.axis, rowMajor(node.into.map((a) => this.index(env, a)), sizes)]]); // prettier-ignore
      }
      case 'merge': {
        const digits: [AxisId, KernelExpr][] = [];
        let rest = this.index(env, node.into);
        for (const [i, axis] of [...node.from.entries()].reverse()) {
          const size = this.size(axis);
          digits.push([axis, i === 0 ? rest : rem(rest, size)]);
          rest = div(rest, size);
        }
        return new Map(digits);
      }
    }
  }
}

/** What costs nothing to use again. */
export function isSimple(value: KernelExpr): boolean {
  if (value.kind === 'component') return isSimple(value.operand);
  return value.kind === 'literal' || value.kind === 'local' || value.kind === 'uniform';
}

export function constant(element: ElementType, value: number): KernelExpr {
  switch (element) {
    case 'bool':
      return bool(value !== 0);
    case 'i32':
      // An infinity stands for the furthest i32 where a reduction over integers has nothing.
      if (value >= 2147483647) return extreme('i32', 'highest');
      return value <= -2147483648 ? extreme('i32', 'lowest') : i32(Math.trunc(value));
    case 'f32':
      return f32(value);
    case 'f16':
      return f32(nearestF16(value));
  }
}

function commonType(a: KernelExpr, b: KernelExpr, equality: boolean): ScalarType {
  if (a.type === b.type) return a.type === 'bool' && !equality ? 'u32' : scalarOf(a.type);
  return a.type === 'f32' || b.type === 'f32' ? 'f32' : 'i32';
}

type UnaryOpName = Parameters<typeof unaryFunctionOf>[1];
type BinaryOpName = Parameters<typeof binaryFunctionOf>[1];
const UNARY = new Map<string, UnaryOpName>(unaryNames.map((n) => [n, n]));
const BINARY = new Map<string, BinaryOpName>(binaryNames.map((n) => [n, n]));

function unaryName(op: MapOp): UnaryOpName {
  const name = UNARY.get(op);
  if (name === undefined) throw new CompilerBug('schedule', `${op} has one operand`);
  return name;
}

function binaryName(op: MapOp): BinaryOpName {
  const name = BINARY.get(op);
  if (name === undefined) throw new CompilerBug('schedule', `${op} has two operands`);
  return name;
}
