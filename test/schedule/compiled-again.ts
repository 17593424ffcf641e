/** A program compiled again with its own schedules, each edited as text. */
import { compileProgram, hashOf, regimesOf } from '../../compiler/compile.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { preparedOf } from '../language/support.ts';

export interface CompiledAgain {
  readonly prepared: Prepared;
  /** The edited texts, of each graph once. */
  readonly schedules: readonly string[];
}

/** Throws ScheduleTextError where an edited text may not be. */
export function compiledAgain(text: string, edit: (schedule: string) => string): CompiledAgain {
  const prepared = preparedOf(text, { target: webgpuCore });
  const plans = [prepared.entry.inference, prepared.entry.withAux].flatMap(regimesOf);
  const schedules = new Map(
    plans.map((own) => [hashOf(own), edit(printSchedule(own.schedule, own.fused.graph))] as const),
  );
  const compilation = compileProgram(prepared.program, {
    overrides: new Map(),
    target: webgpuCore,
    entries: [prepared.entry.name],
    sources: prepared.project.sources,
    schedules,
  });
  const [entry] = compilation.entries;
  const { manifest } = compilation;
  if (entry === undefined || manifest === null) throw new Error('it does not compile');
  return { prepared: { ...prepared, compilation, entry, manifest }, schedules: [...schedules.values()] };
}

/** How an edited text is refused; null: it is not. */
export function refusalOf(text: string, edit: (schedule: string) => string): unknown {
  try {
    compiledAgain(text, edit);
  } catch (error) {
    return error;
  }
  return null;
}
