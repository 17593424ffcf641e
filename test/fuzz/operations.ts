/** What one line of a body can be: each makes a text and its type from what the scope has, or nothing. */
import type { Scope } from './scope.ts';
import type { Type } from './types.ts';

export interface Made {
  readonly text: string;
  readonly type: Type;
}

export interface Operation {
  /** The construct, as the coverage table names it. */
  readonly name: string;
  /** Programs leave out whole features. */
  readonly feature: string;
  readonly weight: number;
  readonly make: (s: Scope) => Made | null;
}
