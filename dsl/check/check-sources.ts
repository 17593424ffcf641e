/**
 * `from "…"`: which tensors of a checkpoint a variable is, and in which order they are stored (SEMANTICS 5.9).
 *
 * Names are read among the axes of the tensor at hand. For an instance these are the axes around it; an axis that only its
 * template has, such as one declared in its body, is named as the template names it.
 */
import type * as ast from '../syntax/ast.ts';
import { hasAxis, uniteAxes, withoutAxes } from '../types/axes.ts';
import { nameHelp, type Context } from './context.ts';
import { axesInBraces } from '../types/axes.ts';
import { checkPattern, type PatternNames } from './name-patterns.ts';
import type {
  AxisVar,
  Decoder,
  InstanceSource,
  NamePattern,
  StoredDim,
  StoredPart,
  VariableSource,
} from '../types/program.ts';
import type { Family, Inner, NameScope, Template } from './name-scope.ts';
import { formatAxes, listAxes, listWords, substituteAxis } from './types.ts';

/** The number of tensors that each encoding is made of. */
const tensorsOfDecoder: Readonly<Record<Decoder, number>> = { mxfp4: 2 };

/** Encodings by the names that programs have for them. */
const decoders: ReadonlyMap<string, Decoder> = new Map([['mxfp4', 'mxfp4']]);

/** A source on a param or state: `declared` are its own axes. */
export function checkVariableSource(
  cx: Context,
  scope: NameScope,
  source: ast.Source,
  declared: readonly AxisVar[],
): VariableSource | null {
  const axes = uniteAxes(scope.owner.family, declared);
  return checkSource(cx, source, { scope, axes, what: 'the tensor', param: false }, []);
}

/** A source on an instance: a prefix and a record, or one pattern. */
export function checkInstanceSource(
  cx: Context,
  scope: NameScope,
  from: ast.AstInstanceSource,
  template: Template,
  family: Family,
): InstanceSource | null {
  const around = uniteAxes(scope.owner.family, family.axes);
  const variables = variablesOf(template.inner, '');
  const outside = (axis: AxisVar): AxisVar => substituteAxis(axis, family.bound);
  const all = [...variables.values()].reduce<readonly AxisVar[]>(
    (axes, variable) => uniteAxes(axes, variable.axes.map(outside)),
    around,
  );
  const prefix = checkPattern(cx, from.prefix, {
    scope,
    axes: all,
    what: family.name,
    param: from.bindings === undefined,
  });
  if (prefix === null) return null;
  if (from.bindings === undefined) {
    const relative = [...variables].filter(([, variable]) => !variable.bound).map(([key]) => key);
    const hole = prefix.holes.findIndex(({ kind }) => kind === 'param');
    if (hole < 0 && relative.length > 0 && variables.size > 1) {
      cx.report('MOE0685', from.prefix.span, {
        message:
          relative.length > 1
            ? `all params of ${family.name} would have this name: ${relative.join(', ')}`
            : `this would be the name of ${relative.join(', ')}, and what stands in front of the others' names`,
        help: 'put {param} where their names differ, or name them: from "…" { w: "…" }',
      });
      return null;
    }
    const isLast = hole === prefix.holes.length - 1 && prefix.texts.at(-1) === '';
    if (hole >= 0 && !isLast && relative.length < variables.size) {
      const named = [...variables.keys()].filter((key) => !relative.includes(key));
      cx.report('MOE0685', from.prefix.span, {
        message: `${listWords(named)} of ${template.name} ${named.length === 1 ? 'says its' : 'say their'} own name, for which only {param} at the end can stand`,
        help: 'let the pattern end in {param}, or name the params: from "…" { w: "…" }',
      });
      return null;
    }
    return { span: from.prefix.span, prefix, record: null, ...(from.frozen ? { frozen: 'all' as const } : {}) };
  }

  const record = new Map<string, VariableSource>();
  const frozen = new Set<string>();
  for (const binding of from.bindings) {
    const key = binding.path.map((p) => p.text).join('.');
    const span = binding.path[0]?.span ?? binding.span;
    const variable = variables.get(key);
    if (binding.path.some((part) => template.inner.get(part.text)?.kind === 'error')) continue;
    if (variable === undefined || record.has(key)) {
      cx.report('MOE0683', span, {
        message: variable === undefined ? `${template.name} has no param called ${key}` : `${key} is named twice`,
        labels: [{ span: template.span, text: `${template.name} is declared here` }],
        ...(variable === undefined ? nameHelp(key, span, variables.keys()) : {}),
      });
      continue;
    }
    const axes = uniteAxes(around, variable.axes.map(outside));
    const source = checkSource(
      cx,
      binding.source,
      { scope, axes, what: `${family.name}.${key}`, param: false },
      axesInBraces(prefix),
    );
    if (source !== null) record.set(key, source);
    if (binding.frozen) frozen.add(key);
  }
  const freeze = from.frozen ? ('all' as const) : frozen.size > 0 ? frozen : null;
  return { span: from.prefix.span, prefix, record, ...(freeze === null ? {} : { frozen: freeze }) };
}

interface InnerVariable {
  readonly axes: readonly AxisVar[];
  /** Has a source of its own, relative to the instance's. */
  readonly bound: boolean;
}

