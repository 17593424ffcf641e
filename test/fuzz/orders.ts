/** What the fuzzer and its workers tell each other: orders as an argument, lines of JSON back. */
import type { On } from './examine.ts';
import type { Found } from './repro.ts';

export interface Orders {
  /** How the executor is called in messages: kernels, lavapipe, … */
  readonly executor: string;
  readonly on: On;
  readonly seed: number;
  /** The first program, counted from 0. */
  readonly first: number;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** The most programs, if there is a limit. */
  readonly programs: number | null;
  readonly out: string;
  /** Milliseconds that making a finding small may take. */
  readonly shrinkTime: number;
}

export type Line =
  | { readonly kind: 'begin'; readonly index: number; readonly seed: number }
  /** A finding as it is, before it is made small: what stays if that does not end. */
  | { readonly kind: 'shrinking'; readonly found: Found }
  | { readonly kind: 'hang'; readonly message: string }
  | {
      readonly kind: 'done';
      readonly index: number;
      readonly outcome: 'agreed' | 'stopped' | 'refused' | 'finding';
      readonly code: string;
      readonly compared: number;
      readonly undecided: number;
    }
  | { readonly kind: 'finding'; readonly found: Found }
  | { readonly kind: 'end' };

/** The seed of one program of a run: a whole number that a run takes. */
export const seedOf = (seed: number, index: number): number => (Math.imul(seed, 1_000_003) + index) >>> 0;
