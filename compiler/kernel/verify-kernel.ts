/**
 * The verifier of the kernel IR: what has to hold of a kernel before it is printed or run. Every compilation runs it on what is
 * legalised; tests also on what a family has built.
 *
 * Checked: types of every node (kernel-typing.ts); names declared once, in scope, of the right type and mutability; stores only to
 * writable memory, atomics only on atomic memory; barriers under uniform control (uniformity.ts); no statement that cannot
 * be reached (drivers warn of it on stdout); indices that are literals; constants that WGSL can spell; nesting that shader
 * compilers accept; and the target's limits. That an index is in bounds and that threads do not race is found by running
 * (interpret-kernel.ts).
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { unreachable } from '../../dsl/diagnostics/bug.ts';
import { THREAD_BYTES, type TargetLimits } from '../target.ts';
import type { BufferDecl, KernelExpr, Kernel, KernelStmt, ScalarType, ValueType, ArrayDecl } from './kernel-ir.ts';
import type { SubgroupStmt } from './make-expressions.ts';
import { printExpr } from './print-kernel.ts';
import { shapeViolations } from './workgroup-shape.ts';
import {
  binaryType,
  componentType,
  elementType,
  isAtomic,
  isInteger,
  isNumbers,
  lanesOf,
  literalProblem,
  loadedType,
  scalarOf,
  selectType,
  subgroupType,
  unaryType,
  widthOf,
} from './kernel-typing.ts';
import { divergentMeetings } from './uniformity.ts';
import { leavesLoop, MAX_UNROLLED_ROUNDS, MAX_UNROLLED_SIZE, roundsOf, unrolledSize } from './loop-facts.ts';
import { blocksOf, expressionsOf, forEachOperand, forEachStatement } from './visit-kernel.ts';

/** Levels of blocks and expressions together; shader compilers give up at about 128. */
export const MAX_NESTING = 100;

/** What is wrong with a kernel, one sentence each; empty if nothing is. */
export function verifyKernel(kernel: Kernel, limits: TargetLimits): readonly string[] {
  return [
    ...limitViolations(kernel, limits),
    ...new BodyVerifier(kernel).violations(),
    ...divergentMeetings(kernel).map((what) => `${what} is under control that differs between threads`),
  ];
}

function limitViolations(kernel: Kernel, limits: TargetLimits): readonly string[] {
  const violations: string[] = [];
  const atMost = (what: string, value: number, limit: number) => {
    if (value > limit) violations.push(`${what}: ${value}, and the limit is ${limit}`);
  };
  atMost('storage buffers', kernel.buffers.length, limits.maxStorageBuffersPerShaderStage);
  // Each array is laid out at a multiple of 16 bytes.
  const bytesOf = (scope: ArrayDecl['scope']): number =>
    kernel.arrays
      .filter((array) => array.scope === scope)
      .reduce((bytes, { length }) => bytes + Math.ceil((4 * length) / 16) * 16, 0);
  atMost('bytes of workgroup memory', bytesOf('workgroup'), limits.maxComputeWorkgroupStorageSize);
  atMost('bytes of a thread', bytesOf('thread'), THREAD_BYTES);
  return [...violations, ...shapeViolations(kernel, limits)];
}

interface LocalInfo {
  readonly type: ValueType;
  readonly mutable: boolean;
}

