/**
 * Concrete tree to abstract tree: files, models and declarations; build-bodies.ts, build-expressions.ts and
 * build-types.ts do the rest. Only these four see both trees.
 *
 * Total, also on a tree that the parser has recovered: what cannot be read is left out (a declaration without its
 * name) or becomes an `Error` expression. The checks here are those of form alone; nothing is looked up.
 */
import type { CstNode } from 'chevrotain';
import type * as ast from './ast.ts';
import type { BuildContext } from './build-context.ts';
import { buildBody } from './build-bodies.ts';
import { buildCondition, buildExpr, buildIndices, buildSum } from './build-expressions.ts';
import { buildSignature, buildType } from './build-types.ts';
import { elements, extent, nodeOf, nodes, present, tokenOf, tokens } from './cst.ts';
import type { FileParts, AstModelParts } from './recovery-units.ts';
import type { Span } from '../diagnostics/source-file.ts';

/** The tree of a file of `length` characters. */
export function buildFile(context: BuildContext, parts: FileParts, length: number): ast.File {
  const imports = present(parts.imports.map((child) => buildImport(context, child)));
  const models = present(parts.models.map((child) => buildModel(context, child)));
  const decls = present(parts.decls.map((child) => buildDecl(context, child)));
  const span: Span = { source: context.sourceName, start: 0, end: length };
  return headDocs(context, parts.imports[0], { kind: 'File', imports, models, decls, span });
}

/** A `///` block at the head of a file, before its imports, documents the first thing after them. */
function headDocs(context: BuildContext, firstImport: CstNode | undefined, file: ast.File): ast.File {
  const docs = firstImport && context.docsOf(firstImport);
  if (docs === undefined) return file;
  const [model] = file.models;
  const [decl] = file.decls;
  if (model && (!decl || model.span.start < decl.span.start))
    return { ...file, models: [{ ...model, docs: model.docs ?? docs }, ...file.models.slice(1)] };
  if (decl) return { ...file, decls: [{ ...decl, docs: decl.docs ?? docs }, ...file.decls.slice(1)] };
  return file;
}

function buildImport(context: BuildContext, node: CstNode): ast.Import | undefined {
  const from = context.string(tokenOf(node, 'String'));
  if (from === undefined) return undefined;
  return { kind: 'Import', names: context.idents(tokens(node, 'Name')), from, span: context.spanOf(node) };
}

function buildModel(context: BuildContext, parts: AstModelParts): ast.AstModel | undefined {
  const name = context.ident(parts.name);
  if (name === undefined) return undefined;
  const items = parts.items.map((item) =>
    item.name === 'entry' ? buildEntry(context, item) : buildDecl(context, item),
  );
  const span: Span = { source: context.sourceName, start: parts.start, end: parts.end };
  return { kind: 'Model', name, items: present(items), docs: context.docs.get(parts.start), span };
}

function buildEntry(context: BuildContext, node: CstNode): ast.Entry | undefined {
  const name = context.ident(tokenOf(node, 'Name'));
  const signature = buildSignature(context, nodeOf(node, 'signature'));
  if (name === undefined || signature === undefined) return undefined;
  const body = buildBody(context, nodeOf(node, 'body'), signature.span.end);
  return { kind: 'Entry', name, signature, body, docs: context.docsOf(node), span: context.spanOf(node) };
}

export function buildDecl(context: BuildContext, node: CstNode): ast.Decl | undefined {
  const docs = context.docsOf(node);
  const bindings = nodeOf(node, 'bindings');
  if (bindings)
    return tokenOf(bindings, 'Axis') ? buildAxesDecl(context, bindings, docs) : buildConsts(context, bindings, docs);
  const variable = nodeOf(node, 'variable');
  if (variable) return buildVariable(context, variable, docs);
  const callable = nodeOf(node, 'callable');
  if (callable) return buildCallable(context, callable, docs);
  const extern = nodeOf(node, 'extern');
  return extern && buildExtern(context, extern, docs);
}

