/** A line of a graph's text that is a call of the host. */
import type { AxisId, ExternCall, Span } from './graph-ir.ts';
import { isElement, textError, type GraphText } from './graph-text.ts';

const nowhere: Span = { source: '', start: 0, end: 0 };

/** `0 = expert answer family (E) carried (T) mentions (D, A, E) takes request %3 (T, D) gives i32 (E, T, A) in A` */
export function parseCall(
  t: GraphText,
  axis: (name: string) => AxisId,
): { readonly index: number; readonly call: ExternCall } {
  const list = (): readonly AxisId[] => t.axisList().map(axis);
  const index = t.integer();
  t.take('=');
  const role = t.word();
  if (role !== 'expert' && role !== 'fn') throw textError(t.number, `a call of an ${role}`);
  const name = t.path();
  t.take('family');
  const family = list();
  t.take('carried');
  const carried = list();
  t.take('mentions');
  const mentions = list();
  const within = (): AxisId | null => (t.skip('in') ? axis(t.word()) : null);
  const operands: ExternCall['operands'][number][] = [];
  const results: ExternCall['results'][number][] = [];
  while (t.skip('takes')) operands.push({ name: t.word(), node: t.node(), axes: list(), within: within() });
  while (t.skip('gives')) {
    const element = t.word();
    if (!isElement(element)) throw textError(t.number, `no element type ${element}`);
    results.push({ element, axes: list(), within: within() });
  }
  t.end();
  return { index, call: { name, role, operands, results, family, carried, mentions, span: nowhere } };
}
