/**
 * What only a mistake of ours can reach, in the runtime. It imports nothing of the compiler, so it has its own words for this
 * (`dsl/diagnostics/bug.ts` and `dsl/diagnostics/invariants.ts` have the compiler's).
 */

/** For the `default` of an exhaustive `switch`: does not compile if an alternative is forgotten. */
export function unreachable(value: never): never {
  throw new Error(`bug in moec, runtime: unhandled alternative ${JSON.stringify(value)?.slice(0, 200)}`);
}

/** For an index that is valid: `shape[i] ?? missing('extent')`. A default would make a wrong number of our mistake. */
export function missing(what: string): never {
  throw new Error(`bug in moec, runtime: there is no ${what} at this index`);
}