function buildAxesDecl(context: BuildContext, node: CstNode, docs: string | undefined): ast.AxesDecl | undefined {
  const bindings = present(
    nodes(node, 'binding').map((binding): ast.AxisBinding | undefined => {
      const name = context.ident(tokenOf(binding, 'Name'));
      if (name === undefined) return undefined;
      const span = context.spanOf(binding);
      if (tokenOf(binding, 'Equal') === undefined) return { name, span };
      const value = nodeOf(binding, 'condition');
      const group = value && pointsGroup(value);
      if (group) return { name, points: buildPoints(context, group), span };
      return { name, size: buildCondition(context, value, 'value', span.end), span };
    }),
  );
  return bindings.length === 0 ? undefined : { kind: 'Axes', bindings, docs, span: context.spanOf(node) };
}

/** The parentheses of `(shared, watch)` or `(only,)`, if that is all there is. */
function pointsGroup(condition: CstNode): CstNode | undefined {
  let node: CstNode | undefined = condition;
  for (const label of ['row', 'row', 'primary', 'group']) {
    const children: CstNode[] = node ? [...nodes(node, label)] : [];
    if (node && (elements(node, label).length !== 1 || nodes(node, 'suffix').length > 0)) return undefined;
    node = children[0];
  }
  return node && tokenOf(node, 'Comma') ? node : undefined;
}

function buildPoints(context: BuildContext, group: CstNode): readonly ast.Ident[] {
  return present(
    nodes(group, 'arg').map((arg) => {
      const value = buildExpr(context, nodeOf(arg, 'expr'));
      if (value.kind === 'Name' && value.primes === 0 && !tokenOf(arg, 'Colon'))
        return { text: value.name, span: value.span };
      if (value.kind !== 'Error')
        context.report('MOE0120', context.spanOf(arg), { help: 'such as `axis Set = (shared, watch)`' });
      return undefined;
    }),
  );
}

function buildConsts(context: BuildContext, node: CstNode, docs: string | undefined): ast.ConstsDecl | undefined {
  const bindings = present(
    nodes(node, 'binding').map((binding): ast.ConstBinding | undefined => {
      const name = context.ident(tokenOf(binding, 'Name'));
      const span = context.spanOf(binding);
      const value =
        tokenOf(binding, 'Equal') && buildCondition(context, nodeOf(binding, 'condition'), 'value', span.end);
      return name && { name, value, span };
    }),
  );
  return bindings.length === 0 ? undefined : { kind: 'Consts', bindings, docs, span: context.spanOf(node) };
}

function buildVariable(context: BuildContext, node: CstNode, docs: string | undefined): ast.VariableDecl | undefined {
  const keyword = tokenOf(node, 'Param') ? 'param' : tokenOf(node, 'State') ? 'state' : 'input';
  const slots = present(nodes(node, 'slot').map((slot) => buildSlot(context, slot)));
  return slots.length === 0 ? undefined : { kind: 'Variable', keyword, slots, docs, span: context.spanOf(node) };
}

function buildSlot(context: BuildContext, node: CstNode): ast.Slot | undefined {
  const name = context.ident(tokenOf(node, 'Name'));
  const type = buildType(context, nodeOf(node, 'type'));
  if (name === undefined || type === undefined) return undefined;
  const span = context.spanOf(node);
  const initial = tokenOf(node, 'Equal') && buildExpr(context, nodeOf(node, 'expr'), 'value', span.end);
  const sources = nodes(node, 'source');
  for (const [first, second] of [tokens(node, 'Frozen'), tokens(node, 'From')]) {
    if (first === undefined || second === undefined) continue;
    const labels = [{ span: context.tokenSpan(first), text: 'for the first time here' }];
    context.report('MOE0119', context.tokenSpan(second), {
      message: `\`${second.image}\` is said twice`,
      labels,
      help: 'remove one',
    });
  }
  const source = sources[0] && buildSource(context, sources[0]);
  return { name, type, initial, frozen: tokenOf(node, 'Frozen') !== undefined, source, span };
}

