/** Types of what TypeScript takes from setup-gpu.mjs. */
import type { AdapterEnvironment } from './adapters.mjs';

export function findAdapters(options?: {
  readonly install?: boolean;
  readonly fresh?: boolean;
  readonly log?: (text: string) => void;
}): Promise<readonly AdapterEnvironment[]>;