class BodyVerifier {
  readonly #kernel: Kernel;
  readonly #found: string[] = [];
  readonly #buffers: ReadonlyMap<string, BufferDecl>;
  readonly #arrays: ReadonlyMap<string, ArrayDecl>;
  readonly #uniforms: ReadonlyMap<string, ScalarType>;
  readonly #scopes: Map<string, LocalInfo>[] = [];
  #loops = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#buffers = new Map(kernel.buffers.map((b) => [b.name, b]));
    this.#arrays = new Map(kernel.arrays.map((s) => [s.name, s]));
    this.#uniforms = new Map(kernel.uniforms.map((u) => [u.name, u.type]));
  }

  violations(): readonly string[] {
    const { name, buffers, uniforms, arrays, body } = this.#kernel;
    if (!/^[a-z][a-z0-9_]*$/.test(name)) this.#report(`the kernel name '${name}' is not snake_case`);
    const seen = new Set<string>();
    for (const decl of [...buffers, ...uniforms, ...arrays]) {
      if (decl.name === '') this.#report('a declaration has no name');
      if (seen.has(decl.name)) this.#report(`${decl.name} is declared twice`);
      seen.add(decl.name);
    }
    for (const decl of buffers) {
      if (isAtomic(decl.element) && decl.access === 'read') this.#report(`${decl.name} is atomic and read-only`);
      if (isAtomic(decl.element) && lanesOf(decl) > 1) this.#report(`${decl.name} has atomic vectors`);
    }
    for (const decl of arrays) {
      if (!Number.isInteger(decl.length) || decl.length < 1) this.#report(`${decl.name} has ${decl.length} elements`);
      if (isAtomic(decl.element)) this.#report(`${decl.name} is an atomic array, which no statement writes`);
    }
    if (unrolledSize(body) > MAX_UNROLLED_SIZE) {
      let unrolled = false;
      forEachStatement(body, (s) => (unrolled ||= s.kind === 'for' && s.unroll === true));
      if (unrolled) this.#report(`its text is too long with its loops written out: ${unrolledSize(body)} parts`);
    }
    this.#block(body, 1);
    return this.#found;
  }

  #report(message: string): void {
    this.#found.push(message);
  }

  #block(body: readonly KernelStmt[], depth: number): void {
    this.#scopes.push(new Map());
    for (const [i, statement] of body.entries()) {
      this.#statement(statement, depth);
      const next = body[i + 1];
      if (endsFlow(statement) && next !== undefined) {
        this.#report(`a ${next.kind} after a ${statement.kind} that never falls through is unreachable`);
        break;
      }
    }
    this.#scopes.pop();
  }

  #statement(statement: KernelStmt, depth: number): void {
    for (const expr of expressionsOf(statement)) {
      const levels = depth + this.#expr(expr);
      if (levels >= MAX_NESTING) this.#report(`a ${statement.kind} nests ${levels} levels deep`);
    }
    if (depth >= MAX_NESTING) {
      this.#report(`blocks nest ${depth} levels deep`);
      return;
    }
    switch (statement.kind) {
      case 'let':
      case 'var':
        this.#declare(statement.name, statement.value.type, statement.kind === 'var');
        break;
      case 'assign': {
        const info = this.#lookUp(statement.name);
        if (info === undefined) this.#report(`${statement.name} is assigned but not declared`);
        else if (!info.mutable) this.#report(`${statement.name} is assigned but immutable`);
        else this.#expect(statement.value, info.type, `the value of ${statement.name}`);
        break;
      }
      case 'store':
        this.#store(statement.buffer, this.#buffers.get(statement.buffer), statement.index, statement.value, false);
        break;
      case 'store_array':
        this.#store(statement.array, this.#arrays.get(statement.array), statement.index, statement.value, false);
        break;
      case 'atomic':
        this.#store(statement.buffer, this.#buffers.get(statement.buffer), statement.index, statement.value, true);
        break;
      case 'if':
        this.#expect(statement.condition, 'bool', 'the condition of an if');
        for (const block of blocksOf(statement)) this.#block(block, depth + 1);
        break;
      case 'for':
        this.#for(statement, depth);
        break;
      case 'subgroup':
        this.#subgroup(statement);
        this.#declare(statement.name, statement.type, false);
        break;
      case 'break':
        if (this.#loops === 0) this.#report('a break is in no loop');
        break;
      case 'return':
      case 'barrier':
        break;
      default:
        unreachable(statement, 'kernel');
    }
  }

  #for(statement: Extract<KernelStmt, { kind: 'for' }>, depth: number): void {
    const { type } = statement.from;
    if (!isInteger(type)) this.#report(`the loop over ${statement.name} counts in ${type}`);
    this.#expect(statement.to, type, `the limit of ${statement.name}`);
    this.#expect(statement.step, type, `the step of ${statement.name}`);
    if (statement.step.kind === 'literal' && !(Number(statement.step.value) > 0)) {
      this.#report(`the loop over ${statement.name} does not advance`);
    }
    const rounds = roundsOf(statement);
    if (statement.once === true && rounds?.length === 0)
      this.#report(`the loop over ${statement.name} runs at least once and has no round`);
    if (statement.unroll === true) {
      if (rounds === null)
        this.#report(`the loop over ${statement.name} is to be written out, and its rounds are not known`);
      else if (rounds.length > MAX_UNROLLED_ROUNDS)
        this.#report(
          `the loop over ${statement.name} is to be written out, and has over ${MAX_UNROLLED_ROUNDS} rounds`,
        );
      if (statement.body.some(leavesLoop))
        this.#report(`a break leaves the loop over ${statement.name}, which is written out`);
    }
    this.#scopes.push(new Map());
    this.#declare(statement.name, type, false);
    this.#loops++;
    this.#block(statement.body, depth + 1);
    this.#loops--;
    this.#scopes.pop();
  }

  #subgroup({ op, type, value, lane }: SubgroupStmt): void {
    const { subgroupSize: size } = this.#kernel;
    if (size === undefined) this.#report(`a subgroup ${op} in a kernel that names no size of subgroups`);
    if (subgroupType(op, value.type) !== type) this.#report(`a subgroup ${op} of ${value.type} is no ${type}`);
    const moves = op === 'broadcast' || op === 'shuffle' || op === 'shuffle_xor';
    if (moves !== (lane !== null)) this.#report(`a subgroup ${op} ${moves ? 'of no lane' : 'with a lane'}`);
    if (lane === null) return;
    this.#expect(lane, 'u32', `the lane of a subgroup ${op}`);
    if (op !== 'shuffle' && lane.kind !== 'literal') this.#report(`a subgroup ${op} of a lane that is no literal`);
    if (lane.kind === 'literal' && size !== undefined && Number(lane.value) >= size)
      this.#report(`a subgroup ${op} of lane ${Number(lane.value)}, and there are ${size}`);
  }

  #declare(name: string, type: ValueType, mutable: boolean): void {
    const memory = this.#buffers.has(name) || this.#arrays.has(name) || this.#uniforms.has(name);
    if (memory || this.#lookUp(name) !== undefined) this.#report(`the local ${name} hides another ${name}`);
    if (name === '') this.#report('a local has no name');
    at(this.#scopes, this.#scopes.length - 1, 'kernel: scope').set(name, { type, mutable });
  }

  #lookUp(name: string): LocalInfo | undefined {
    return this.#scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  #expect(expr: KernelExpr, type: ValueType, what: string): void {
    if (expr.type !== type) this.#report(`${what} is ${expr.type}, not ${type}: ${printExpr(expr)}`);
  }

  #store(
    name: string,
    decl: BufferDecl | ArrayDecl | undefined,
    index: KernelExpr,
    value: KernelExpr,
    atomic: boolean,
  ): void {
    if (decl === undefined) {
      this.#report(`a store to ${name}, which is not declared`);
      return;
    }
    if ('access' in decl && decl.access === 'read') this.#report(`a store to ${name}, which is read-only`);
    if (isAtomic(decl.element) !== atomic)
      this.#report(`${atomic ? 'an atomic' : 'a plain'} store to ${name}: ${decl.element}`);
    this.#index(name, index, 'length' in decl ? decl.length : undefined);
    this.#expect(value, elementType(decl), `what is stored in ${name}`);
  }

  #typed(expr: KernelExpr, type: ValueType | undefined): void {
    if (type !== expr.type)
      this.#report(`ill-typed, ${type ?? 'no operation'} and not ${expr.type}: ${printExpr(expr)}`);
  }

  #index(name: string, index: KernelExpr, length: number | undefined): void {
    if (!isInteger(index.type)) this.#report(`${name} is indexed by ${index.type}`);
    if (index.kind !== 'literal') return;
    const at = Number(index.value);
    if (at < 0 || (length !== undefined && at >= length)) this.#report(`${name}[${at}] is out of bounds`);
  }

  /** Looks at an expression and all of its parts; the levels it has. */
  #expr(expr: KernelExpr): number {
    let below = 0;
    forEachOperand(expr, (operand) => (below = Math.max(below, this.#expr(operand))));
    this.#node(expr);
    return below + 1;
  }

  #node(expr: KernelExpr): void {
    const wrong = (type: ValueType | undefined): void => this.#typed(expr, type);
    switch (expr.kind) {
      case 'literal': {
        const problem = literalProblem(expr.type, expr.value);
        if (problem !== undefined) this.#report(problem);
        break;
      }
      case 'local': {
        const info = this.#lookUp(expr.name);
        if (info === undefined) this.#report(`the local ${expr.name} is not in scope`);
        else wrong(info.type);
        break;
      }
      case 'builtin':
        if (expr.name === 'subgroup_lane' && this.#kernel.subgroupSize === undefined)
          this.#report('a lane of a subgroup in a kernel that names no size of subgroups');
        break;
      case 'uniform':
        if (!this.#uniforms.has(expr.name)) this.#report(`the uniform ${expr.name} is not declared`);
        else wrong(this.#uniforms.get(expr.name));
        break;
      case 'load': {
        const decl = this.#buffers.get(expr.buffer);
        if (decl === undefined) this.#report(`a load of ${expr.buffer}, which is not declared`);
        else wrong(elementType(decl));
        this.#index(expr.buffer, expr.index, undefined);
        break;
      }
      case 'load_array': {
        const decl = this.#arrays.get(expr.array);
        if (decl === undefined) this.#report(`a load of ${expr.array}, which is not declared`);
        else wrong(loadedType(decl.element));
        this.#index(expr.array, expr.index, decl?.length);
        break;
      }
      case 'buffer_length':
        if (!this.#buffers.has(expr.buffer)) this.#report(`the length of ${expr.buffer}, which is not declared`);
        break;
      case 'unary':
        wrong(unaryType(expr.op, expr.operand.type));
        break;
      case 'binary':
        wrong(binaryType(expr.op, expr.left.type, expr.right.type));
        break;
      case 'select':
        wrong(selectType(expr.condition.type, expr.then.type, expr.else.type));
        break;
      case 'convert':
      case 'bitcast': {
        const fits = expr.kind === 'convert' || isNumbers(expr.operand.type);
        wrong(fits && widthOf(expr.type) === widthOf(expr.operand.type) ? expr.type : undefined);
        break;
      }
      case 'fma':
        wrong([expr.a, expr.b, expr.c].every((e) => e.type === expr.type) ? expr.type : undefined);
        break;
      case 'vector': {
        const fits = expr.parts.length === widthOf(expr.type);
        wrong(fits && expr.parts.every((e) => e.type === scalarOf(expr.type)) ? expr.type : undefined);
        break;
      }
      case 'splat':
        wrong(expr.operand.type === scalarOf(expr.type) ? expr.type : undefined);
        break;
      case 'component':
        wrong(componentType(expr.operand.type, expr.index));
        break;
      default:
        unreachable(expr, 'kernel');
    }
  }
}

/** Whether control never comes to what follows the statement. */
function endsFlow(statement: KernelStmt): boolean {
  if (statement.kind === 'return' || statement.kind === 'break') return true;
  return (
    statement.kind === 'if' && statement.else.length > 0 && blocksOf(statement).every((block) => block.some(endsFlow))
  );
}
