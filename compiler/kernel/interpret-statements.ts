/**
 * Statements of the kernel interpreter, as JavaScript text.
 *
 * Two ways to run. What has no barrier is run by one thread from end to end: a statement becomes the JavaScript statement of the same
 * shape. A block with a barrier inside is run by all threads of the workgroup together ("collective"): each stretch between two
 * barriers becomes a loop over the threads, locals that live across barriers become an array with an element for each thread, and
 * the control around a barrier is decided by all threads, which must agree (the dynamic form of the verifier's uniformity rule).
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { memoryOf, writeBool, writeIndex, writeNumber, writeWordIndex, writeValue } from './interpret-expressions.ts';
import type { Constant, ExprContext, MemoryNames } from './interpret-expressions.ts';
import { fault } from './interpret-memory.ts';
import { keptArray, Locals } from './interpret-locals.ts';
import type { Local } from './interpret-locals.ts';
import { exchange } from './interpret-subgroups.ts';
import type { Lanes } from './interpret-subgroups.ts';
import type { KernelExpr, KernelStmt } from './kernel-ir.ts';
import type { SubgroupStmt } from './make-expressions.ts';
import { loadedType, scalarOf, widthOf } from './kernel-typing.ts';
import { leavesLoop } from './loop-facts.ts';
import { blocksOf, expressionsOf, operandsOf } from './visit-kernel.ts';

export interface WriterOptions {
  readonly kernel: string;
  readonly workgroupSize: number;
  readonly shape: ExprContext['shape'];
  readonly races: boolean;
  readonly uniforms: ReadonlyMap<string, string>;
  readonly memories: ReadonlyMap<string, MemoryNames>;
  readonly constant: (key: string, value: Constant) => string;
}

export interface WorkgroupText {
  /** Statements that run one workgroup. */
  readonly text: string;
  /** Variables of the whole launch. */
  readonly temporaries: readonly string[];
}

/** Whether threads meet in a statement: at a barrier, or where subgroups do something together. */
export function hasMeeting(statement: KernelStmt): boolean {
  const meets = statement.kind === 'barrier' || statement.kind === 'subgroup';
  return meets || blocksOf(statement).some((block) => block.some(hasMeeting));
}

/** A break that is in no loop. */
const NO_LOOP = 'disagree("a break is in no loop");';

/** A loop that tests at its bottom and should not have run. */
const NEVER_RUNS = 'fault(kernel, "a loop that runs at least once has no round");';

/** What enters a thread of the workgroup. */
function enter({ shape }: WriterOptions): string {
  if (shape.sides === undefined) return 'globalX = groupX * size + local; thread = first + local;';
  const [x, y, z] = shape.sides;
  return [
    `localX = local % ${x}; localY = (local / ${x} | 0) % ${y}; localZ = local / ${x * y} | 0;`,
    `globalX = groupX * ${x} + localX; globalY = groupY * ${y} + localY; globalZ = groupZ * ${z} + localZ;`,
    'thread = first + local;',
  ].join(' ');
}

/** The body of a kernel for one workgroup: `groupX`, `groupY` and `first` are set. */
export function writeWorkgroup(body: readonly KernelStmt[], options: WriterOptions): WorkgroupText {
  const writer = new Writer(options);
  if (body.some(hasMeeting)) {
    const text = `returned.fill(0);\nworkgroup: {\n${writer.collective(body, null)}\n}`;
    return { text, temporaries: writer.temporaries };
  }
  const text = `for (local = 0; local < size; local++) { ${enter(options)}\nthread: {\n${writer.block(body, 'break thread;', NO_LOOP)}\n} }`;
  return { text, temporaries: writer.temporaries };
}

class Writer {
  readonly temporaries: string[] = [];
  readonly #options: WriterOptions;
  readonly #context: ExprContext;
  readonly #locals: Locals;

