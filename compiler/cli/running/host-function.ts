/** The functions of the host that a request brings (`--extern FILE.js`). */
import type { ExternFunction } from '../../../runtime/contract/ask-host.ts';
import { CliError } from '../terminal/cli-error.ts';

/** The function of the host that the model calls so. Throws CliError 1 where none was given. */
export function functionOf(externs: ReadonlyMap<string, ExternFunction>, name: string): ExternFunction {
  const found = externs.get(name);
  if (found === undefined)
    throw new CliError(1, `the model calls ${name} on the host: give --extern FILE.js that exports it`);
  return found;
}
