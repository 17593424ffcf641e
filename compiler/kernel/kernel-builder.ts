/**
 * KernelBuilder writes one kernel from top to bottom: it declares memory, hands out local names that occur once, and nests
 * blocks by callbacks, so that the builder code has the shape of the shader.
 *
 *   const k = new KernelBuilder('scale', 64);
 *   const x = k.buffer('x', 'f32', 'read');
 *   const y = k.buffer('y', 'f32', 'read_write');
 *   const n = k.uniform('n', 'u32');
 *   const i = k.let(globalIdX);
 *   k.when(lt(i, n), () => k.store(y, i, mul(load(x, i), 2)));
 *   const kernel = k.finish();
 *
 * Invariants: the name of a buffer, a uniform or an array is declared once; local names (`v0`, `acc1`, …) are unique in the kernel.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import {
  assign,
  asExpr,
  atomic,
  barrier,
  breakLoop,
  forRange,
  letOf,
  local,
  returnKernel,
  store,
  storeArray,
  subgroup,
  uniform,
  varOf,
  when,
} from './make-expressions.ts';
import type { KernelOperand, LoopForm } from './make-expressions.ts';
import type {
  AtomicOp,
  BufferDecl,
  KernelExpr,
  Kernel,
  KernelStmt,
  BufferElement,
  Sides,
  SubgroupOp,
  UniformDecl,
  Width,
  ArrayDecl,
} from './kernel-ir.ts';

export class KernelBuilder {
  readonly name: string;
  readonly workgroupSize: number;
  readonly #sides: Sides | undefined;
  readonly #subgroupSize: number | undefined;
  readonly #buffers: BufferDecl[] = [];
  readonly #uniforms: UniformDecl[] = [];
  readonly #arrays: ArrayDecl[] = [];
  readonly #declared = new Set<string>();
  readonly #body: KernelStmt[] = [];
  readonly #maxTrips = new Map<string, number>();
  #block: KernelStmt[] = this.#body;
  #locals = 0;
  /** Locals that stay what they are: lets and counters. One that is assigned to is another value later. */
  readonly #fixed = new Set<string>();

  /** Three sides make a workgroup, and its grid, of three dimensions. `subgroupSize` is for kernels with subgroup operations. */
  constructor(name: string, workgroup: number | Sides, subgroupSize?: number) {
    this.name = name;
    this.#sides = typeof workgroup === 'number' ? undefined : workgroup;
    this.workgroupSize = typeof workgroup === 'number' ? workgroup : workgroup[0] * workgroup[1] * workgroup[2];
    this.#subgroupSize = subgroupSize;
  }

  /** Whether its threads and its grid are rows. */
  get isLinear(): boolean {
    return this.#sides === undefined;
  }

  /** Declares a storage buffer; bindings follow the order of declaration. With `lanes`, one of vectors. */
  buffer(name: string, element: BufferElement, access: 'read' | 'read_write', lanes: Width = 1): BufferDecl {
    const decl: BufferDecl = { name: this.#declare(name), element, access, ...(lanes === 1 ? {} : { lanes }) };
    this.#buffers.push(decl);
    return decl;
  }

  /** Declares a uniform field and returns its value. */
  uniform(name: string, type: UniformDecl['type']): KernelExpr {
    const decl: UniformDecl = { name: this.#declare(name), type };
    this.#uniforms.push(decl);
    return uniform(decl);
  }

  /** Declares an array of `length` elements that the threads of a workgroup share, or that each of them has. */
  array(scope: ArrayDecl['scope'], name: string, element: BufferElement, length: number): ArrayDecl {
    const decl: ArrayDecl = { scope, name: this.#declare(name), element, length };
    this.#arrays.push(decl);
    return decl;
  }

  shared(name: string, element: BufferElement, length: number): ArrayDecl {
    return this.array('workgroup', name, element, length);
  }

  /** A local name not used yet, for statements made by hand: `prefix` and a number. */
  fresh(prefix = 'v'): string {
    const name = `${prefix}${this.#locals++}`;
    return this.#declared.has(name) ? this.fresh(prefix) : name;
  }

  /** This value by a name, to be read as often as wanted: an immutable local, or the value itself where it has such a name. */
  let(value: KernelExpr, prefix = 'v'): KernelExpr {
    // The number of a name that is not needed is left out: what comes later is called as it would be.
    const name = this.fresh(prefix);
    if (value.kind === 'uniform' || (value.kind === 'local' && this.#fixed.has(value.name))) return value;
    this.#fixed.add(name);
    this.#block.push(letOf(name, value));
    return local(name, value.type);
  }

  /** A mutable local that starts at `value`. */
  var(value: KernelExpr, prefix = 'acc'): KernelExpr {
    const name = this.fresh(prefix);
    this.#block.push(varOf(name, value));
    return local(name, value.type);
  }

  assign(target: KernelExpr, value: KernelOperand): void {
    this.#block.push(assign(target, value));
  }

  store(buffer: BufferDecl, index: KernelOperand, value: KernelOperand): void {
    this.#block.push(store(buffer, index, value));
  }

  storeArray(array: ArrayDecl, index: KernelOperand, value: KernelOperand): void {
    this.#block.push(storeArray(array, index, value));
  }

  atomic(op: AtomicOp, buffer: BufferDecl, index: KernelOperand, value: KernelOperand): void {
    this.#block.push(atomic(op, buffer, index, value));
  }

  /** `if (condition)`; a condition known while building leaves only the branch taken. */
  when(condition: KernelExpr, then: () => void, otherwise?: () => void): void {
    if (condition.kind === 'literal') {
      if (condition.value === true) then();
      else otherwise?.();
      return;
    }
    const thenBlock = this.#nested(then);
    this.#block.push(when(condition, thenBlock, otherwise === undefined ? [] : this.#nested(otherwise)));
  }

  /**
   * `for (i = from; i < to; i += step)`; the body is given the counter. `maxTrips` is how often it runs at most, where the limits do not
   * tell.
   */
  forRange(
    from: KernelOperand,
    to: KernelOperand,
    step: KernelOperand,
    body: (counter: KernelExpr) => void,
    maxTrips?: number,
  ): void {
    this.#loop(from, to, step, body, {}, maxTrips);
  }

  /** As `forRange`, of a loop that surely runs once: it tests at its bottom. */
  forOnce(
    from: KernelOperand,
    to: KernelOperand,
    step: KernelOperand,
    body: (counter: KernelExpr) => void,
    maxTrips?: number,
  ): void {
    this.#loop(from, to, step, body, { once: true }, maxTrips);
  }

  /** As `forRange`, of rounds that legalisation writes out. */
  forUnrolled(from: number, to: number, step: number, body: (counter: KernelExpr) => void): void {
    this.#loop(from, to, step, body, { unroll: true });
  }

  /** What every lane of a subgroup gets of lane number `lane`. */
  broadcast(value: KernelExpr, lane: number): KernelExpr {
    return this.#together('broadcast', value, lane);
  }

  /** What lane number `lane` has, which each lane says for itself. */
  shuffle(value: KernelExpr, lane: KernelOperand): KernelExpr {
    return this.#together('shuffle', value, lane);
  }

  /** What the lane has whose number differs from the own by the bits of `mask`. */
  shuffleXor(value: KernelExpr, mask: number): KernelExpr {
    return this.#together('shuffle_xor', value, mask);
  }

  /** Sum, minimum or maximum of integers over the lanes of a subgroup. */
  fold(op: 'add' | 'min' | 'max', value: KernelExpr): KernelExpr {
    return this.#together(op, value);
  }

  /** Which lanes say true, a bit each; or whether all or any do. */
  vote(op: 'ballot' | 'all' | 'any', value: KernelExpr): KernelExpr {
    return this.#together(op, value);
  }

  break(): void {
    this.#block.push(breakLoop);
  }

  return(): void {
    this.#block.push(returnKernel);
  }

  barrier(): void {
    this.#block.push(barrier);
  }

  /** Appends statements made by hand. */
  push(...statements: readonly KernelStmt[]): void {
    this.#block.push(...statements);
  }

  /** The statements `write` appends, as a block of their own instead of here. */
  block(write: () => void): readonly KernelStmt[] {
    return this.#nested(write);
  }

  /** How often a loop runs at most, by its counter, where that was said. */
  get maxTrips(): ReadonlyMap<string, number> {
    return this.#maxTrips;
  }

  /** The finished kernel. */
  finish(): Kernel {
    return {
      name: this.name,
      workgroupSize: this.workgroupSize,
      ...(this.#sides === undefined ? {} : { sides: this.#sides }),
      ...(this.#subgroupSize === undefined ? {} : { subgroupSize: this.#subgroupSize }),
      buffers: [...this.#buffers],
      uniforms: [...this.#uniforms],
      arrays: [...this.#arrays],
      body: [...this.#body],
    };
  }

  #loop(
    from: KernelOperand,
    to: KernelOperand,
    step: KernelOperand,
    body: (counter: KernelExpr) => void,
    form: LoopForm,
    maxTrips?: number,
  ): void {
    const name = this.fresh('i');
    this.#fixed.add(name);
    if (maxTrips !== undefined) this.#maxTrips.set(name, maxTrips);
    const type = typeof from !== 'number' ? from.type : typeof to !== 'number' ? to.type : 'u32';
    const block = this.#nested(() => body(local(name, type)));
    this.#block.push(forRange(name, asExpr(from, type), to, step, block, form));
  }

  #together(op: SubgroupOp, value: KernelExpr, lane: KernelOperand | null = null): KernelExpr {
    const statement = subgroup(op, this.fresh('v'), value, lane);
    this.#block.push(statement);
    return local(statement.name, statement.type);
  }

  #nested(write: () => void): readonly KernelStmt[] {
    const outer = this.#block;
    const inner: KernelStmt[] = [];
    this.#block = inner;
    try {
      write();
    } finally {
      this.#block = outer;
    }
    return inner;
  }

  #declare(name: string): string {
    if (this.#declared.has(name)) throw new CompilerBug('kernel', `${this.name} declares ${name} twice`);
    this.#declared.add(name);
    return name;
  }
}
