/**
 * Reads what `printGraph` (print-graph.ts) wrote: a graph, and where the text has them the domains and the values that get memory. So a
 * bug reduces to a text file, and a pass is tested on text.
 *
 * Printing what was read gives the text again. What the text does not say stays unsaid: inputs that nobody reads, and places of
 * the source unless the text was printed with them.
 */
import { idOf } from '../../dsl/types/ids.ts';
import type { Domain } from './domains.ts';
import {
  cut, GraphText, isElement, isMap, isOutputRole, isReduce, isRole, reasonOf, spanOf, textError,
} from './graph-text.ts'; // prettier-ignore
import type { AxisId, Check, ExternCallId, ExternCall, Fold, FoldId, Graph, GraphAxis, GraphInput, GraphInputId, Node, NodeId, GraphOutput, Span } from './graph-ir.ts'; // prettier-ignore
import { parseCall } from './parse-call.ts';
import { isCode } from '../../dsl/diagnostics/catalogue.ts';
import { drawNames } from '../../dsl/types/primitive-names.ts';

export interface ParsedGraph {
  readonly graph: Graph;
  /** Empty where the text says nothing of domains. */
  readonly domains: ReadonlyMap<NodeId, Domain>;
  readonly materialised: ReadonlySet<NodeId>;
}

const nowhere: Span = { source: '', start: 0, end: 0 };

/** Reads a graph. Throws an Error that names the line. */
export function parseGraph(text: string): ParsedGraph {
  return new GraphParser().parse(text);
}

class GraphParser {
  readonly #axes: Map<AxisId, GraphAxis>;
  readonly #named: Map<string, AxisId>;
  readonly #inputs: GraphInput[] = [];
  readonly #externs: ExternCall[] = [];
  readonly #folds: Fold[] = [];
  /** The body of the fold that is being read. */
  #body: GraphParser | null = null;
  readonly #nodes: Node[] = [];
  readonly #outputs: GraphOutput[] = [];
  readonly #checks: Check[] = [];
  readonly #domains = new Map<NodeId, Domain>();
  readonly #materialised = new Set<NodeId>();
  #name = '';
  /** A body has the axes of the graph around it. */
  constructor(around: GraphParser | null = null) {
    this.#axes = around === null ? new Map() : around.#axes;
    this.#named = around === null ? new Map() : around.#named;
  }