/** Params and states of a template by path. */
function variablesOf(inner: Inner, path: string): ReadonlyMap<string, InnerVariable> {
  const found = new Map<string, InnerVariable>();
  for (const [name, member] of inner) {
    if (member.kind === 'variable') {
      const { declaration } = member;
      if (declaration.role !== 'control')
        found.set(`${path}${name}`, { axes: declaration.type.axes, bound: declaration.source !== null });
      continue;
    }
    if (member.kind === 'error') continue;
    for (const [key, variable] of variablesOf(member.family.inner, `${path}${name}.`)) {
      const axes = variable.axes.map((a) => substituteAxis(a, member.family.bound));
      const { from } = member.family;
      const named =
        from !== undefined &&
        from !== null &&
        (from.record === null || from.record.has(key.slice(`${path}${name}.`.length)));
      found.set(key, { bound: variable.bound || named, axes: uniteAxes(member.family.rootAxes, axes) });
    }
  }
  return found;
}

function checkSource(
  cx: Context,
  source: ast.Source,
  names: PatternNames,
  outer: readonly AxisVar[],
): VariableSource | null {
  const patterns = source.names.map((name) => checkPattern(cx, name, names));
  const whole = patterns.filter((p) => p !== null);
  if (whole.length < patterns.length) return null;
  const decoder = source.decoder === undefined ? null : decoderOf(cx, source.decoder, source);
  if (source.decoder !== undefined && decoder === null) return null;
  const braces = whole.reduce<readonly AxisVar[]>(
    (axes, pattern: NamePattern) => uniteAxes(axes, axesInBraces(pattern)),
    outer,
  );
  const stored =
    source.order === undefined
      ? null
      : storedOrder(cx, source, source.order, names, withoutAxes(names.axes, braces), braces);
  if (source.order !== undefined && stored === null) return null;
  return { span: source.span, decoder, patterns: whole, stored };
}

/** The encoding of this name, if the source names as many tensors as it is made of. */
function decoderOf(cx: Context, name: ast.Ident, source: ast.Source): Decoder | null {
  const decoder = decoders.get(name.text);
  if (decoder === undefined) {
    cx.report('MOE0684', name.span, {
      message: `no encoding is called ${name.text}`,
      ...nameHelp(name.text, name.span, decoders.keys()),
    });
    return null;
  }
  const takes = tensorsOfDecoder[decoder];
  if (takes === source.names.length) return decoder;
  cx.report('MOE0684', source.span, {
    message: `${name.text} is made of ${takes} tensors, this names ${source.names.length}`,
  });
  return null;
}

/** Every axis of the tensor that is not in braces stands exactly once. */
function storedOrder(
  cx: Context,
  source: ast.Source,
  order: readonly ast.Dim[],
  names: PatternNames,
  wanted: readonly AxisVar[],
  braces: readonly AxisVar[],
): readonly StoredDim[] | null {
  const seen: AxisVar[] = [];
  let whole = true;
  const fail = (span: ast.Span, message: string, help: object = {}) => {
    if (whole) cx.report('MOE0682', span, { message, ...help });
    whole = false;
  };
  for (const dim of order) {
    const range = dim.parts.find((part) => part.kind === 'RangePart' && part.to - part.from > 1);
    if (range?.kind !== 'RangePart' || dim.parts.some((part) => part.kind === 'AxisPart')) continue;
    const { from, to, of } = range;
    fail(dim.span, `${from} .. ${to} of ${of} says which blocks are read, and not along which axis`, {
      help: `name the axis beside it: (${from} .. ${to} of ${of}, A), where A has ${to - from} points or a multiple`,
    });
  }
  const dims = order.map((dim): StoredDim =>
    dim.parts.flatMap((part): readonly StoredPart[] => {
      if (part.kind === 'UnitPart') return [{ kind: 'range', from: 0, to: 1, of: 1 }];
      if (part.kind === 'RangePart') {
        const { from, to, of } = part;
        if (!(from >= 0 && from < to && to <= of)) fail(part.span, `${from} .. ${to} of ${of} is no part of ${of}`);
        return [{ kind: 'range', from, to, of }];
      }
      const text = part.axis.name + "'".repeat(part.axis.primes);
      const axis = names.axes.find((a) => cx.nameOf(a) === text);
      if (axis === undefined) {
        fail(
          part.span,
          `${text} is no axis of ${names.what}, which has ${formatAxes(names.axes, cx.nameOf)}`,
          nameHelp(text, part.span, names.axes.map(cx.nameOf)),
        );
        return [];
      }
      if (hasAxis(braces, axis))
        fail(part.span, `${text} stands in braces: it runs over the names, not over the stored tensor`);
      else if (hasAxis(seen, axis)) fail(part.span, `${text} stands twice in the stored order`);
      seen.push(axis);
      return [{ kind: 'axis', axis }];
    }),
  );
  const missing = withoutAxes(wanted, seen);
  if (missing.length > 0) {
    const spans = order.map((dim) => dim.span);
    const span = {
      ...source.span,
      start: spans[0]?.start ?? source.span.start,
      end: spans.at(-1)?.end ?? source.span.end,
    };
    fail(span, `the stored order lacks ${listAxes(missing, cx.nameOf)}`, {
      help: 'every axis that is not in braces stands once',
    });
  }
  return whole ? dims : null;
}
