/**
 * The names of what a run gives: results and outputs by their own, `loss.PATH`, `state.PATH`, and beside a route its
 * `.indices` and `.weights`. They share one map, so a name that stands twice is a mistake of the program.
 */
import { diagnostic, type Diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import type { Operand } from '../types/call.ts';
import type { Variable } from './backend.ts';

/** Something a run gives, with the place that says so. */
export interface RunValue {
  readonly kind: 'result' | 'output' | 'loss' | 'state';
  readonly name: string;
  readonly isRoute: boolean;
  readonly span: Span;
}

interface Given<T, R> {
  readonly value: Operand<T, R>;
}

/** What an instantiation of an entry gathered, as a run gives it. `items`: what the signature says of each result. */
export function runValues<T, R>(
  entry: Span,
  items: readonly { readonly span?: Span }[],
  results: readonly (Given<T, R> & { readonly name: string })[],
  gathered: {
    readonly outputs: readonly (Given<T, R> & { readonly path: string; readonly span: Span })[];
    readonly losses: readonly { readonly path: string; readonly span: Span }[];
    readonly updates: readonly { readonly variable: Pick<Variable, 'path'>; readonly span: Span }[];
  },
): readonly RunValue[] {
  const isRoute = ({ value }: Given<T, R>): boolean => value.kind === 'route';
  return [
    ...results.map((result, i): RunValue => {
      return { kind: 'result', name: result.name, isRoute: isRoute(result), span: items[i]?.span ?? entry };
    }),
    ...gathered.outputs.map((output): RunValue => {
      return { kind: 'output', name: output.path, isRoute: isRoute(output), span: output.span };
    }),
    ...gathered.losses.map(({ path, span }): RunValue => ({ kind: 'loss', name: path, isRoute: false, span })),
    ...gathered.updates.map(({ variable, span }): RunValue => {
      return { kind: 'state', name: variable.path, isRoute: false, span };
    }),
  ];
}

/** All names under which a value is found. The first is its own. */
export function namesOf({ kind, name, isRoute }: RunValue): readonly [string, ...string[]] {
  const own = kind === 'loss' || kind === 'state' ? `${kind}.${name}` : name;
  return isRoute ? [own, `${own}.indices`, `${own}.weights`] : [own];
}

/** Names that two values have, each told once. */
export function clashes(values: readonly RunValue[]): readonly Diagnostic[] {
  const taken = new Map<string, RunValue>();
  const found: Diagnostic[] = [];
  for (const value of values) {
    const names = namesOf(value);
    const twice = names.find((name) => taken.has(name));
    const other = twice === undefined ? undefined : taken.get(twice);
    for (const name of names) if (!taken.has(name)) taken.set(name, value);
    if (twice === undefined || other === undefined) continue;
    found.push(
      diagnostic('MOE0202', {
        message: `a run would give two values called ${twice}: ${described(other, twice)}, and ${described(value, twice)}`,
        span: value.span,
        labels: [{ span: other.span, text: 'the other one' }],
        help: `give the ${value.kind === 'state' ? 'other' : value.kind} another name`,
      }),
    );
  }
  return found;
}

function described(value: RunValue, name: string): string {
  const [own] = namesOf(value);
  return own === name ? `the ${value.kind} ${value.name}` : `what comes with the route ${own}`;
}
