/**
 * Declarations in the body of a chain: each is one instance, shared by all steps. So what makes the instance (its name in a
 * checkpoint, its shape, its first value, the arguments of a template) cannot mention the index of the step; what differs from
 * step to step is declared over the chain's axis, outside of the chain, and taken at the index.
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import { mentionsOfAxes, mentionsOfExpr, mentionsOfPattern, mentionsOfStatic } from './mentions.ts';
import type { IndexId } from '../types/ids.ts';
import {
  type AxisVar,
  type InstanceDeclaration,
  type InstanceSource,
  type VariableDeclaration,
  type VariableSource,
  keywordOf,
} from '../types/program.ts';
import { formatType } from './types.ts';

/** Whether a param, state or input is free of chains' indices; if not, that is reported. */
export function variableIsOne(cx: Context, variable: VariableDeclaration): boolean {
  const found =
    first(cx, 'the size', mentionsOfAxes(cx, variable.type.axes), variable.span) ??
    first(cx, 'the name', namesOf(cx, variable.source), variable.source?.span ?? variable.span) ??
    (variable.initial === null
      ? null
      : first(cx, 'the first value', mentionsOfExpr(cx, variable.initial).indices, variable.initial.span));
  if (found === null) return true;
  const axis = cx.nameOf(found.axis);
  const type = formatType({ ...variable.type, axes: [found.axis, ...variable.type.axes] }, cx.nameOf);
  const taken = `${variable.name}[${found.step}]`;
  report(cx, variable, found, {
    what: `one ${keywordOf(variable)}`,
    help:
      found.part === 'the size'
        ? `a ${keywordOf(variable)} has one shape: leave ${found.step} out of its sizes`
        : `declare it over ${axis} outside of the chain, ${keywordOf(variable)} ${variable.name}: ${type}${found.part === 'the name' ? ` from "…{${axis}}…"` : ' = …'}, and take ${taken}`,
  });
  return false;
}

/** Whether an instance of a template that stores something is free of chains' indices; if not, that is reported. */
export function instanceIsOne(cx: Context, instance: InstanceDeclaration, hasVariables: boolean): boolean {
  const numbers = [...instance.numbers.values()];
  const sizes = [...instance.axes.values()].flatMap((a) => (a.kind === 'size' ? [a.size] : []));
  const axes = [...instance.axes.values()].flatMap((a) => (a.kind === 'axis' ? [a.axis] : []));
  const made = [
    mentionsOfAxes(cx, [...axes, ...instance.family.map((f) => f.axis)]),
    ...[...numbers, ...sizes].map((value) => mentionsOfStatic(cx, value)),
  ];
  cx.bodyIndices.set(instance.id, union(made));
  // What stores nothing may be another function at each step: it has no name and no weights.
  if (!hasVariables) return true;
  const found =
    first(cx, 'an argument', union(made), instance.span) ??
    first(cx, 'the name', namesOf(cx, instance.source), instance.source?.span ?? instance.span);
  if (found === null) return true;
  const axis = cx.nameOf(found.axis);
  const keyword = instance.role === 'expert' ? 'experts' : instance.role;
  report(cx, instance, found, {
    what: 'one instance',
    help:
      found.part === 'the name'
        ? `declare the family over ${axis} outside of the chain, ${keyword} ${instance.name}[${axis}] = … from "…{${axis}}…", and call ${instance.name}[${found.step}]`
        : `all its params have one shape and one name: leave ${found.step} out of its arguments`,
  });
  return false;
}

interface Mention {
  readonly part: string;
  readonly step: string;
  readonly stepSpan: Span;
  readonly axis: AxisVar;
  readonly span: Span;
}

function first(cx: Context, part: string, indices: Iterable<IndexId>, span: Span): Mention | null {
  for (const index of indices) {
    const step = cx.steps.get(index);
    const axis = cx.indices.get(index);
    if (step !== undefined && axis !== undefined) return { part, step: step.name, stepSpan: step.span, axis, span };
  }
  return null;
}

function report(
  cx: Context,
  { name }: { readonly name: string },
  found: Mention,
  told: { readonly what: string; readonly help: string },
): void {
  cx.report('MOE0362', found.span, {
    message: `${name} is ${told.what}, shared by all steps of the chain: ${found.part} of it cannot mention ${found.step}`,
    labels: [{ span: found.stepSpan, text: `${found.step} is the index of this chain` }],
    help: told.help,
  });
}

function namesOf(cx: Context, source: VariableSource | InstanceSource | null): ReadonlySet<IndexId> {
  if (source === null) return new Set();
  if ('patterns' in source) return union(source.patterns.map((pattern) => mentionsOfPattern(cx, pattern)));
  const record = [...(source.record?.values() ?? [])].map((own) => namesOf(cx, own));
  return union([mentionsOfPattern(cx, source.prefix), ...record]);
}

function union(sets: readonly ReadonlySet<IndexId>[]): ReadonlySet<IndexId> {
  return new Set(sets.flatMap((set) => [...set]));
}
