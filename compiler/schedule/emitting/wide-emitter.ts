/**
 * Values of the graph as wide numbers: the angles of sin and cos (graph/wide-angles.ts says which, kernel/math/wide.ts what they are).
 *
 * A node that is arithmetic is computed here from its operands, also where it has memory: what is stored is rounded to f32.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import type { Node, NodeId } from '../../graph/graph-ir.ts';
import { wideOperands } from '../../graph/wide-angles.ts';
import { and, convert, f32, gt, lt, select } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../../kernel/kernel-builder.ts';
import { log2 } from '../../kernel/math/power.ts';
import {
  wideConstant, wideNegated, wideOfFloat, wideOfInteger, widePower2, wideProduct, wideQuotient, wideReciprocal, wideSum,
} from '../../kernel/math/wide.ts'; // prettier-ignore
import type { Wide } from '../../kernel/math/wide.ts';
import { either } from '../../kernel/math/words.ts';
import type { PointScope } from './point-scope.ts';

/** What the lowering of values does for this one. */
export interface WideSource {
  readonly k: KernelBuilder;
  readonly node: (id: NodeId) => Node;
  readonly value: (id: NodeId, env: PointScope) => KernelExpr;
  readonly view: (
    env: PointScope,
    node: Extract<Node, { kind: 'rename' | 'slice' | 'split' | 'merge' | 'broadcast' }>,
  ) => PointScope;
  /** Wide values that are known in an Env. */
  readonly known: WeakMap<PointScope, Map<NodeId, Wide>>;
}

export function wideValue(id: NodeId, env: PointScope, source: WideSource): Wide {
  for (let e: PointScope | null = env; e !== null; e = e.parent) {
    const known = source.known.get(e)?.get(id);
    if (known !== undefined) return known;
  }
  const value = compute(source.node(id), env, source);
  const values = source.known.get(env) ?? new Map<NodeId, Wide>();
  source.known.set(env, values.set(id, value));
  return value;
}

function compute(node: Node, env: PointScope, source: WideSource): Wide {
  const { k } = source;
  if (wideOperands(node) === null) return taken(node, env, source);
  switch (node.kind) {
    case 'constant':
      return wideConstant(node.value);
    case 'size':
    case 'iota': {
      // Whole numbers of 32 bits; a size that is not whole is a float.
      const value = source.value(node.id, env);
      if (value.kind === 'convert' && value.operand.type !== 'bool') return wideOfInteger(k, value.operand);
      return value.type === 'f32' ? wideOfFloat(k, value) : wideOfInteger(k, value);
    }
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
      return wideValue(node.operand, source.view(env, node), source);
    case 'map':
      return mapped(node, env, source);
    default:
      throw new CompilerBug('schedule', `a ${node.kind} is no wide arithmetic`);
  }
}

/** A value from outside, as it is in its own type. */
function taken(node: Node, env: PointScope, { k, value }: WideSource): Wide {
  const expr = value(node.id, env);
  return expr.type === 'f32' ? wideOfFloat(k, expr) : wideOfInteger(k, convert('i32', expr));
}

function mapped(node: Extract<Node, { kind: 'map' }>, env: PointScope, source: WideSource): Wide {
  const { k } = source;
  const operandAt = (i: number): NodeId => {
    const id = node.operands[i];
    if (id === undefined) throw new CompilerBug('schedule', `${node.op} lacks operand ${i}`);
    return id;
  };
  const at = (i: number): Wide => wideValue(operandAt(i), env, source);
  switch (node.op) {
    case 'add':
      return wideSum(k, at(0), at(1));
    case 'sub':
      return wideSum(k, at(0), wideNegated(at(1)));
    case 'mul':
      return wideProduct(k, at(0), at(1));
    case 'neg':
      return wideNegated(at(0));
    case 'convert':
      return at(0);
    case 'div': {
      const divisor = source.node(operandAt(1));
      const known = divisor.kind === 'constant' && divisor.value !== 0 ? divisor.value : null;
      return known === null ? wideQuotient(k, at(0), at(1)) : wideProduct(k, at(0), wideReciprocal(known));
    }
    case 'exp':
      return widePower2(k, wideProduct(k, at(0), wideConstant(Math.LOG2E)));
    case 'pow':
      return power(node, operandAt(0), at(1), env, source);
    case 'where':
      return chosen(k, convert('bool', source.value(operandAt(0), env)), at(1), at(2));
    default:
      throw new CompilerBug('schedule', `${node.op} is no wide arithmetic`);
  }
}

/** base ** exponent: of a base that is not positive it is what f32 has. */
function power(node: Node, base: NodeId, exponent: Wide, env: PointScope, source: WideSource): Wide {
  const { k } = source;
  const of = source.node(base);
  if (of.kind === 'constant' && of.value > 0) {
    return widePower2(k, wideProduct(k, wideConstant(Math.log2(of.value)), exponent));
  }
  const x = source.value(base, env);
  const inside = k.let(and(gt(x, 0), lt(x, 3.4e38)));
  const positive = k.let(select(inside, x, f32(1)));
  const exact = chosen(k, inside, wideValue(base, env, source), wideConstant(1));
  const wide = widePower2(k, wideProduct(k, log2(k, positive, exact), exponent));
  return chosen(k, inside, wide, wideOfFloat(k, source.value(node.id, env)));
}

function chosen(k: KernelBuilder, condition: KernelExpr, then: Wide, otherwise: Wide): Wide {
  return {
    ...either(k, condition, then, otherwise),
    negative: k.let(select(condition, then.negative, otherwise.negative)),
    exponent: k.let(select(condition, then.exponent, otherwise.exponent)),
  };
}
