/**
 * A chain over a dynamic axis as a fold of the graph.
 *
 * A step is instantiated once, of placeholders for its number and for what it is given. What is made of placeholders is the step's body;
 * everything else is the same in all steps and stays outside: it is captured. A sum that is made of the step's number alone, such as the
 * matmul of a row `x[t]`, is computed outside as well, for all steps in one launch, and the step looks its row up; elementwise work
 * stays in the step, where it needs no memory.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { Span } from '../../dsl/diagnostics/diagnostic.ts';
import type { FoldCall, FoldedStep } from '../../dsl/meaning/backend.ts';
import { TooMuch } from '../../dsl/types/expansion-limits.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, GraphOutput, Node, NodeId } from '../graph/graph-ir.ts';
import { copyNode } from '../graph/node-uses.ts';
import { operandsOfDraft } from '../graph/draft.ts';
import type { GraphTensor, LoweringContext } from './lowering-context.ts';

/** What no step can do yet, by the nodes that do it. */
const refused: ReadonlyMap<Node['kind'], string> = new Map([
  ['extern', 'calls a function of the host'],
  ['sort_rank', 'sorts or selects'],
  ['choose', 'sorts or selects'],
  ['argmax', 'takes an argmax'],
  ['scan', 'takes a running sum'],
  ['fold', 'has a chain over a dynamic axis'],
]);

interface Placeholders {
  readonly number: NodeId;
  readonly carried: readonly NodeId[];
}

export function elaborateFold(cx: LoweringContext, call: FoldCall<GraphTensor>): FoldedStep<GraphTensor> {
  const axis = cx.id(call.axis);
  let axes = call.starts.map((start) => cx.b.axesOf(start.node));
  const first = cx.b.length;
  for (;;) {
    const before = cx.demanded.length;
    const placeholders = placeholdersOf(cx, axis, axes, call.starts);
    const given = call.step(
      cx.tensor(placeholders.number),
      placeholders.carried.map((node) => cx.tensor(node)),
    );
    // Of a lifted call a step may have axes that the start lacks: they are carried from the first step on.
    const grown = axes.map((own, i) => [
      ...own,
      ...more(cx.b.axesOf(at(given.carried, i, 'elaborate: carried').node), own),
    ]);
    if (grown.every((own, i) => own.length === axes[i]?.length)) {
      return new FoldBody(cx, call, axis, placeholders, first).build(
        given,
        axes,
        cx.demanded.slice(before).flatMap((d) => d.at),
      );
    }
    cx.demanded.splice(before);
    axes = grown;
  }
}

const more = (axes: readonly AxisId[], own: readonly AxisId[]): AxisId[] => axes.filter((a) => !own.includes(a));

function placeholdersOf(
  cx: LoweringContext,
  axis: AxisId,
  axes: readonly (readonly AxisId[])[],
  starts: readonly GraphTensor[],
): Placeholders {
  return {
    number: cx.placeholder('i32', [], axis),
    carried: starts.map(({ node }, i) => cx.placeholder(cx.elementOf(node), at(axes, i, 'elaborate: axes'), null)),
  };
}

/** What a node of a step is made of, placeholders among it. */
type Made = 'outside' | 'number' | 'carried';

class FoldBody {
  readonly #cx: LoweringContext;
  readonly #b: GraphBuilder;
  readonly #body: GraphBuilder;
  readonly #axis: AxisId;
  readonly #first: number;
  readonly #span: Span;
  readonly #axisName: string;
  readonly #starts: readonly GraphTensor[];
  readonly #placeholders: Placeholders;
  readonly #made = new Map<NodeId, Made>();
  readonly #lifted = new Map<NodeId, NodeId | null>();
  readonly #inBody = new Map<NodeId, NodeId>();
  readonly #captured: NodeId[] = [];
  readonly #inputs = new Map<NodeId, NodeId>();