  parse(text: string): ParsedGraph {
    text.split('\n').forEach((line, i) => {
      if (line.trim() !== '') this.#line(line, i + 1);
    });
    return { graph: this.#graph(), domains: this.#domains, materialised: this.#materialised };
  }

  #graph(): Graph {
    const given = { axes: this.#axes, inputs: this.#inputs, externs: this.#externs, folds: this.#folds };
    return { name: this.#name, ...given, nodes: this.#nodes, outputs: this.#outputs, checks: this.#checks };
  }

  #line(line: string, number: number): void {
    const head = /^graph (.*)$/.exec(line);
    if (head !== null) this.#name = head[1] ?? '';
    else if (line.startsWith('  axes ')) this.#axesLine(new GraphText(line.slice(7), number));
    else if (line.startsWith('  %')) this.#nodeLine(line, number);
    else if (line.startsWith('  default ')) this.#defaultLine(new GraphText(line.slice(10), number));
    else if (line.startsWith('  call ')) this.#callLine(new GraphText(line.slice(7), number));
    else if (line.startsWith('  fold ')) this.#foldLine(new GraphText(line.slice(7), number));
    else if (line.startsWith('  |') && this.#body !== null) this.#body.#line(line.slice(3), number);
    else if (line.startsWith('  check ')) this.#checkLine(line.slice(8), number);
    else this.#outputLine(new GraphText(line.trim(), number));
  }

  /** `T = T, D = 64, E#7 = min(T, 4)`: a number behind `#` is the axis's own. */
  #axesLine(t: GraphText): void {
    const listed: { readonly text: string; readonly size: GraphAxis['size'] }[] = [];
    do {
      const text = t.axis();
      t.take('=');
      listed.push({ text, size: t.size() });
    } while (t.skip(','));
    t.end();
    const own = (text: string): AxisId | null => (text.includes('#') ? idOf(Number(text.split('#')[1])) : null);
    const taken = new Set(listed.map(({ text }) => own(text)));
    let next = 0;
    for (const { text, size } of listed) {
      let id = own(text);
      if (id === null) {
        while (taken.has(idOf(next))) next++;
        id = idOf(next++);
      }
      this.#axes.set(id, { id, name: text.split('#')[0] ?? text, size });
      this.#named.set(text, id);
    }
  }

  #nodeLine(line: string, number: number): void {
    const [rest, span] = cut(line, /  @ (.*):(\d+)-(\d+)$/, (m) => spanOf(m[1], m[2], m[3]));
    const [less, dense] = cut(rest, /  dense \(([abc]): (.*) @ (.*):(\d+)-(\d+)\)$/, (m) => ({
      reason: reasonOf(m[1], number),
      text: m[2] ?? '',
      span: spanOf(m[3], m[4], m[5]),
    }));
    const [bare, presences] = cut(less, /  on \{([^}]*)\}$/, (m) =>
      (m[1] ?? '').split(', ').map((s) => idOf<NodeId>(Number(s.slice(1)))),
    );
    const parts = /^  %(\d+)(\*?) = (.*) : (\w+)\[(.*)\]$/.exec(bare);
    if (parts === null) throw textError(number, 'not a node: `%3 = add %1 %2 : f32[T]`');
    const [, id, mark, operation = '', element = '', list = ''] = parts;
    if (!isElement(element)) throw textError(number, `no element type ${element}`);
    const axes = list === '' ? [] : list.split(', ').map((a) => this.#axis(a, number));
    const node = this.#operation(new GraphText(operation, number), {
      id: idOf(Number(id)),
      element,
      axes,
      span: span ?? nowhere,
    });
    if (node.id !== this.#nodes.length)
      throw textError(number, `%${node.id} stands where %${this.#nodes.length} belongs`);
    this.#nodes.push(node);
    if (mark === '*') this.#materialised.add(node.id);
    this.#domains.set(node.id, { presences: presences ?? [], dense });
  }

  #axis(text: string, number: number): AxisId {
    const id = this.#named.get(text);
    if (id === undefined) throw textError(number, `no axis ${text}`);
    return id;
  }

  #list(t: GraphText): readonly AxisId[] {
    return t.axisList().map((a) => this.#axis(a, t.number));
  }

  #operation(t: GraphText, base: Pick<Node, 'id' | 'element' | 'axes' | 'span'>): Node {
    const { element } = base;
    const one = (): AxisId => this.#axis(t.axis(), t.number);
    const word = t.word();
    const node = ((): Node => {
      if (isRole(word)) return { ...base, kind: 'input', input: this.#input(word, base, t) };
      if (isReduce(word)) {
        const operand = t.node();
        t.take('over');
        return { ...base, kind: 'reduce', op: word, operand, over: this.#list(t) };
      }
      if (isMap(word)) return { ...base, kind: 'map', op: word, operands: t.nodes() };
      switch (word) {
        case 'constant':
          return { ...base, kind: 'constant', value: element === 'bool' ? (t.word() === 'true' ? 1 : 0) : t.float() };
        case 'size':
          return { ...base, kind: 'size', size: t.size() };
        case 'iota':
          return { ...base, kind: 'iota', axis: one() };
        case 'predicated': {
          const [presence, value] = [t.node(), t.node()];
          t.take('else');
          return { ...base, kind: 'predicated', presence, value, otherwise: t.float() };
        }
        case 'presence':
          return this.#presence(t, base);
        case 'contract': {
          const [left, right, over] = [t.node(), t.node(), (t.take('over'), this.#list(t))];
          return { ...base, kind: 'contract', left, right, over };
        }
        case 'scan': {
          const operand = t.node();
          t.take('along');
          return { ...base, kind: 'scan', operand, axis: one(), exclusive: t.skip('exclusive') };
        }
        case 'sort_rank':
          return this.#sortRank(t, base);
        case 'choose': {
          const part = (by: string): NodeId | null => (t.skip(by) ? t.node() : null);
          const [key, candidates, count] = [part('by'), part('among'), part('count')];
          const [over, along] = [(t.take('over'), this.#list(t)), (t.take('along'), one())];
          return { ...base, kind: 'choose', key, candidates, count, over, along, report: t.skip('report') };
        }
        case 'argmax': {
          const operand = t.node();
          t.take('over');
          return { ...base, kind: 'argmax', operand, axis: one() };
        }
        case 'gather': {
          const table = t.node();
          t.take('[');
          const axis = one();
          t.take(':');
          const indices = t.node();
          t.take(']');
          return { ...base, kind: 'gather', table, axis, indices };
        }
        case 'draw':
          return this.#draw(t, base);
        case 'rename': {
          const operand = t.node();
          const [from, to]: [AxisId[], AxisId[]] = [[], []];
          do {
            from.push(one());
            t.take(':');
            to.push(one());
          } while (t.skip(','));
          return { ...base, kind: 'rename', operand, from, to };
        }
        case 'slice': {
          const operand = t.node();
          t.take('[');
          const axis = one();
          t.take(':');
          const at = t.size();
          const as = t.skip('..') ? (t.take('as'), one()) : null;
          t.take(']');
          return { ...base, kind: 'slice', operand, axis, at, as };
        }
        case 'split': {
          const operand = t.node();
          const axis = one();
          t.take(':');
          return { ...base, kind: 'split', operand, axis, into: this.#list(t) };
        }
        case 'merge': {
          const [operand, from] = [t.node(), this.#list(t)];
          t.take(':');
          return { ...base, kind: 'merge', operand, from, into: one() };
        }
        case 'broadcast':
          return { ...base, kind: 'broadcast', operand: t.node() };
        case 'concat': {
          const parts: { node: NodeId; axis: AxisId | null }[] = [];
          while (!t.skip('along')) {
            const part = t.node();
            const axis = t.skip('[') ? one() : null;
            if (axis !== null) t.take(']');
            parts.push({ node: part, axis });
          }
          return { ...base, kind: 'concat', parts, axis: one() };
        }
        case 'fold': {
          const fold = idOf<FoldId>(t.integer());
          t.take('result');
          const result = t.integer();
          return { ...base, kind: 'fold', fold, result, operands: t.nodes() };
        }
        case 'extern': {
          t.path();
          t.take('call');
          const call = idOf<ExternCallId>(t.integer());
          t.take('result');
          return { ...base, kind: 'extern', call, result: t.integer() };
        }
        default:
          throw textError(t.number, `no operation ${word}`);
      }
    })();
    t.end();
    return node;
  }

  #input(role: GraphInput['role'], base: Pick<Node, 'element' | 'axes'>, t: GraphText): GraphInputId {
    const name = t.path();
    const within = t.skip('in') ? this.#axis(t.axis(), t.number) : null;
    const known = this.#inputs.findIndex((l) => l.role === role && l.name === name);
    if (known >= 0) return idOf(known);
    return idOf(this.#inputs.push({ role, name, element: base.element, axes: base.axes, within, default: null }) - 1);
  }

  #presence(t: GraphText, base: Pick<Node, 'id' | 'element' | 'axes' | 'span'>): Node {
    const mask = t.node();
    const sources = this.#list(t);
    t.take('->');
    const targets = this.#list(t);
    const bounds: { per: readonly AxisId[]; atMost: GraphAxis['size'] }[] = [];
    if (t.skip('{')) {
      do {
        t.take('per');
        const per = this.#list(t);
        t.take('<=');
        bounds.push({ per, atMost: t.size() });
      } while (t.skip(';'));
      t.take('}');
    }
    return { ...base, kind: 'presence', mask, sources, targets, bounds };
  }

  #sortRank(t: GraphText, base: Pick<Node, 'id' | 'element' | 'axes' | 'span'>): Node {
    const keys: { node: NodeId; descending: boolean }[] = [];
    if (t.skip('by')) {
      do {
        const node = t.node();
        const descending = t.skip('desc');
        if (!descending) t.take('asc');
        keys.push({ node, descending });
      } while (t.skip(','));
    }
    const candidates = t.skip('among') ? t.node() : null;
    t.take('over');
    const over = this.#list(t);
    return { ...base, kind: 'sort_rank', keys, candidates, over, report: t.skip('report') };
  }

  #draw(t: GraphText, base: Pick<Node, 'id' | 'element' | 'axes' | 'span'>): Node {
    const word = t.word();
    const distribution = drawNames.find((name) => name === word);
    if (distribution === undefined) throw textError(t.number, `no distribution ${word}`);
    const seedKey = t.string();
    const roots: { axis: AxisId; name: string; offset: GraphAxis['size'] }[] = [];
    if (t.skip('from')) {
      do {
        const axis = this.#axis(t.axis(), t.number);
        const name = t.string();
        t.take('at');
        roots.push({ axis, name, offset: t.size() });
      } while (t.skip(','));
    }
    return { ...base, kind: 'draw', distribution, seedKey, roots };
  }

  /** `jitter = %5`: what a control is in a run that is not given it. */
  #defaultLine(t: GraphText): void {
    const name = t.path();
    t.take('=');
    const defaultNode = t.node();
    const index = this.#inputs.findIndex((l) => l.role === 'control' && l.name === name);
    const input = this.#inputs[index];
    if (input === undefined) throw textError(t.number, `no control ${name}`);
    this.#inputs[index] = { ...input, default: defaultNode };
    t.end();
  }

  #callLine(t: GraphText): void {
    const { index, call } = parseCall(t, (name) => this.#axis(name, t.number));
    if (index !== this.#externs.length) throw textError(t.number, `call ${this.#externs.length} belongs here`);
    this.#externs.push(call);
  }

  /** `0 along T carries 1`: the lines of its body follow, each behind a bar. */
  #foldLine(t: GraphText): void {
    if (t.integer() !== this.#folds.length) throw textError(t.number, `fold ${this.#folds.length} belongs here`);
    t.take('along');
    const axis = this.#axis(t.axis(), t.number);
    t.take('carries');
    this.#body = new GraphParser(this);
    this.#body.#name = 'step';
    this.#folds.push({ axis, carried: t.integer(), body: this.#body.#graph() });
    t.end();
  }

  /** `check holds %7 "an index is no point of E" MOE0721 at [T] where %3 %4 for loss skip if noise given` */
  #checkLine(line: string, number: number): void {
    const [rest, span] = cut(line, /  @ (.*):(\d+)-(\d+)$/, (m) => spanOf(m[1], m[2], m[3]));
    const t = new GraphText(rest, number);
    const kind = t.word();
    if (kind !== 'holds' && kind !== 'numbers') throw textError(number, `no kind of check ${kind}`);
    const node = t.node();
    const message = t.string();
    const code = t.word();
    if (!isCode(code)) throw textError(number, `no code ${code}`);
    t.take('at');
    const axes = t.bracketed().map((a) => this.#axis(a, number));
    const where = t.skip('where') ? t.nodes() : [];
    t.take('for');
    const role = t.word();
    if (!isOutputRole(role)) throw textError(number, `nobody asks for ${role}`);
    const skipIfGiven: string[] = [];
    while (t.skip('skip')) {
      t.take('if');
      skipIfGiven.push(t.path());
      t.take('given');
    }
    const shown: Check['shown'][number][] = [];
    while (t.skip('shows')) shown.push(t.ahead(/^%\d/) ? { node: t.node() } : { size: t.size() });
    t.end();
    this.#checks.push({ kind, node, where, axes, role, skipIfGiven, code, message, shown, span: span ?? nowhere });
  }

  /** `result y = %9 [T, D]`, `output r = route[T -> E] of [D] present %1 weight %2 rank %3 most 2` */
  #outputLine(t: GraphText): void {
    const role = t.word();
    if (!isOutputRole(role)) throw textError(t.number, `no line of a graph begins with ${role}`);
    const name = t.path();
    t.take('=');
    const bracketed = (): readonly AxisId[] => t.bracketed().map((a) => this.#axis(a, t.number));
    if (!t.skip('route')) {
      const node = t.node();
      this.#outputs.push({ kind: 'tensor', name, role, node, axes: bracketed() });
      return t.end();
    }
    if (role === 'loss' || role === 'update') throw textError(t.number, `no ${role} is a route`);
    const [sources, targets] = t.arrow().map((axes) => axes.map((a) => this.#axis(a, t.number)));
    const payload = t.skip('of') ? bracketed() : [];
    const part = (word: string): NodeId => (t.take(word), t.node());
    const [present, weight, rank] = [part('present'), part('weight'), part('rank')];
    t.take('most');
    const maxPresent = t.size();
    this.#outputs.push({ kind: 'route', name, role, present, weight, rank, sources: sources ?? [], targets: targets ?? [], payload, maxPresent }); // prettier-ignore
    t.end();
  }
}
