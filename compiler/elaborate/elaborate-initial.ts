/**
 * Initial values: a number, or a graph of draws and of the params that the value reads. It is computed before any run, once,
 * so nothing that only a run has may be in it.
 */
import type { Expr, Program } from '../../dsl/types/program.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { diagnostic, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { roundToF16 } from '../../dsl/tensors/round-to-f16.ts';
import type { UsedVariable } from '../../dsl/meaning/instances.ts';
import type { InstanceScope } from '../../dsl/meaning/instance-scope.ts';
import { problemAsI32 } from '../../dsl/meaning/whole-numbers.ts';
import { asInteger, asNumber, formatSize } from '../../dsl/types/size.ts';
import type { VariableRead } from '../../dsl/meaning/variable-reader.ts';
import { instantiateInitial } from '../../dsl/meaning/instantiate.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import type { Graph } from '../graph/graph-ir.ts';
import { liveNodes } from '../graph/node-uses.ts';
import { graphBackend } from './graph-backend.ts';
import { LoweringContext, type GraphRoute, type GraphTensor } from './lowering-context.ts';
import { liveReads } from './live-reads.ts';
import { placeChecks } from './place-checks.ts';
import { withoutPlaceholders } from './placeholders.ts';

export type InitialValue =
  { readonly kind: 'fill'; readonly value: number } | { readonly kind: 'graph'; readonly graph: Graph } | null;

/** The initial value of a param or state, and what it reads of others; a control's default is in the graphs that read it. */
export function elaborateInitial(
  program: Program,
  scope: InstanceScope,
  used: UsedVariable,
  report: (problem: Diagnostic) => void,
): { readonly initial: InitialValue; readonly reads: readonly VariableRead<GraphTensor>[] } {
  const { declaration, family, declared, path } = used.variable;
  if (declaration.initial === null || declaration.role === 'control') return { initial: null, reads: [] };
  const number = constantOf(declaration.initial, scope, used, report);
  if (number !== null) {
    const value = declaration.type.element === 'f16' ? roundToF16(number) : number;
    // Manifests are JSON, which has no infinities: those are computed.
    if (Number.isFinite(value)) return { initial: { kind: 'fill', value }, reads: [] };
  }
  const builder = new GraphBuilder(path);
  const cx = new LoweringContext(builder);
  const instantiated = instantiateInitial<GraphTensor, GraphRoute>(
    { program, scope, backend: graphBackend(cx), report },
    used,
  );
  if (instantiated === null) throw new CompilerBug('elaborate', `no initial value for ${path}`);
  const axes = cx.idsOf([...family, ...declared]);
  const node = builder.broadcast(instantiated.value.node, axes);
  const made = builder.finish([{ kind: 'tensor', name: path, role: 'result', node, axes }]);
  const graph = placeChecks(made, cx.demanded);
  const moving = runOf(graph);
  if (moving !== null) {
    report(
      diagnostic('MOE0363', {
        message: `the initial value of ${path} depends on ${moving}`,
        span: declaration.initial.span,
        help: 'an initial value is made before any run: of numbers, sizes, draws and params',
      }),
    );
  }
  const whole = withoutPlaceholders(graph);
  return { initial: { kind: 'graph', graph: whole }, reads: liveReads(graph, instantiated.reads) };
}

/** What of a run a graph depends on, in words; null if nothing. */
function runOf(graph: Graph): string | null {
  const live = liveNodes(graph);
  for (const node of graph.nodes) {
    if (live[node.id] !== true) continue;
    if (node.kind === 'extern') return `${graph.externs[node.call]?.name ?? 'a function'}, a function of the host`;
    if (node.kind === 'size') return `${formatSize(node.size)}, which each run decides`;
    const own = node.kind === 'fold' ? [...node.axes, at(graph.folds, node.fold, 'elaborate: fold').axis] : node.axes;
    const axis = own.map((a) => graph.axes.get(a)).find((a) => a !== undefined && asInteger(a.size) === null);
    if (axis !== undefined) return `the size of ${axis.name}, which each run decides`;
  }
  return null;
}

/** The number that an initial value is all over, or null if it is computed. One that its element type does not hold is told. */
function constantOf(
  initial: Expr,
  scope: InstanceScope,
  used: UsedVariable,
  report: (problem: Diagnostic) => void,
): number | null {
  if (initial.kind === 'coerce') return constantOf(initial.value, scope, used, report);
  if (initial.kind !== 'static' || scope.dependsOnIndex(initial.value)) return null;
  const value = scope.static(initial.value, scope.frameOf(used.instance));
  if (value.kind === 'bool') return value.value ? 1 : 0;
  if (value.kind !== 'number') return null;
  const problem = used.variable.declaration.type.element === 'i32' ? problemAsI32(value.size, initial.span) : null;
  if (problem !== null) report(problem);
  return asNumber(value.size);
}