export function buildSource(context: BuildContext, node: CstNode): ast.Source | undefined {
  const names = present(tokens(node, 'String').map((token) => context.string(token)));
  if (names.length === 0) return undefined;
  const order = tokenOf(node, 'As') && present(nodes(node, 'dim').map((dim) => buildDim(context, dim)));
  return { kind: 'Source', decoder: context.ident(tokenOf(node, 'Name')), names, order, span: context.spanOf(node) };
}

function buildDim(context: BuildContext, node: CstNode): ast.Dim | undefined {
  const parts = present(nodes(node, 'part').map((part) => buildPart(context, part)));
  return parts.length === 0 ? undefined : { parts, span: context.spanOf(node) };
}

function buildPart(context: BuildContext, node: CstNode): ast.AstStoredPart | undefined {
  const span = context.spanOf(node);
  const axis = context.axis(tokenOf(node, 'Name'));
  if (axis) return { kind: 'AxisPart', axis, span };
  const from = tokenOf(node, 'from');
  if (from === undefined) return undefined;
  const to = tokenOf(node, 'to');
  const of = tokenOf(node, 'of');
  const values = present([from, to, of]).map((token) => (/^\d+$/.test(token.image) ? Number(token.image) : NaN));
  if (!values.every(Number.isSafeInteger)) {
    context.report('MOE0117', span, { message: 'the numbers of a stored order are whole' });
    return undefined;
  }
  const start = Number(from.image);
  if (of !== undefined)
    return { kind: 'RangePart', from: start, to: to ? Number(to.image) : start + 1, of: Number(of.image), span };
  if (to === undefined && start === 1) return { kind: 'UnitPart', span };
  if (node.recoveredNode !== true) {
    const written = to ? `${from.image} .. ${to.image}` : from.image;
    context.report('MOE0117', span, { help: `say of how many: \`${written} of N\`` });
  }
  return undefined;
}

function buildCallable(context: BuildContext, node: CstNode, docs: string | undefined): ast.CallableDecl | undefined {
  const name = context.ident(tokenOf(node, 'Name'));
  if (name === undefined) return undefined;
  const role = tokenOf(node, 'Expert')
    ? 'expert'
    : tokenOf(node, 'Experts')
      ? 'experts'
      : tokenOf(node, 'Router')
        ? 'router'
        : 'fn';
  const genericsNode = nodeOf(node, 'generics');
  const familyNode = nodeOf(node, 'family');
  const definition = buildDefinition(context, node);
  if (definition === undefined) return undefined;
  const isFunction = definition.kind === 'Function';
  if (role === 'expert' && familyNode)
    context.report('MOE0106', context.spanOf(familyNode), {
      message: `the template \`${name.text}\` has no axes of its own`,
      help: `give the axes to its instances: \`experts f[E] = ${name.text}<…>\``,
    });
  else if (role === 'expert' && !isFunction)
    context.report('MOE0106', definition.span, {
      message: 'an `expert` is a template: it has a signature and a body',
      help: `instances are declared with \`experts ${name.text} = …\``,
    });
  else if (role === 'experts' && isFunction)
    context.report('MOE0107', definition.signature.span, {
      message: '`experts` are instances: they have no signature of their own',
      help: `declare a template with \`expert\`, then \`experts ${name.text}[…] = Template<…>\``,
    });
  else if (genericsNode && !isFunction)
    context.report('MOE0122', context.spanOf(genericsNode), {
      help: 'the arguments stand after the name of the template',
    });
  return {
    kind: 'Callable',
    role,
    name,
    generics: genericsNode && buildGenerics(context, genericsNode),
    family: familyNode && buildFamily(context, familyNode),
    definition,
    docs,
    span: context.spanOf(node),
  };
}

