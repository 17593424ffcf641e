/**
 * A run that leaves a state behind: the entry updates a state that it reads, and nobody said whether this run does. The next run
 * would read the old state without a word, so it is said once for each entry of a model. `update: true` or `update: false` is an answer.
 */
import type { EntrySpec, Manifest } from '../contract/manifest.ts';

/** What is said of an entry, or null if no state that it reads is updated by it. */
export function forgottenUpdate(manifest: Manifest, entry: EntrySpec): string | null {
  const read = new Set(
    entry.plan.buffers.flatMap((buffer) => (buffer.kind === 'store' ? [manifest.stores[buffer.store]?.path] : [])),
  );
  const states = entry.full.results.flatMap(({ group, name }) => (group === 'update' && read.has(name) ? [name] : []));
  if (states.length === 0) return null;
  const which = states.length === 1 ? `the state ${states.join('')}` : `the states ${states.join(', ')}`;
  return `moec: ${entry.name} reads and updates ${which}, and this run leaves it as it was: say update: true to store what is new, update: false to be silent`;
}
