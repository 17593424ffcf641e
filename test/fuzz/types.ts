/** What the generator knows of a value: enough to write only programs that the checker accepts. */

/** An axis, with the size it has in the run the program is made for. Axes are the same if their names are. */
export interface Ax {
  readonly name: string;
  readonly size: number;
  readonly dynamic: boolean;
}

export type Element = 'f32' | 'f16' | 'i32' | 'bool';

export interface TensorType {
  readonly kind: 'tensor';
  readonly element: Element;
  readonly axes: readonly Ax[];
  /** Of i32: all values are -1 or points of this axis, so that looking up with them is legal. */
  readonly points?: Ax;
}

export interface RouteType {
  readonly kind: 'route';
  readonly element: 'f32' | 'i32';
  readonly sources: readonly Ax[];
  readonly targets: readonly Ax[];
  readonly payload: readonly Ax[];
  /** Of a pick: the axes along which its entries stood. What has them cannot be its payload. */
  readonly consumed?: readonly Ax[];
}

export type Type = TensorType | RouteType;

/** A value that expressions may use: an operand's text never needs parentheses around it. */
export interface Value<T extends Type = Type> {
  readonly text: string;
  readonly type: T;
}

export const has = (axes: readonly Ax[], axis: Ax): boolean => axes.some((a) => a.name === axis.name);
export const without = (axes: readonly Ax[], less: readonly Ax[]): Ax[] => axes.filter((a) => !has(less, a));
export const common = (a: readonly Ax[], b: readonly Ax[]): Ax[] => a.filter((x) => has(b, x));
export const volume = (axes: readonly Ax[]): number => axes.reduce((n, a) => n * a.size, 1);
export const same = (a: readonly Ax[], b: readonly Ax[]): boolean => a.length === b.length && a.every((x) => has(b, x));

export function unite(...lists: readonly (readonly Ax[])[]): Ax[] {
  const all: Ax[] = [];
  for (const list of lists) for (const a of list) if (!has(all, a)) all.push(a);
  return all;
}

export const tensor = (element: Element, axes: readonly Ax[], points?: Ax): TensorType => ({
  kind: 'tensor',
  element,
  axes,
  ...(points === undefined ? {} : { points }),
});

export const support = (type: RouteType): Ax[] => [...type.sources, ...type.targets];
/** Whether a value over these axes would bring back what a pick consumed. */
export const bringsBack = (route: RouteType, axes: readonly Ax[]): boolean =>
  common(route.consumed ?? [], axes).length > 0;

export const axesOf = (type: Type): readonly Ax[] =>
  type.kind === 'tensor' ? type.axes : [...support(type), ...type.payload];

const names = (axes: readonly Ax[]): string => axes.map((a) => a.name).join(', ');

/** `(T, E)`, or `T`. */
export const over = (axes: readonly Ax[]): string => (axes.length === 1 ? names(axes) : `(${names(axes)})`);

/** A type as it is written. */
export function typeText(type: Type): string {
  if (type.kind === 'tensor') {
    const { element, axes } = type;
    if (axes.length === 0) return element;
    return `${element === 'f32' ? '' : element}[${names(axes)}]`;
  }
  const { sources, targets, payload } = type;
  const arrow = sources.length === 0 ? names(targets) : `${names(sources)} -> ${names(targets)}`;
  return `route[${arrow}]${payload.length === 0 ? '' : ` of [${names(payload)}]`}`;
}
