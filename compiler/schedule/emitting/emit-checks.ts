/**
 * Checks in a plan: a fault word each, whose number is that of the check. A NaN is found by the kernel that sorts or searches;
 * what must hold otherwise is a launch of its own.
 */
import { exact } from '../../../dsl/types/size.ts';
import type { Check, Node } from '../../graph/graph-ir.ts';
import { domainOf } from '../../graph/domains.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { atomic, bitcast, convert } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { check as checkKernel } from '../../kernels/fault-check.ts';
import { rowMajor } from '../../kernels/space.ts';
import { inner, type PointScope } from './point-scope.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { elementsOf } from '../memory/memory.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { StatusWord } from '../memory/plan.ts';
import type { PlanBuilder } from './plan-builder.ts';
import { pointsOf } from './spaces.ts';

export class CheckEmitter {
  readonly #plan: PlanBuilder;

  constructor(plan: PlanBuilder) {
    this.#plan = plan;
  }

  /** What a kernel that computes a node emits where it met a NaN; null: nobody wants to know. */
  ofNumbers(node: Node): ((l: ExprEmitter, point: PointScope) => void) | null {
    const { graph } = this.#plan.fused;
    const own = graph.checks.filter((c) => c.kind === 'numbers' && c.node === node.id);
    if (own.length === 0) return null;
    const words = own.map((c) => ({ check: c, word: this.#plan.statusWord(c) }));
    return (l, point) => {
      for (const { check, word } of words) {
        const here = inner(point);
        // Where the value itself is not computed there is nothing to report.
        const presences = [...domainOf(this.#plan.fused, node.id).presences, ...check.where];
        l.launch.k.when(l.allPresent(presences, here), () => this.#enter(l, check, word, here));
      }
    };
  }

  /** A launch that looks at what must hold. */
  emit(check: Check, space: StoredSpace): void {
    const plan = this.#plan;
    const node = nodeOf(plan.fused.graph, check.node);
    const word = plan.statusWord(check);
    const points = elementsOf(space, plan.sizeOf);
    const options = {
      family: 'check',
      what: 'check',
      span: check.span,
      invocations: points,
      domain: plan.domainText(space),
      points,
    };
    plan.launch(options, (l) => {
      checkKernel(l.launch.k, {
        space: pointsOf(l, space),
        needed: check.where.length === 0 ? null : (p) => l.allPresent(check.where, inner(p)),
        holds: (p) => convert('bool', l.value(node.id, inner(p))),
        report: (p) => this.#enter(l, check, word, inner(p)),
      });
    });
  }

  /** Enters a point into a fault word, which keeps the first. */
  #enter(l: ExprEmitter, check: Check, word: StatusWord, point: PointScope): void {
    const { launch } = l;
    const enter = (at: StatusWord, value: KernelExpr): void =>
      launch.k.push(
        atomic('min', launch.status(this.#plan.statusBuffer()), launch.number(exact(at), `status ${at}`), value),
      );
    const index = rowMajor(check.axes.map((a) => l.index(point, a)), check.axes.map((a) => l.size(a))); // prettier-ignore
    enter(word, index);
    check.shown.forEach((each, i) => {
      if ('size' in each) return;
      const value = l.value(each.node, point);
      enter(this.#plan.shownWord(check, i), value.type === 'bool' ? convert('u32', value) : bitcast('u32', value));
    });
  }
}
