/**
 * What kinds of things the plans of a program have between them: steps and families, list forms, spaces, operations of the graph, regimes,
 * parts of kernels. A set of programs that has every kind that any program has (`covering`) stands for all of them where a claim is
 * tested program by program (sweeps.ts).
 */
import { regimesOf, type Compilation, type CompiledPlan } from '../../compiler/compile.ts';
import type { Graph, Node } from '../../compiler/graph/graph-ir.ts';
import type { Choice, Schedule, ScheduleStep } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { depthOf, type AssignmentList, type StoredSpace } from '../../compiler/schedule/memory/memory.ts';

/** The kinds that the compiled plans of a program have, of its entries and of first values. */
export function kindsOf({ entries, kernels }: Compilation): PlanKinds {
  const plans = entries.flatMap(({ inference, withAux }) => [inference, withAux].flatMap(regimesOf));
  const kinds = new Set([
    ...plans.flatMap(planKinds),
    ...(entries.length > 1 ? ['several entries'] : []),
    // Kernels of several families stand side by side in one; which classes have a form of one says nothing new.
    ...kernels.flatMap(({ name }) => name.split('_and_').map((family) => `kernel ${family.replace(/_simd\d+$/, '')}`)),
    ...kernels.flatMap(({ name }) => (name.includes('_and_') ? ['kernel side by side'] : [])),
  ]);
  return { kinds, steps: plans.reduce((sum, { schedule }) => sum + schedule.steps.length, 1) };
}

function planKinds({ fused, schedule, regime, few }: CompiledPlan): readonly string[] {
  return [
    few === null ? `regime ${regime}` : 'regime many, and few',
    ...graphKinds(fused.graph),
    ...schedule.assignmentLists.flatMap(listKinds),
    ...schedule.steps.flatMap((step) => stepKinds(step, schedule)),
  ];
}

function graphKinds({ nodes, folds, inputs, externs, outputs, checks }: Graph): readonly string[] {
  return [
    ...nodes.map(nodeKind),
    ...nodes.map(({ element }) => `element ${element}`),
    ...inputs.map(({ role }) => `input ${role}`),
    ...externs.map(({ role }) => `extern ${role}`),
    ...outputs.map(({ kind, role }) => `output ${role} ${kind}`),
    ...checks.map(({ kind }) => `check ${kind}`),
    ...folds.flatMap(({ body }) => graphKinds(body).map((kind) => `in a fold: ${kind}`)),
  ];
}

function nodeKind(node: Node): string {
  switch (node.kind) {
    case 'map':
    case 'reduce':
      return `operation ${node.kind} ${node.op}`;
    case 'draw':
      return `operation draw ${node.distribution}`;
    case 'scan':
      return `operation scan${node.exclusive ? ', exclusive' : ''}`;
    case 'choose':
      return `operation choose${node.key === null ? '' : ' by key'}${node.count === null ? '' : ' by count'}`;
    case 'sort_rank':
      return `operation sort_rank by ${node.keys.length === 1 ? 'one key' : 'keys'}`;
    case 'slice':
      return `operation slice ${node.as === null ? 'of a point' : 'of points'}`;
    default:
      return `operation ${node.kind}`;
  }
}

function listKinds(list: AssignmentList): readonly string[] {
  const { form } = list;
  const queue = form.kind === 'grouped' ? form.queue : null;
  return [
    `list ${form.kind}`,
    `list within lists: ${depthOf(list) - 1}`,
    ...(form.kind === 'scanned' ? [] : [`list ${form.kind} of slots ${form.slots.kind}`]),
    ...(queue === null ? [] : [`queue ${queue.by === null ? 'by position' : 'by rank'}${queue.groups.length > 0 ? ', of groups' : ''}`]),
    ...(form.kind === 'grouped' && form.blockRows !== null ? ['list grouped in blocks'] : []),
  ]; // prettier-ignore
}

function stepKinds(step: ScheduleStep, schedule: Schedule): readonly string[] {
  switch (step.kind) {
    case 'value':
      return [
        ...choiceKinds(step.choice).map((kind) => `value ${kind} ${spaceKind(step.space)}`),
        `value ${step.choice.family}, neighbours ${step.neighbours}`,
        ...(schedule.beside.has(step.choice.node.id) ? ['beside another launch'] : []),
      ];
    case 'row':
      return [
        `row by ${step.lanes}`,
        `row, neighbours ${step.neighbours}`,
        ...(step.forms.length > 0 ? ['row with forms'] : []),
        ...step.phases
          .flat()
          .flatMap(({ choice, space }) => choiceKinds(choice).map((kind) => `row ${kind} ${spaceKind(space)}`)),
      ];
    case 'fold':
      return [`step fold by ${step.layout.lanes}`];
    case 'check':
      return [`step check ${spaceKind(step.space)}`];
    default:
      return [`step ${step.kind}`];
  }
}

const spaceKind = ({ assignmentList }: StoredSpace): string =>
  assignmentList === null ? 'over points' : `on rows ${assignmentList.form.kind}`;

function choiceKinds(choice: Choice): readonly string[] {
  switch (choice.family) {
    case 'tile':
      return [
        `tile ${choice.rows.kind}`,
        `tile of ${choice.heads.length === 1 ? 'one head' : 'heads'}`,
        `tile loads of ${choice.lanes}`,
        ...(choice.forms.length > 0 ? ['tile with forms'] : []),
      ];
    case 'summed':
      return choice.parts.map(({ sum }) => `summed ${sum === null ? 'at the row' : 'along slots'}`);
    case 'reduce':
    case 'reduce_listed':
    case 'reduce_slots':
      return [`${choice.family} ${choice.node.op}`];
    case 'choose':
      return [`choose${choice.slots === null ? '' : ' among slots'}`];
    default:
      return [choice.family];
  }
}

/** What a program has, and how many steps its plans have: what a test of it takes grows with them. */
export interface PlanKinds {
  readonly kinds: ReadonlySet<string>;
  readonly steps: number;
}

/**
 * Programs that have between them all kinds that any of these has: the one that has most that are missing for each of its steps, until
 * nothing is; then without those whose kinds the others have, the longest first. Of equals the first.
 */
export function covering(programs: ReadonlyMap<string, PlanKinds>): readonly string[] {
  const missing = new Set([...programs.values()].flatMap(({ kinds }) => [...kinds]));
  const chosen = new Map<string, PlanKinds>();
  while (missing.size > 0) {
    const gains = [...programs].map(([name, own]) => {
      const gained = [...own.kinds].filter((kind) => missing.has(kind)).length;
      return { name, own, gain: gained / own.steps };
    });
    const { name, own } = gains.reduce((a, b) => (b.gain > a.gain ? b : a));
    chosen.set(name, own);
    for (const kind of own.kinds) missing.delete(kind);
  }
  for (const [name, own] of [...chosen].toSorted(([, a], [, b]) => b.steps - a.steps)) {
    chosen.delete(name);
    const others = new Set([...chosen.values()].flatMap(({ kinds }) => [...kinds]));
    if (![...own.kinds].every((kind) => others.has(kind))) chosen.set(name, own);
  }
  return [...chosen.keys()].toSorted();
}