function buildDefinition(context: BuildContext, node: CstNode): ast.CallableDecl['definition'] | undefined {
  const signature = buildSignature(context, nodeOf(node, 'signature'));
  if (signature) {
    const bodyNode = nodeOf(node, 'body');
    const body = buildBody(context, bodyNode, signature.span.end);
    return { kind: 'Function', signature, body, span: { ...signature.span, end: body.span.end } };
  }
  const instance = nodeOf(node, 'instance');
  if (instance) return buildInstance(context, instance);
  const union = nodeOf(node, 'union');
  if (union === undefined) return undefined;
  const span = context.spanOf(union);
  const members = present(
    nodes(union, 'member').map((member): ast.Member | undefined => {
      const name = context.ident(tokenOf(member, 'Name'));
      const subscript = nodeOf(member, 'subscript');
      const indices = subscript && (buildIndices(context, subscript) ?? []);
      return name && { name, indices, span: context.spanOf(member) };
    }),
  );
  const [first] = members;
  if (first === undefined) return undefined;
  if (members.length === 1 && first.indices === undefined) return { kind: 'Instance', template: first.name, span };
  return { kind: 'Union', members, span };
}

function buildGenerics(context: BuildContext, node: CstNode): readonly ast.Generic[] {
  return present(
    nodes(node, 'generic').map((generic): ast.Generic | undefined => {
      const name = context.ident(tokenOf(generic, 'Name'));
      const initial =
        tokenOf(generic, 'Equal') && buildSum(context, nodeOf(generic, 'sum'), 'value', extent(generic).end);
      return name && { name, initial, span: context.spanOf(generic) };
    }),
  );
}

function buildFamily(context: BuildContext, node: CstNode): readonly ast.AstFamilyAxis[] {
  return present(
    nodes(node, 'point').map((point): ast.AstFamilyAxis | undefined => {
      const span = context.spanOf(point);
      const first = tokenOf(point, 'Name');
      if (tokenOf(point, 'In') === undefined) {
        const axis = context.axis(first);
        return axis && { axis, span };
      }
      const axis = context.axis(tokenOf(point, 'axis'));
      return axis && { axis, index: context.ident(first), span };
    }),
  );
}

function buildInstance(context: BuildContext, node: CstNode): ast.InstanceDefinition | undefined {
  const template = context.ident(tokenOf(node, 'Name'));
  if (template === undefined) return undefined;
  const args = nodes(node, 'garg').map((garg): ast.GenericArg => {
    const value = buildSum(context, nodeOf(garg, 'sum'), 'value', extent(garg).end);
    return { name: context.ident(tokenOf(garg, 'Name')), value, span: context.spanOf(garg) };
  });
  const origin = nodeOf(node, 'origin');
  return {
    kind: 'Instance',
    template,
    args: tokenOf(node, 'Less') ? args : undefined,
    from: origin && buildOrigin(context, origin),
    span: context.spanOf(node),
  };
}

function buildOrigin(context: BuildContext, node: CstNode): ast.AstInstanceSource | undefined {
  const prefix = context.string(tokenOf(node, 'String'));
  if (prefix === undefined) return undefined;
  const bindings = present(
    nodes(node, 'originBinding').map((binding): ast.SourceBinding | undefined => {
      const path = context.idents(tokens(binding, 'Name'));
      const sourceNode = nodeOf(binding, 'source');
      const source = sourceNode && buildSource(context, sourceNode);
      if (path.length === 0 || source === undefined) return undefined;
      return { path, source, frozen: tokenOf(binding, 'Frozen') !== undefined, span: context.spanOf(binding) };
    }),
  );
  return {
    prefix,
    bindings: tokenOf(node, 'LCurly') ? bindings : undefined,
    frozen: tokenOf(node, 'Frozen') !== undefined,
    span: context.spanOf(node),
  };
}

function buildExtern(context: BuildContext, node: CstNode, docs: string | undefined): ast.ExternDecl | undefined {
  const name = context.ident(tokenOf(node, 'Name'));
  const signature = buildSignature(context, nodeOf(node, 'signature'));
  if (name === undefined || signature === undefined) return undefined;
  const familyNode = nodeOf(node, 'family');
  const family = familyNode && buildFamily(context, familyNode);
  return {
    kind: 'Extern',
    role: tokenOf(node, 'Expert') ? 'expert' : 'fn',
    name,
    family,
    signature,
    docs,
    span: context.spanOf(node),
  };
}
