/**
 * `moec explain schedule MODEL`: what each launch of a run leaves in memory for later ones, and why: with the reason of the code that
 * decided it. Launches are numbered as `moec explain kernels` does.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { exact, multiply } from '../../../dsl/types/size.ts';
import type { CompiledPlan } from '../../compile.ts';
import { memoryReasons, type MemoryReasonKind } from '../../graph/memory-reasons.ts';
import { boundariesOf } from '../../schedule/emitting/boundaries.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText } from '../terminal/text-table.ts';
import { both, lookAt, otherRegime, otherText, planAt, sizesText, type PlanOptions } from './explain-plan.ts';

interface ExplainedBoundary {
  /** The value and its place in the source. */
  readonly value: string;
  /** Its node in `moec compile --emit=sparse`. */
  readonly node: number | null;
  readonly readers: readonly number[];
  readonly bytes: { readonly formula: string; readonly number: number | null };
  readonly reason: MemoryReasonKind;
  readonly because: string;
}

interface ExplainedStep {
  readonly index: number;
  readonly kernel: string;
  readonly label: string;
  readonly boundaries: readonly ExplainedBoundary[];
}

/** Throws CliError. */
export async function explainSchedule(session: Session, modelFile: string, options: PlanOptions): Promise<void> {
  const { entries, sizes, diagnostics } = await lookAt(session, modelFile, options);
  const listed = entries.map((entry) => ({
    entry: entry.name,
    other: otherRegime(entry, options, sizes),
    steps: stepsOf(planAt(entry, options, sizes), sizes),
  }));
  if (session.json) {
    const reasons = memoryReasons;
    session.outJson({ ok: true, sizes: Object.fromEntries(sizes), entries: listed, reasons, diagnostics });
    return;
  }
  const { bold, dim, cyan } = session.outColours;
  for (const { entry, other, steps } of listed) {
    const all = steps.flatMap(({ boundaries }) => boundaries);
    session.out(
      `${bold(entry)}: ${steps.length} launches, ${all.length} boundaries${dim(sizesText(sizes))}\n${otherText(other, dim)}\n`,
    );
    for (const { index, kernel, label, boundaries } of steps) {
      session.out(`${bold(`#${index} ${kernel}`)}   ${label}\n`);
      for (const { value, node, readers, bytes, reason, because } of boundaries) {
        const size = bytes.number === null ? '?' : bytesText(bytes.number);
        const name = node === null ? value : `%${node}`;
        session.out(`   ${name} → ${readers.map((reader) => `#${reader}`).join(' ')}, ${size}\n`);
        session.out(`   ${cyan(reason)}: ${because}\n`);
      }
    }
    const seen = new Set<string>(all.map(({ reason }) => reason));
    const legend = Object.entries(memoryReasons).filter(([reason]) => seen.has(reason));
    session.out(`\n${legend.map(([reason, text]) => dim(`${reason}: ${text}`)).join('\n')}\n\n`);
  }
}

function stepsOf(
  { schedule, plan, contents }: CompiledPlan,
  sizes: ReadonlyMap<string, number>,
): readonly ExplainedStep[] {
  const boundaries = boundariesOf(plan, contents, schedule);
  return plan.steps.map((step, index) => ({
    index,
    kernel: step.kind === 'extern' ? step.name : at(plan.kernels, step.kernel, 'cli: kernel').name,
    label: step.label,
    boundaries: boundaries
      .filter(({ from }) => from === index)
      .map(({ buffer, node, to, because }): ExplainedBoundary => {
        const { label, elements } = at(plan.buffers, buffer, 'cli: buffer');
        const bytes = both(multiply([exact(4n), elements]), sizes);
        return { value: label, node, readers: to, bytes, reason: because.reason, because: because.text };
      }),
  }));
}
