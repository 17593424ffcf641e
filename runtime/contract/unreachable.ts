/** The runtime's own `unreachable`: it imports nothing of the compiler (dsl/diagnostics/bug.ts has the compiler's). */

/** For the `default` of an exhaustive `switch`: does not compile if an alternative is forgotten. */
export function unreachable(value: never): never {
  throw new Error(`bug in moec, runtime: unhandled alternative ${JSON.stringify(value)?.slice(0, 200)}`);
}
