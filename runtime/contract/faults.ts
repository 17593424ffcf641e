/**
 * Fault words: how a device says that a check failed, and what a run makes of it. One word a check, all ones at first; a kernel puts
 * the smallest linear index there at which the check failed, so that it does not matter which thread comes first.
 */
import { missing } from './bug.ts';
import type { PlanLayout } from './buffer-layout.ts';
import { RunError } from './errors.ts';
import type { AxisSpec, FaultSpec, ManifestElement, ResultSpec } from './manifest.ts';
import { type Sizes, evaluateNumber, evaluateShape } from './sizes.ts';

/** What a fault word holds as long as nothing went wrong. */
export const NO_FAULT = 0xffffffff;

/** What decides whether a fault counts. */
export interface FaultRun {
  /** What the run was asked for: an error counts only where one of these needs the value. */
  readonly asked: ReadonlySet<ResultSpec['group']>;
  /** Paths of the controls that were given: checks of their defaults do not count. */
  readonly given: ReadonlySet<string>;
}

/** Everything that went wrong and counts, in the order of the plan. `words`: of the plan's fault buffer. */
export function faultsOf(layout: PlanLayout, { asked, given }: FaultRun, words: Uint32Array): readonly RunError[] {
  const counts = ({ group, unless }: FaultSpec): boolean =>
    asked.has(group) && !unless.some((control) => given.has(control));
  return layout.plan.status.filter(counts).flatMap(({ word, code, message, shown, axes, place }) => {
    const linear = words[word];
    if (linear === undefined || linear === NO_FAULT) return [];
    const parts = shown.map((each) =>
      'size' in each
        ? String(evaluateNumber(each.size, layout.sizes))
        : numberOf(words[each.word] ?? missing('word'), each.element),
    );
    const told = message.replace(/\{(\d+)\}/g, (_, i: string) => parts[Number(i)] ?? missing('part of a message'));
    return [new RunError(code, told, place, pointAt(axes, layout.sizes, linear))];
  });
}

/** Throws the first fault that counts. */
export function checkFaults(layout: PlanLayout, run: FaultRun, words: Uint32Array): void {
  const [first] = faultsOf(layout, run, words);
  if (first !== undefined) throw first;
}

/** A number that a fault word holds, as text. */
function numberOf(word: number, element: ManifestElement): string {
  if (element === 'bool') return String(word !== 0);
  const bits = Uint32Array.of(word).buffer;
  return String(element === 'i32' ? new Int32Array(bits)[0] : new Float32Array(bits)[0]);
}

function pointAt(axes: readonly AxisSpec[], sizes: Sizes, linear: number): ReadonlyMap<string, number> {
  const shape = evaluateShape(axes, sizes);
  let rest = linear;
  const indices = shape
    .map((_, i) => shape.length - 1 - i)
    .map((i) => {
      const size = Math.max(1, shape[i] ?? missing('extent'));
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .reverse();
  return new Map(axes.map(({ name }, i) => [name, indices[i] ?? missing('index')]));
}
