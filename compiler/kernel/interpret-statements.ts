/**
 * Statements of the kernel interpreter, as JavaScript text.
 *
 * Two ways to run. What has no barrier is run by one thread from end to end: a statement becomes the JavaScript statement of the same
 * shape. A block with a barrier inside is run by all threads of the workgroup together ("collective"): each stretch between two
 * barriers becomes a loop over the threads, locals that live across barriers become an array with an element for each thread, and
 * the control around a barrier is decided by all threads, which must agree (the dynamic form of the verifier's uniformity rule).
 */
import { memoryOf, writeBool, writeIndex, writeNumber, writeValue } from './interpret-expressions.ts';
import type { Constant, ExprContext, MemoryNames } from './interpret-expressions.ts';
import { fault } from './interpret-memory.ts';
import type { KernelExpr, ScalarType, KernelStmt } from './kernel-ir.ts';
import { loadedType } from './kernel-typing.ts';
import { blocksOf, expressionsOf, operandsOf } from './visit-kernel.ts';

/** A local in scope: its text where it is read, its type, and, for one that lives across barriers, the array it is kept in. */
interface Local {
  readonly text: string;
  readonly type: ScalarType;
  readonly mutable: boolean;
  readonly kept: string | null;
}

export interface WriterOptions {
  readonly kernel: string;
  readonly workgroupSize: number;
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

export function hasBarrier(statement: KernelStmt): boolean {
  return statement.kind === 'barrier' || blocksOf(statement).some((block) => block.some(hasBarrier));
}

/** A break that is in no loop. */
const NO_LOOP = 'disagree("a break is in no loop");';

/** What enters a thread of the workgroup. */
const ENTER = 'globalX = groupX * size + local; thread = first + local;';

/** The body of a kernel for one workgroup: `groupX`, `groupY` and `first` are set. */
export function writeWorkgroup(body: readonly KernelStmt[], options: WriterOptions): WorkgroupText {
  const writer = new Writer(options);
  if (body.some(hasBarrier)) {
    const text = `returned.fill(0);\nworkgroup: {\n${writer.collective(body, null)}\n}`;
    return { text, temporaries: writer.temporaries };
  }
  const text = `for (local = 0; local < size; local++) { ${ENTER}\nthread: {\n${writer.block(body, 'break thread;', NO_LOOP)}\n} }`;
  return { text, temporaries: writer.temporaries };
}

class Writer {
  readonly temporaries: string[] = [];
  readonly #options: WriterOptions;
  readonly #scopes: Map<string, Local>[] = [];
  readonly #context: ExprContext;
  #names = 0;
  /** Locals that live across barriers and that the stretch being written reads or writes. */
  #touched: Set<Local> | null = null;

  constructor(options: WriterOptions) {
    this.#options = options;
    const { kernel, races, uniforms, memories, constant } = options;
    this.#context = {
      kernel,
      races,
      uniforms,
      memories,
      constant,
      local: (name) => this.#use(name).text,
      temporary: () => {
        const name = this.#fresh('t');
        this.temporaries.push(name);
        return name;
      },
    };
  }

  /** A block run by one thread. `leave` is the statement that ends the thread. */
  block(body: readonly KernelStmt[], leave: string, stop = 'break;'): string {
    return this.#scoped(() => body.map((s) => this.#statement(s, leave, stop)).join('\n'));
  }

