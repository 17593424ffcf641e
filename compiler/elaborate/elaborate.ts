/**
 * Elaboration: from a typed program to graphs. Instantiates every entry twice, for its results alone and with losses, outputs
 * and updates, so that the plan without them is as sparse as it can be; and the initial value of every variable that is
 * not a plain number.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Program, TensorType } from '../../dsl/types/program.ts';
import { diagnostic, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import { bindVariable, type WeightSlice } from '../../dsl/meaning/weight-slices.ts';
import { MAX_AXES, TooMuch } from '../../dsl/types/expansion-limits.ts';
import type { StaticValue, UsedVariable } from '../../dsl/meaning/instances.ts';
import type { SizeConstraint } from '../../dsl/meaning/size-constraints.ts';
import { InstanceScope } from '../../dsl/meaning/instance-scope.ts';
import { sizeKey } from '../../dsl/types/size.ts';
import { instantiateEntry, type InstantiatedEntry } from '../../dsl/meaning/instantiate.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import { boundOf } from '../graph/presence-bounds.ts';
import type { Graph, GraphOutput, OutputRole } from '../graph/graph-ir.ts';
import { elaborateInitial, type InitialValue } from './elaborate-initial.ts';
import { graphBackend } from './graph-backend.ts';
import { LoweringContext, type GraphOperand, type GraphRoute, type GraphTensor } from './lowering-context.ts';
import { withoutPlaceholders } from './placeholders.ts';
import { liveReads } from './live-reads.ts';
import { placeChecks } from './place-checks.ts';

export interface EntryInput {
  readonly name: string;
  readonly type: TensorType;
  readonly axes: readonly Axis[];
  readonly within: Axis | null;
}

export interface ElaboratedEntry {
  readonly name: string;
  readonly inputs: readonly EntryInput[];
  /** What the sizes of a run must satisfy. */
  readonly conditions: readonly SizeConstraint[];
  /** Results only. */
  readonly inference: Graph;
  /** With losses, outputs and updates; the same object when there are none. */
  readonly withAux: Graph;
}

export interface ElaboratedVariable {
  readonly used: UsedVariable;
  readonly slices: readonly WeightSlice[] | null;
  readonly initial: InitialValue;
  /** Only initial values of others read it: where a checkpoint has those, it is not needed. */
  readonly onlyForInitials: boolean;
}

export interface Elaboration {
  readonly entries: readonly ElaboratedEntry[];
  /** Each after those that its initial value reads. */
  readonly variables: readonly ElaboratedVariable[];
  /** Names of the axes whose size a run decides. */
  readonly dynamic: readonly string[];
}

export interface ElaborateOptions {
  readonly overrides: ReadonlyMap<string, StaticValue>;
  /** Only these entries; all by default. */
  readonly entries?: readonly string[];
}

export function elaborate(
  program: Program,
  options: ElaborateOptions,
  report: (problem: Diagnostic) => void,
): Elaboration {
  try {
    return elaborateAll(program, options, report);
  } catch (error) {
    if (!(error instanceof TooMuch)) throw error;
    report(error.diagnostic);
    return { entries: [], variables: [], dynamic: [] };
  }
}

function elaborateAll(program: Program, options: ElaborateOptions, report: (problem: Diagnostic) => void): Elaboration {
  const scope = new InstanceScope({ program, overrides: options.overrides, dynamic: new Map(), report });
  const names = options.entries ?? program.entries.map((e) => e.name);
  const entries = names.map((name): ElaboratedEntry => {
    const inference = elaborateEntry(program, scope, name, false, report);
    const withAux = elaborateEntry(program, scope, name, true, report);
    const more = withAux.graph.outputs.some((r) => r.role !== 'result');
    return {
      name,
      inputs: inference.inputs,
      conditions: (more ? withAux : inference).conditions,
      inference: inference.graph,
      withAux: more ? withAux.graph : inference.graph,
    };
  });
  const variables = elaborateVariables(program, scope, report);
  const dynamic = program.declarations.flatMap((d) =>
    d.kind === 'axis' && d.of.kind === 'dynamic' && !options.overrides.has(d.name) ? [d.name] : [],
  );
  return { entries, variables, dynamic };
}