  /** `first`: the first node that the step may have made. */
  constructor(
    cx: LoweringContext,
    call: FoldCall<GraphTensor>,
    axis: AxisId,
    placeholders: Placeholders,
    first: number,
  ) {
    this.#cx = cx;
    this.#first = first;
    this.#b = cx.b;
    this.#axis = axis;
    this.#span = call.span;
    this.#axisName = call.axis.name;
    this.#starts = call.starts;
    this.#placeholders = placeholders;
    const nothing = { inputs: [], externs: [], folds: [], nodes: [], outputs: [], checks: [] };
    this.#body = GraphBuilder.like({ name: 'step', axes: cx.b.finish([]).axes, ...nothing });
  }

  /** `checked`: nodes made in the step that the run would check. */
  build(
    given: FoldedStep<GraphTensor>,
    axes: readonly (readonly AxisId[])[],
    checked: readonly NodeId[],
  ): FoldedStep<GraphTensor> {
    const { number, carried } = this.#placeholders;
    this.#inBody.set(number, this.#input('number', number));
    carried.forEach((id, i) => this.#inBody.set(id, this.#input(`carried${i}`, id)));
    const results = [...given.carried, ...given.collected].map(({ node }) => node);
    this.#refuseImpure(results, checked);
    const outputs = results.map((id, i): GraphOutput => {
      const own = axes[i] ?? this.#b.axesOf(id);
      const name = i < axes.length ? `next${i}` : `collected${i - axes.length}`;
      return { kind: 'tensor', name, role: 'result', node: this.#body.broadcast(this.#copied(id), own), axes: own };
    });
    const fold = this.#b.addFold({ axis: this.#axis, carried: carried.length, body: this.#body.finish(outputs) });
    const operands = [...this.#starts.map(({ node }) => node), ...this.#captured];
    const tensors = results.map((_, i) => this.#cx.tensor(this.#b.at(this.#span).fold(fold, operands, i)));
    return { carried: tensors.slice(0, carried.length), collected: tensors.slice(carried.length) };
  }

  #input(name: string, like: NodeId): NodeId {
    const { element, axes, span } = this.#b.node(like);
    this.#body.at(span);
    return this.#body.input(this.#body.addInput({ role: 'input', name, element, axes, within: null, default: null }));
  }

  #madeOf(id: NodeId): Made {
    const known = this.#made.get(id);
    if (known !== undefined) return known;
    // Operands come before users: from the first that is not known yet, so that nothing recurses.
    const open = [id];
    for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
      const parts = operandsOfDraft(this.#b.node(next));
      const missing = parts.filter((part) => !this.#made.has(part) && this.#own(part) === null);
      if (missing.length > 0) {
        open.push(...missing);
        continue;
      }
      open.pop();
      const of = parts.map((part) => this.#own(part) ?? this.#made.get(part));
      this.#made.set(
        next,
        this.#own(next) ?? (of.includes('carried') ? 'carried' : of.includes('number') ? 'number' : 'outside'),
      );
    }
    return this.#madeOf(id);
  }

  #own(id: NodeId): Made | null {
    if (id === this.#placeholders.number) return 'number';
    return this.#placeholders.carried.includes(id) ? 'carried' : null;
  }

  /** What a run would check of a step is checked nowhere, and what a step draws would have to be other numbers in each. */
  #refuseImpure(results: readonly NodeId[], checked: readonly NodeId[]): void {
    const concerned = new Set(checked.filter((id) => this.#madeOf(id) !== 'outside'));
    const seen = new Set(results);
    for (const id of seen) {
      if (id >= this.#first && this.#b.node(id).kind === 'draw') this.#refuse(id, 'draws random numbers');
      if (concerned.has(id)) this.#refuse(id, 'looks something up that a run has to check');
      for (const operand of operandsOfDraft(this.#b.node(id))) seen.add(operand);
    }
  }

  #refuse(id: NodeId, does: string): never {
    const message = `a step of a chain over ${this.#axisName}, whose size a run decides, ${does}: its steps are not written out`;
    const help = `do it before the chain, for all steps at once, and take what is of the step, or give ${this.#axisName} a size`;
    const labels = [{ span: this.#span, text: 'the chain' }];
    throw new TooMuch(diagnostic('MOE0326', { span: this.#b.node(id).span, message, labels, help }));
  }

  /** A node as the body has it. */
  #copied(root: NodeId): NodeId {
    const open = [root];
    for (let id = open.at(-1); id !== undefined; id = open.at(-1)) {
      if (this.#inBody.has(id)) {
        open.pop();
        continue;
      }
      const node = this.#b.node(id);
      const taken = this.#taken(node);
      const missing = taken === null ? operandsOfDraft(node).filter((o) => !this.#inBody.has(o)) : [];
      if (missing.length > 0) {
        open.push(...missing.toReversed());
        continue;
      }
      open.pop();
      this.#body.at(node.span);
      this.#inBody.set(id, taken ?? copyNode(this.#body, node, (o) => this.#there(o)));
    }
    return this.#there(root);
  }

  #there(id: NodeId): NodeId {
    const there = this.#inBody.get(id);
    return there ?? this.#copied(id);
  }

  /** What the body has of a node without computing it: a number, a captured value, a row of what is computed for all steps. */
  #taken(node: Node): NodeId | null {
    const made = this.#madeOf(node.id);
    if (made === 'outside') {
      const isNumber = node.kind === 'constant' || node.kind === 'size' || node.kind === 'iota';
      return isNumber ? copyNode(this.#body, node, (id) => id) : this.#capture(node.id);
    }
    const does = refused.get(node.kind);
    if (does !== undefined) this.#refuse(node.id, does);
    if (made === 'carried' || !this.#hasSum(node)) return null;
    const all = this.#lift(node.id);
    return all === null
      ? null
      : this.#body.gather(this.#capture(all), this.#axis, this.#there(this.#placeholders.number));
  }

  /** Whether a value of the step's number is a sum, or is made of one point by point without getting more points. */
  #hasSum(node: Node): boolean {
    if (node.kind === 'contract' || node.kind === 'reduce') return true;
    if (node.kind !== 'map') return false;
    return node.operands.some((id) => {
      const operand = this.#b.node(id);
      if (this.#madeOf(id) !== 'number' || !node.axes.every((a) => operand.axes.includes(a))) return false;
      return this.#hasSum(operand);
    });
  }

  #capture(id: NodeId): NodeId {
    const known = this.#inputs.get(id);
    if (known !== undefined) return known;
    const input = this.#input(`captured${this.#captured.length}`, id);
    this.#captured.push(id);
    this.#inputs.set(id, input);
    return input;
  }

  /** A value that is made of the step's number, for all steps: with the axis of the steps, or null where that cannot be said. */
  #lift(id: NodeId): NodeId | null {
    const known = this.#lifted.get(id);
    if (known !== undefined) return known;
    const lifted = this.#liftedOf(this.#b.node(id));
    this.#lifted.set(id, lifted);
    return lifted;
  }

  #liftedOf(node: Node): NodeId | null {
    if (this.#madeOf(node.id) === 'outside') return node.axes.includes(this.#axis) ? null : node.id;
    if (node.id === this.#placeholders.number) return this.#b.iota(this.#axis, 'i32');
    const isRow = node.kind === 'gather' && node.indices === this.#placeholders.number && node.axis === this.#axis;
    if (isRow && this.#madeOf(node.table) === 'outside') return node.table;
    // A presence has its axes as sources and targets: it would have to say what the steps are.
    if (refused.has(node.kind) || node.kind === 'presence' || node.kind === 'predicated') return null;
    if (node.axes.includes(this.#axis)) return null;
    const operands = new Map<NodeId, NodeId>();
    for (const operand of operandsOfDraft(node)) {
      const lifted = this.#lift(operand);
      if (lifted === null) return null;
      operands.set(operand, lifted);
    }
    this.#b.at(node.span);
    return copyNode(this.#b, node, (id) => operands.get(id) ?? id);
  }
}
