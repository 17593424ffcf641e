/**
 * Loops that ask for it are written out.
 *
 * Before: for i = 0 to 2 unroll { let v: f32 = x[i]; y[i] = v }
 * After: let v_1 = x[0]; y[0] = v_1; let v_2 = x[1]; y[1] = v_2
 *
 * Each round has its own names, and the counter's value where the counter stood, so that index arithmetic folds. The verifier has
 * seen to it that the bounds are literals, that nothing leaves the loop, and that the text stays short (loop-facts.ts).
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asExpr } from '../make-expressions.ts';
import type { Kernel, KernelStmt, KernelExpr } from '../kernel-ir.ts';
import { roundsOf, type LoopStmt } from '../loop-facts.ts';
import { declaredIn, forEachStatement } from '../visit-kernel.ts';
import { namesOf, renamed } from './rewrite.ts';

export function unrollLoops(kernel: Kernel): Kernel {
  let some = false;
  forEachStatement(kernel.body, (s) => (some ||= s.kind === 'for' && s.unroll === true));
  if (!some) return kernel;
  const taken = namesOf(kernel);
  const fresh = (name: string): string => {
    for (let n = 1; ; n++) {
      const candidate = `${name}_${n}`;
      if (taken.has(candidate)) continue;
      taken.add(candidate);
      return candidate;
    }
  };

  const block = (body: readonly KernelStmt[]): readonly KernelStmt[] =>
    body.flatMap((statement) => {
      if (statement.kind === 'if') return [{ ...statement, then: block(statement.then), else: block(statement.else) }];
      if (statement.kind !== 'for') return [statement];
      const inner: LoopStmt = { ...statement, body: block(statement.body) };
      return statement.unroll === true ? rounds(inner) : [inner];
    });

  const rounds = (loop: LoopStmt): readonly KernelStmt[] => {
    const counts = roundsOf(loop);
    if (counts === null) throw new CompilerBug('legalise', `the rounds of ${loop.name} are not known`);
    return counts.flatMap((count) => {
      const names = new Map([...declaredIn(loop.body)].map((name) => [name, fresh(name)]));
      const counter = asExpr(count, loop.from.type);
      const isCounter = (expr: KernelExpr): boolean => expr.kind === 'local' && expr.name === loop.name;
      return renamed(loop.body, { local: (name) => names.get(name) ?? name }, (expr) =>
        isCounter(expr) ? counter : null,
      );
    });
  };

  return { ...kernel, body: block(kernel.body) };
}
