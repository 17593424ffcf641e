/** Things by name, as callers like to write them; inside they are `Map`s, whose names can be anything. */
export type Named<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

export function toMap<T>(named: Named<T>): ReadonlyMap<string, T> {
  return isMap(named) ? named : new Map(Object.entries(named));
}

function isMap<T>(named: Named<T>): named is ReadonlyMap<string, T> {
  return named instanceof Map;
}