/** The variables that entries read or update, and those that their initial values read in turn. */
function elaborateVariables(
  program: Program,
  scope: InstanceScope,
  report: (problem: Diagnostic) => void,
): readonly ElaboratedVariable[] {
  const read = new Set(scope.usedVariables());
  const found = new Map<UsedVariable, InitialValue>();
  const visit = (used: UsedVariable): void => {
    if (found.has(used)) return;
    const { initial, reads } = elaborateInitial(program, scope, used, report);
    // A circle of initial values is a circle of declarations, which the checker has told.
    for (const { used: other, selection } of reads) {
      scope.markUsed(other, selection);
      visit(scope.usedOf(other.variable) ?? other);
    }
    found.set(used, initial);
  };
  for (const used of read) visit(used);
  return [...found].map(([used, initial]) => ({
    used,
    slices: bindVariable(used, scope, report),
    initial,
    onlyForInitials: !read.has(used),
  }));
}

function elaborateEntry(
  program: Program,
  scope: InstanceScope,
  entry: string,
  all: boolean,
  report: (problem: Diagnostic) => void,
): { graph: Graph; inputs: readonly EntryInput[]; conditions: readonly SizeConstraint[] } {
  const builder = new GraphBuilder(entry);
  const cx = new LoweringContext(builder);
  const inputs: EntryInput[] = [];
  const conditions = new Map<string, SizeConstraint>();
  const instantiated = instantiateEntry<GraphTensor, GraphRoute>({
    program,
    scope,
    backend: graphBackend(cx),
    entry,
    want: { losses: all, outputs: all, updates: all },
    input: (name, type, axes, within) => {
      inputs.push({ name, type, axes, within });
      const input = builder.addInput({
        role: 'input',
        name,
        element: type.element,
        axes: cx.idsOf(axes),
        within: within === null ? null : cx.id(within),
        default: null,
      });
      return cx.tensor(builder.input(input));
    },
    report,
    require: (c) => conditions.set(`${sizeKey(c.left)} ${c.relation} ${sizeKey(c.right)}`, c),
  });
  const placed = placeChecks(builder.finish(outputsOf(instantiated, cx)), cx.demanded);
  const graph = withoutPlaceholders(placed);
  const wide = graph.nodes.find((node) => node.axes.length > MAX_AXES);
  if (wide !== undefined)
    report(
      diagnostic('MOE0504', {
        span: wide.span,
        message: `a value of ${wide.axes.length} axes is computed here, and ${MAX_AXES} are the most`,
        help: 'merge some of them',
      }),
    );
  for (const { used, selection } of liveReads(placed, instantiated.reads)) scope.markUsed(used, selection);
  return { graph, inputs, conditions: [...conditions.values()] };
}

function outputsOf(
  instantiated: InstantiatedEntry<GraphTensor, GraphRoute>,
  cx: LoweringContext,
): readonly GraphOutput[] {
  const outputs: GraphOutput[] = [];
  const add = (
    name: string,
    role: OutputRole,
    value: GraphOperand,
    axes: readonly Axis[],
    targets: readonly Axis[],
    payload: readonly Axis[],
  ): void => {
    if (value.kind === 'tensor') {
      const node = cx.b.broadcast(value.value.node, cx.idsOf(axes));
      outputs.push({ kind: 'tensor', name, role, node, axes: cx.idsOf(axes) });
      return;
    }
    if (role === 'loss' || role === 'update') throw new CompilerBug('elaborate', `the ${role} ${name} is a route`);
    const { presence, weight, rank, bounds } = value.value;
    const sources = axes.filter((a) => !targets.includes(a) && !payload.includes(a));
    const ids = cx.idsOf([...sources, ...targets]);
    outputs.push({
      kind: 'route',
      name,
      role,
      present: cx.b.broadcast(presence, ids),
      weight: cx.b.broadcast(weight, [...ids, ...cx.idsOf(payload)]),
      rank: cx.b.broadcast(rank, ids),
      sources: cx.idsOf(sources),
      targets: cx.idsOf(targets),
      payload: cx.idsOf(payload),
      maxPresent: boundOf(bounds, cx.idsOf(sources), ids, cx.b.sizeOf),
    });
  };
  for (const r of instantiated.results) {
    const type = r.type;
    const n = type.kind === 'route' ? type.sources.length : 0;
    const m = type.kind === 'route' ? type.targets.length : 0;
    add(
      r.name,
      'result',
      r.value,
      r.axes,
      type.kind === 'route' ? r.axes.slice(n, n + m) : [],
      type.kind === 'route' ? r.axes.slice(n + m) : [],
    );
  }
  for (const o of instantiated.outputs) add(o.path, 'output', o.value, o.axes, o.targets, o.payload);
  for (const l of instantiated.losses) add(l.path, 'loss', l.value, l.axes, [], []);
  for (const s of instantiated.updates)
    add(
      s.variable.path,
      'update',
      { kind: 'tensor', value: s.value },
      [...s.variable.family, ...s.variable.declared],
      [],
      [],
    );
  return outputs;
}