  constructor(options: WriterOptions) {
    this.#options = options;
    const { kernel, shape, races, uniforms, memories, constant } = options;
    this.#locals = new Locals(kernel, options.workgroupSize, constant);
    this.#context = {
      kernel,
      shape,
      races,
      uniforms,
      memories,
      constant,
      local: (name, lane) => this.#locals.read(name, lane),
      temporary: () => {
        const name = this.#locals.fresh('t');
        this.temporaries.push(name);
        return name;
      },
    };
  }

  /** A block run by one thread. `leave` is the statement that ends the thread. */
  block(body: readonly KernelStmt[], leave: string, stop = 'break;'): string {
    return this.#locals.scoped(() => body.map((s) => this.#statement(s, leave, stop)).join('\n'));
  }

  /** A block run by all threads together; `loop` is the label of the collective loop around it. */
  collective(body: readonly KernelStmt[], loop: string | null): string {
    return this.#locals.scoped(() => {
      const parts: string[] = [];
      let stretch: KernelStmt[] = [];
      // Only what a later stretch needs has to be kept; the others are plain variables of their stretch.
      const flush = (rest: readonly KernelStmt[]): void => {
        if (stretch.length > 0) parts.push(this.#stretch(stretch, rest, loop));
        stretch = [];
      };
      for (const [i, statement] of body.entries()) {
        if (!hasMeeting(statement)) {
          stretch.push(statement);
          continue;
        }
        flush(body.slice(i));
        parts.push(this.#meeting(statement, loop));
      }
      flush([]);
      return parts.join('\n');
    });
  }

  /** Statements between two barriers, thread by thread. */
  #stretch(body: readonly KernelStmt[], rest: readonly KernelStmt[], loop: string | null): string {
    const later = namesRead(rest);
    const text = this.#overThreads((leave) => {
      return body.map((statement) => {
        const keeps = (statement.kind === 'let' || statement.kind === 'var') && later.has(statement.name);
        return keeps ? this.#keep(statement) : this.#statement(statement, leave, BROKEN);
      });
    });
    const broken = body.some(leavesLoop)
      ? `if (broken > 0) { if (broken !== ran) disagree("threads leave a loop around a barrier at different times"); break ${loop ?? fault(this.#options.kernel, 'a break is in no loop')}; }`
      : '';
    const returned = body.some(returns) ? 'if (gone === size) break workgroup;' : '';
    return `${text}\n${returned}\n${broken}`;
  }

  /** A loop over the threads that have not returned; locals kept in arrays are variables inside it. */
  #overThreads(write: (leave: string) => readonly string[]): string {
    // A thread that returns never reads its locals again.
    const { open, lines, close } = this.#locals.touching(() =>
      write('{ returned[local] = 1; gone++; ran--; continue threads; }'),
    );
    return [
      'ran = 0; broken = 0; truths = 0;',
      `threads: for (local = 0; local < size; local++) { if (returned[local] === 1) continue; ran++; ${enter(this.#options)}`,
      ...open,
      'stretch: {',
      ...lines,
      '}',
      ...close,
      '}',
    ].join('\n');
  }

  /** A statement that contains a barrier, for all threads together. */
  #meeting(statement: KernelStmt, loop: string | null): string {
    const { kernel } = this.#options;
    switch (statement.kind) {
      case 'barrier':
        return 'meet(gone);';
      case 'subgroup':
        return this.#subgroup(statement);
      case 'if': {
        const truth = this.#agreed(() => writeBool(statement.condition, this.#context));
        const then = this.collective(statement.then, loop);
        const otherwise = this.collective(statement.else, loop);
        return `${truth}\nif (truths > 0) {\n${then}\n} else {\n${otherwise}\n}`;
      }
      case 'for':
        return this.#locals.scoped(() => {
          const label = this.#locals.fresh('loop');
          const counter = this.#locals.declareKept(statement.name, statement.from.type, false);
          const read = () => this.#locals.read(statement.name, 0);
          const start = this.#overThreads(() => {
            const from = writeNumber(statement.from, this.#context);
            return [`${read()} = ${from};`];
          });
          const goesOn = this.#agreed(() => `(${read()} < ${writeNumber(statement.to, this.#context)})`);
          const advance = this.#overThreads(() => [`${read()} = ${this.#advanced(counter, statement.step)};`]);
          const body = this.collective(statement.body, label);
          const next = `${body}\n${advance}`;
          if (statement.once === true) {
            const never = `if (truths === 0) ${NEVER_RUNS}`;
            return `${start}\n${goesOn}\n${never}\n${label}: while (true) {\n${next}\n${goesOn}\nif (truths === 0) break;\n}`;
          }
          return `${start}\n${label}: while (true) {\n${goesOn}\nif (truths === 0) break;\n${next}\n}`;
        });
      default:
        return fault(kernel, `a ${statement.kind} contains no barrier`);
    }
  }

  /** All threads say what they give, and then have what their subgroups make of it. */
  #subgroup({ op, name, type, value, lane }: SubgroupStmt): string {
    const { kernel, workgroupSize, shape, constant } = this.#options;
    const given = Array.from({ length: widthOf(value.type) }, () => keptArray(scalarOf(value.type), workgroupSize));
    const lanes = keptArray('u32', workgroupSize);
    const named = (array: Lanes): string => constant(this.#locals.fresh('given'), array);
    const names = given.map(named);
    const laneName = named(lanes);
    const giving = this.#overThreads(() => [
      ...this.#values(value).map((text, i) => `${at(names, i, 'kernel: component')}[local] = ${text};`),
      ...(lane === null ? [] : [`${laneName}[local] = ${writeNumber(lane, this.#context)};`]),
    ]);
    const { arrays } = this.#locals.declareKept(name, type, false);
    const subgroupSize = shape.subgroupSize ?? fault(kernel, 'a subgroup has no size');
    const how = { kernel, op, type: value.type, subgroupSize, given, lanes, results: arrays };
    const make = constant(this.#locals.fresh('exchange'), () => exchange(how));
    return `${giving}\nif (gone !== 0) fault(kernel, gone + " threads returned before a subgroup operation");\n${make}();`;
  }

  /** Asks all threads; afterwards `truths` counts those that say yes: all of them or none. */
  #agreed(write: () => string): string {
    const ask = this.#overThreads(() => [`if (${write()}) truths++;`]);
    return `${ask}\nif (truths !== 0 && truths !== ran) disagree("threads disagree about the control around a barrier");`;
  }

  #statement(statement: KernelStmt, leave: string, stop: string): string {
    const context = this.#context;
    switch (statement.kind) {
      case 'let':
      case 'var': {
        const values = this.#values(statement.value);
        const { texts } = this.#locals.declare(statement.name, statement.value.type, statement.kind === 'var');
        return texts.map((text, i) => `let ${text} = ${at(values, i, 'kernel: component')};`).join(' ');
      }
      case 'assign':
        return this.#assign(statement.name, statement.value);
      case 'store':
        return this.#store(memoryOf(statement.buffer, context), statement.index, statement.value);
      case 'store_array':
        return this.#store(memoryOf(statement.array, context), statement.index, statement.value);
      case 'atomic':
        return this.#atomic(statement);
      case 'if': {
        const condition = writeBool(statement.condition, context);
        const then = this.block(statement.then, leave, stop);
        if (statement.else.length === 0) return `if (${condition}) {\n${then}\n}`;
        return `if (${condition}) {\n${then}\n} else {\n${this.block(statement.else, leave, stop)}\n}`;
      }
      case 'for':
        return this.#locals.scoped(() => {
          const from = writeNumber(statement.from, context);
          const invariant = this.#invariant(statement.to);
          const to = writeNumber(statement.to, context);
          const local = this.#locals.declare(statement.name, statement.from.type, false);
          const counter = this.#locals.read(statement.name, 0);
          // An invariant limit is read once: this is the innermost loop of everything.
          const limit = this.#locals.fresh('end');
          const next = `${counter} = ${this.#advanced(local, statement.step)}`;
          const body = this.block(statement.body, leave);
          if (statement.once === true) {
            const end = invariant ? limit : to;
            const first = `let ${counter} = ${from}${invariant ? `, ${limit} = ${to}` : ''}; if (!(${counter} < ${end})) ${NEVER_RUNS}`;
            return `{ ${first}\ndo {\n${body}\n${next};\n} while (${counter} < ${end}); }`;
          }
          return invariant
            ? `for (let ${counter} = ${from}, ${limit} = ${to}; ${counter} < ${limit}; ${next}) {\n${body}\n}`
            : `for (let ${counter} = ${from}; ${counter} < ${to}; ${next}) {\n${body}\n}`;
        });
      case 'break':
        return stop;
      case 'return':
        return leave;
      case 'barrier':
      case 'subgroup':
        return fault(this.#options.kernel, `a ${statement.kind} was written for one thread`);
    }
  }

  /** The components of a value, one text each. */
  #values(value: KernelExpr): readonly string[] {
    return Array.from({ length: widthOf(value.type) }, (_, lane) => writeValue(value, this.#context, lane));
  }

  /** All components are computed before the first is assigned. */
  #assign(name: string, value: KernelExpr): string {
    const values = this.#values(value);
    const { texts } = this.#locals.use(name);
    if (texts.length === 1) return `${texts.join('')} = ${values.join('')};`;
    const kept = texts.map(() => this.#locals.fresh('s'));
    const compute = kept.map((k, i) => `const ${k} = ${at(values, i, 'kernel: component')};`);
    return `{ ${[...compute, ...texts.map((text, i) => `${text} = ${at(kept, i, 'kernel: component')};`)].join(' ')} }`;
  }

  /** The counter's next value. A GPU would spin for ever on one that does not advance, or wrap round and start again. */
  #advanced(counter: Local, step: KernelExpr): string {
    const [text = ''] = counter.texts;
    // One more than what is below a limit of the same type fits the type.
    if (step.kind === 'literal' && step.value === 1) return `${text} + 1`;
    const by = writeNumber(step, this.#context);
    return `${counter.type === 'i32' ? 'advanceSigned' : 'advance'}(${text}, ${by})`;
  }

  #store(names: MemoryNames, index: KernelExpr, value: KernelExpr): string {
    const { first, again } = writeIndex(index, this.#context);
    // The value is evaluated before the index is checked, and after it is computed.
    const values = this.#values(value);
    const kept = values.map(() => this.#locals.fresh('s'));
    const view = names.view(loadedType(names.memory.element));
    const writes = kept.map((k, lane) => {
      const word = writeWordIndex(names, again, lane);
      const note = this.#options.races ? `noteStore(kernel, ${names.itself}, ${word}, thread); ` : '';
      return `${note}${view}[${word}] = ${k};`;
    });
    const before = first === again ? '' : `${first}; `;
    return (
      `{ ${before}${kept.map((k, i) => `const ${k} = ${at(values, i, 'kernel: component')}; `).join('')}` +
      `if (!(${again} >>> 0 < ${names.length})) outOfBounds(kernel, "store to", ${names.itself}, ${again}); ` +
      `${writes.join(' ')} }`
    );
  }

  #atomic(statement: Extract<KernelStmt, { kind: 'atomic' }>): string {
    const context = this.#context;
    const names = memoryOf(statement.buffer, context);
    const { first, again } = writeIndex(statement.index, context);
    const { op } = statement;
    const kept = this.#locals.fresh('s');
    const element = `${names.view(loadedType(names.memory.element))}[${again}]`;
    const result = op === 'add' ? `${element} + ${kept}` : `Math.${op}(${element}, ${kept})`;
    const before = first === again ? '' : `${first}; `;
    return (
      `{ ${before}const ${kept} = ${writeNumber(statement.value, context)}; ` +
      `if (!(${again} >>> 0 < ${names.length})) outOfBounds(kernel, "atomic ${op} on", ${names.itself}, ${again}); ` +
      `${element} = ${result}; }`
    );
  }

  /** Whether an expression keeps its value while a loop body runs: no memory, no mutable local. */
  #invariant(expr: KernelExpr): boolean {
    if (expr.kind === 'load' || expr.kind === 'load_array') return false;
    if (expr.kind === 'local' && this.#locals.find(expr.name).mutable) return false;
    return operandsOf(expr).every((e) => this.#invariant(e));
  }

  /** A local that a later stretch reads. */
  #keep(statement: Extract<KernelStmt, { kind: 'let' | 'var' }>): string {
    const values = this.#values(statement.value);
    this.#locals.declareKept(statement.name, statement.value.type, statement.kind === 'var');
    const { texts } = this.#locals.use(statement.name);
    return texts.map((text, i) => `${text} = ${at(values, i, 'kernel: component')};`).join(' ');
  }
}

/** A break out of a collective loop: noted, so that all threads can be seen to take it. */
const BROKEN = '{ broken++; break stretch; }';

/** Names of locals that some statement reads or assigns. */
function namesRead(body: readonly KernelStmt[]): ReadonlySet<string> {
  const names = new Set<string>();
  const ofExpr = (expr: KernelExpr): void => {
    if (expr.kind === 'local') names.add(expr.name);
    operandsOf(expr).forEach(ofExpr);
  };
  const ofStatement = (statement: KernelStmt): void => {
    if (statement.kind === 'assign') names.add(statement.name);
    expressionsOf(statement).forEach(ofExpr);
    for (const block of blocksOf(statement)) block.forEach(ofStatement);
  };
  body.forEach(ofStatement);
  return names;
}

function returns(statement: KernelStmt): boolean {
  return statement.kind === 'return' || blocksOf(statement).some((block) => block.some(returns));
}
