/**
 * Which buffers a plan fills for nobody. Going backwards, a step is needed if what it writes is read by a step that is needed, or is
 * not the plan's own: a result, a state's or control's memory, the fault words. Scratch that only other steps write is unread.
 */
import { accessOf, type AccessingStep, type BufferId, type Plan } from './plan.ts';

/** `isScratch`: memory of the plan alone, which no result is. */
export function unreadBuffers<S extends AccessingStep>(
  { kernels, steps }: Pick<Plan, 'kernels'> & { readonly steps: readonly S[] },
  isScratch: (buffer: BufferId) => boolean,
  asked: ReadonlyMap<S, readonly BufferId[]>,
): ReadonlySet<BufferId> {
  const read = new Set<BufferId>();
  const written = new Set<BufferId>();
  for (const step of [...steps].reverse()) {
    const { reads, writes } = accessOf({ kernels }, step);
    for (const buffer of writes) written.add(buffer);
    if (step.kind !== 'extern' && !writes.some((buffer) => read.has(buffer) || !isScratch(buffer))) continue;
    // What a kernel is written from has to be there, also where nothing depends on it in the end.
    const own = new Set(writes);
    for (const buffer of asked.get(step)?.filter((b) => !own.has(b)) ?? reads) read.add(buffer);
  }
  return new Set([...written].filter((buffer) => isScratch(buffer) && !read.has(buffer)));
}
