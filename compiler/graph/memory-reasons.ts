/**
 * Why something is in memory between launches, from a closed list, with a sentence about the case. Said by the code that decided, where
 * it decides: fuse-elementwise, and the schedule's choosers.
 */

export const memoryReasons = {
  kernel: 'a kernel of its own computes it: what reads it is another family, or has another loop',
  grid: 'other workgroups need it, and they meet only between launches',
  cost: 'it would be computed again and again where it is read',
  bindings: 'the launch that reads it would bind more buffers than the target has',
  registers: 'a thread keeps only so many sums at once',
  text: 'the kernel that reads it would be too long for a driver, or its compiler',
  host: 'it comes from the host, or goes there',
  result: 'a run returns it, or keeps it as a state',
  given: 'whoever wrote the graph or the schedule says so',
} as const;

export type MemoryReasonKind = keyof typeof memoryReasons;

export interface MemoryReason {
  readonly reason: MemoryReasonKind;
  /** A sentence without its end, about this value: numbers and nodes by name. */
  readonly text: string;
}

/** What a graph or schedule that somebody wrote does not say. */
export const givenMemory: MemoryReason = { reason: 'given', text: 'the text says so' };
