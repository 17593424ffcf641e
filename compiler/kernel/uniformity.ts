/**
 * Uniformity: which values and which control flow are the same for all threads of a workgroup. A barrier and what subgroups do
 * together are allowed only under uniform control; Tint checks the same, and this analysis is at least as strict, so that a mistake is reported
 * against the kernel and not against its text.
 *
 * Uniform: literals, uniform fields, workgroup ids, buffer lengths, loads of read-only buffers at a uniform index, and what
 * is computed from such. Not uniform: global and local ids, loads of writable buffers and of workgroup memory, what a
 * subgroup makes, and every local that is ever given such a value or is assigned where control is not uniform. Locals are told by name over the whole
 * kernel, whatever the order of assignments: simple, and errs on the strict side.
 *
 * A thread that may have returned or left a loop alone makes the control after it non-uniform: a `return` to the end of the
 * kernel, a `break` for the whole of its loop.
 */
import type { KernelExpr, Kernel, KernelStmt } from './kernel-ir.ts';
import { blocksOf, forEachStatement, operandsOf } from './visit-kernel.ts';

/** The barriers and subgroup operations of a kernel that stand under non-uniform control, by their kind and number from 0 in the text. */
export function divergentMeetings(kernel: Kernel): readonly string[] {
  const counts = { barrier: 0, 'subgroup operation': 0 };
  let some = false;
  forEachStatement(kernel.body, (s) => (some ||= s.kind === 'barrier' || s.kind === 'subgroup'));
  if (!some) return [];
  const divergent = new Set<string>();
  // Each round can only add locals, so this ends after at most one round per local.
  for (let before = -1; before !== divergent.size;) {
    before = divergent.size;
    analyse(kernel, divergent, () => undefined);
  }
  const found: string[] = [];
  analyse(kernel, divergent, (what, uniform) => {
    const number = counts[what]++;
    if (!uniform) found.push(`${what} ${number}`);
  });
  return found;
}

/** One pass in order of the text: extends `divergent` by the locals found so, and tells of each meeting whether control is uniform. */
function analyse(
  kernel: Kernel,
  divergent: Set<string>,
  report: (what: 'barrier' | 'subgroup operation', uniform: boolean) => void,
): void {
  const readOnly = new Set(kernel.buffers.filter((b) => b.access === 'read').map((b) => b.name));

  const isUniform = (expr: KernelExpr): boolean => {
    switch (expr.kind) {
      case 'local':
        return !divergent.has(expr.name);
      case 'builtin':
        return expr.name.startsWith('workgroup_id_') || expr.name.startsWith('num_workgroups_');
      case 'load_array':
        return false;
      case 'load':
        return readOnly.has(expr.buffer) && isUniform(expr.index);
      default:
        return operandsOf(expr).every(isUniform);
    }
  };

  /** Whether control is still uniform after the block, given that it is (or not) at its start. */
  const block = (body: readonly KernelStmt[], atStart: boolean): boolean =>
    body.reduce((uniform, statement) => visit(statement, uniform), atStart);

  const visit = (statement: KernelStmt, uniform: boolean): boolean => {
    switch (statement.kind) {
      case 'let':
      case 'var':
      case 'assign':
        if (!uniform || !isUniform(statement.value)) divergent.add(statement.name);
        return uniform;
      case 'barrier':
        report('barrier', uniform);
        return uniform;
      case 'subgroup':
        report('subgroup operation', uniform);
        // Subgroups of one workgroup make different values.
        divergent.add(statement.name);
        return uniform;
      case 'if': {
        const inside = uniform && isUniform(statement.condition);
        const ends = [block(statement.then, inside), block(statement.else, inside)];
        // Divergence made inside by a return of some threads goes on behind the `if`; a break counts for its whole loop.
        const leaves = holds(statement, 'return');
        return uniform && (inside ? ends.every((end) => end) : !leaves);
      }
      case 'for': {
        const bounds = [statement.from, statement.to, statement.step].every(isUniform);
        const inside = uniform && bounds && !breaksAlone(statement.body, isUniform);
        const end = block(statement.body, inside);
        return uniform && (!holds(statement, 'return') || end);
      }
      default:
        return uniform;
    }
  };
  block(kernel.body, true);
}

/** Whether a statement holds a `return`, or a `break` that leaves it. */
function holds(statement: KernelStmt, kind: 'return' | 'break'): boolean {
  if (statement.kind === kind) return true;
  if (kind === 'break' && statement.kind === 'for') return false;
  return blocksOf(statement).some((body) => body.some((s) => holds(s, kind)));
}

/** Whether some threads may leave the loop with this body, or the kernel, while others go on. */
function breaksAlone(body: readonly KernelStmt[], isUniform: (expr: KernelExpr) => boolean): boolean {
  return body.some((statement) => {
    if (statement.kind === 'if' && !isUniform(statement.condition)) {
      return holds(statement, 'break') || holds(statement, 'return');
    }
    // In a loop inside, only a `return` matters here; its own bounds decide who comes to it.
    if (statement.kind === 'for') {
      const bounds = [statement.from, statement.to, statement.step].every(isUniform);
      return holds(statement, 'return') && (!bounds || breaksAlone(statement.body, isUniform));
    }
    return blocksOf(statement).some((inner) => breaksAlone(inner, isUniform));
  });
}