  /** A block run by all threads together; `loop` is the label of the collective loop around it. */
  collective(body: readonly KernelStmt[], loop: string | null): string {
    return this.#scoped(() => {
      const parts: string[] = [];
      let stretch: KernelStmt[] = [];
      // Only what a later stretch needs has to be kept; the others are plain variables of their stretch.
      const flush = (rest: readonly KernelStmt[]): void => {
        if (stretch.length > 0) parts.push(this.#stretch(stretch, rest, loop));
        stretch = [];
      };
      for (const [i, statement] of body.entries()) {
        if (!hasBarrier(statement)) {
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
    const outer = this.#touched;
    const touched = new Set<Local>();
    this.#touched = touched;
    // A thread that returns never reads its locals again.
    const lines = write('{ returned[local] = 1; gone++; ran--; continue threads; }');
    this.#touched = outer;
    const kept = [...touched];
    const open = kept.map((l) => `let ${l.text} = ${l.kept}[local]${l.type === 'bool' ? ' !== 0' : ''};`);
    const close = kept.map((l) => `${l.kept}[local] = ${l.type === 'bool' ? `${l.text} ? 1 : 0` : l.text};`);
    return [
      'ran = 0; broken = 0; truths = 0;',
      `threads: for (local = 0; local < size; local++) { if (returned[local] === 1) continue; ran++; ${ENTER}`,
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
      case 'if': {
        const truth = this.#agreed(() => writeBool(statement.condition, this.#context));
        const then = this.collective(statement.then, loop);
        const otherwise = this.collective(statement.else, loop);
        return `${truth}\nif (truths > 0) {\n${then}\n} else {\n${otherwise}\n}`;
      }
      case 'for':
        return this.#scoped(() => {
          const label = this.#fresh('loop');
          const counter = this.#declareKept(statement.name, statement.from.type, false);
          const start = this.#overThreads(() => {
            const from = writeNumber(statement.from, this.#context);
            return [`${this.#use(statement.name).text} = ${from};`];
          });
          const goesOn = this.#agreed(
            () => `(${this.#use(statement.name).text} < ${writeNumber(statement.to, this.#context)})`,
          );
          const advance = this.#overThreads(() => {
            const { text } = this.#use(statement.name);
            return [`${text} = ${this.#advanced(counter, statement.step)};`];
          });
          const body = this.collective(statement.body, label);
          return `${start}\n${label}: while (true) {\n${goesOn}\nif (truths === 0) break;\n${body}\n${advance}\n}`;
        });
      default:
        return fault(kernel, `a ${statement.kind} contains no barrier`);
    }
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
        const value = writeValue(statement.value, context);
        const text = this.#declare(statement.name, statement.value.type, statement.kind === 'var');
        return `let ${text} = ${value};`;
      }
      case 'assign': {
        const value = writeValue(statement.value, context);
        return `${this.#use(statement.name).text} = ${value};`;
      }
      case 'store':
        return this.#store(memoryOf(statement.buffer, context), statement.index, statement.value);
      case 'store_shared':
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
        return this.#scoped(() => {
          const from = writeNumber(statement.from, context);
          const invariant = this.#invariant(statement.to);
          const to = writeNumber(statement.to, context);
          const counter = this.#declare(statement.name, statement.from.type, false);
          // An invariant limit is read once: this is the innermost loop of everything.
          const limit = this.#fresh('end');
          const next = `${counter} = ${this.#advanced(this.#use(statement.name), statement.step)}`;
          const body = this.block(statement.body, leave);
          return invariant
            ? `for (let ${counter} = ${from}, ${limit} = ${to}; ${counter} < ${limit}; ${next}) {\n${body}\n}`
            : `for (let ${counter} = ${from}; ${counter} < ${to}; ${next}) {\n${body}\n}`;
        });
      case 'break':
        return stop;
      case 'return':
        return leave;
      case 'barrier':
        return fault(this.#options.kernel, 'a barrier was written for one thread');
    }
  }

  /** The counter's next value. A GPU would spin for ever on one that does not advance, or wrap round and start again. */
  #advanced(counter: Local, step: KernelExpr): string {
    // One more than what is below a limit of the same type fits the type.
    if (step.kind === 'literal' && step.value === 1) return `${counter.text} + 1`;
    const by = writeNumber(step, this.#context);
    return `${counter.type === 'i32' ? 'advanceSigned' : 'advance'}(${counter.text}, ${by})`;
  }

  #store(names: MemoryNames, index: KernelExpr, value: KernelExpr): string {
    const context = this.#context;
    const { first, again } = writeIndex(index, context);
    // The value is evaluated before the index is checked, and after it is computed.
    const kept = this.#fresh('s');
    const view = names.view(loadedType(names.memory.element));
    const note = this.#options.races ? `noteStore(kernel, ${names.itself}, ${again}, thread); ` : '';
    const before = first === again ? '' : `${first}; `;
    return (
      `{ ${before}const ${kept} = ${writeNumber(value, context)}; ` +
      `if (!(${again} >>> 0 < ${names.length})) outOfBounds(kernel, "store to", ${names.itself}, ${again}); ` +
      `${note}${view}[${again}] = ${kept}; }`
    );
  }

  #atomic(statement: Extract<KernelStmt, { kind: 'atomic' }>): string {
    const context = this.#context;
    const names = memoryOf(statement.buffer, context);
    const { first, again } = writeIndex(statement.index, context);
    const { op } = statement;
    const kept = this.#fresh('s');
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
    if (expr.kind === 'load' || expr.kind === 'load_shared') return false;
    if (expr.kind === 'local' && this.#find(expr.name).mutable) return false;
    return operandsOf(expr).every((e) => this.#invariant(e));
  }

  /** A local that a later stretch reads. */
  #keep(statement: Extract<KernelStmt, { kind: 'let' | 'var' }>): string {
    const value = writeValue(statement.value, this.#context);
    this.#declareKept(statement.name, statement.value.type, statement.kind === 'var');
    return `${this.#use(statement.name).text} = ${value};`;
  }

  #declare(name: string, type: ScalarType, mutable: boolean): string {
    const text = this.#fresh('v');
    this.#scope().set(name, { text, type, mutable, kept: null });
    return text;
  }

  #declareKept(name: string, type: ScalarType, mutable: boolean): Local {
    const text = this.#fresh('v');
    const size = this.#options.workgroupSize;
    const kept = this.#options.constant(`kept_${text}`, keptArray(type, size));
    const local: Local = { text, type, mutable, kept };
    this.#scope().set(name, local);
    return local;
  }

  #use(name: string): Local {
    const local = this.#find(name);
    if (local.kept !== null) this.#touched?.add(local);
    return local;
  }

  #find(name: string): Local {
    const found = this.#scopes.findLast((scope) => scope.has(name))?.get(name);
    return found ?? fault(this.#options.kernel, `local ${name} is not in scope`);
  }

  #scope(): Map<string, Local> {
    return this.#scopes.at(-1) ?? fault(this.#options.kernel, 'a local is declared outside of every block');
  }

  #scoped(write: () => string): string {
    this.#scopes.push(new Map());
    try {
      return write();
    } finally {
      this.#scopes.pop();
    }
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }
}

/** A break out of a collective loop: noted, so that all threads can be seen to take it. */
const BROKEN = '{ broken++; break stretch; }';

function keptArray(type: ScalarType, size: number): Float32Array | Int32Array | Uint32Array | Uint8Array {
  switch (type) {
    case 'f32':
      return new Float32Array(size);
    case 'i32':
      return new Int32Array(size);
    case 'u32':
      return new Uint32Array(size);
    case 'bool':
      return new Uint8Array(size);
  }
}

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

/** Whether a statement can leave the loop around it. */
function leavesLoop(statement: KernelStmt): boolean {
  if (statement.kind === 'break') return true;
  if (statement.kind === 'for') return false;
  return blocksOf(statement).some((block) => block.some(leavesLoop));
}

function returns(statement: KernelStmt): boolean {
  return statement.kind === 'return' || blocksOf(statement).some((block) => block.some(returns));
}
