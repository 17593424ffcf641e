/**
 * The kernel interpreter: a kernel on the CPU, bit for bit what the software drivers compute for + - * and all integer
 * operations (every f32 operation is rounded once; see arithmetic.ts). It is the second of the three answers that must
 * agree, and what tests kernels on machines with no GPU.
 *
 *   const run = compileKernel(kernel);
 *   run({ workgroups: [1, 1], buffers: new Map([['x', { data }]]), uniforms: new Map([['n', 4]]) });
 *
 * - Threads run one after another in the order of their ids, so that every run of a kernel is the same.
 * - An access out of bounds is an error here, never a clamp; so are missing bindings, bindings that alias a written buffer,
 *   barriers that not all threads reach, and loops that do not advance. All are bugs of ours (CompilerBug).
 * - `checks.races` also finds two threads of a launch that meet on one element (interpret-memory.ts has the rule).
 * - Workgroup memory is zero at the start of each workgroup.
 */
import { BREAK, NEXT, RETURN, compileBlock, compileCollective, hasBarrier } from './interpret-statements.ts';
import type { Code, Signal, StmtContext, Team } from './interpret-statements.ts';
import { BUILTIN_SLOT, BUILTIN_SLOTS } from './interpret-expressions.ts';
import type { Running } from './interpret-expressions.ts';
import { bindMemory, clearShadow, fault, newMemory, overlaps } from './interpret-memory.ts';
import type { Memory, Words } from './interpret-memory.ts';
import type { Kernel, Stmt } from './ir.ts';
import { literalProblem } from './typing.ts';
import { forEachExpr, forEachStatement } from './walk.ts';

/** A buffer for a launch: the elements of `data` from element `offset` (default 0) on, read as the declared type. */
export interface BufferBinding {
  readonly data: Words;
  readonly offset?: number;
}

export interface Launch {
  /** Workgroups along x and y. */
  readonly workgroups: readonly [number, number];
  readonly buffers: ReadonlyMap<string, BufferBinding>;
  readonly uniforms: ReadonlyMap<string, number>;
  /** Bounds are always checked; races cost two words of shadow per element. */
  readonly checks?: { readonly bounds?: true; readonly races?: boolean };
}

/** Runs one launch, writing into the bound arrays. Throws CompilerBug where the kernel misbehaves. */
export type KernelProgram = (launch: Launch) => void;

/** Compiles `kernel` once for any number of launches (which must not overlap in time). */
export function compileKernel(kernel: Kernel): KernelProgram {
  // The program with race checks is another set of closures, made when first asked for.
  const programs = new Map<boolean, KernelProgram>();
  return (launch) => {
    const races = launch.checks?.races === true;
    const program = programs.get(races) ?? compileWith(kernel, races);
    programs.set(races, program);
    program(launch);
  };
}

/** How many slots the constants and the locals of a body take at most. */
function countSlots(body: readonly Stmt[]): { readonly literals: number; readonly locals: number } {
  let literals = 0;
  let locals = 0;
  forEachExpr(body, (expr) => {
    if (expr.kind === 'literal') literals++;
  });
  forEachStatement(body, (statement) => {
    if (statement.kind === 'let' || statement.kind === 'var' || statement.kind === 'for') locals++;
  });
  return { literals, locals };
}

function compileWith(kernel: Kernel, races: boolean): KernelProgram {
  const counts = countSlots(kernel.body);
  // Slots: built-ins, uniforms, constants, locals. Only the locals differ between threads at a barrier.
  const firstConstant = BUILTIN_SLOTS + kernel.uniforms.length;
  const firstLocal = firstConstant + counts.literals;
  const slots = new Float64Array(firstLocal + counts.locals);
  const uniforms = new Map(kernel.uniforms.map((u, i) => [u.name, BUILTIN_SLOTS + i]));
  const memories = new Map<string, Memory>();
  const declareMemory = (name: string, memory: Memory) => {
    if (memories.has(name)) fault(kernel.name, `${name} is declared twice`);
    memories.set(name, memory);
    return memory;
  };
  const buffers = kernel.buffers.map((decl) => ({
    decl,
    memory: declareMemory(decl.name, newMemory(decl.name, decl.element)),
  }));
  const shared = kernel.shared.map((decl) => {
    const memory = declareMemory(decl.name, newMemory(decl.name, decl.element));
    bindMemory(memory, new Uint32Array(decl.length), 0, races);
    return memory;
  });

  const running: Running = { thread: 0 };
  const team = newTeam(kernel, slots.subarray(firstLocal), slots, running, shared);
  const code = compileBody(kernel, {
    slots,
    uniforms,
    memories,
    running,
    races,
    team: team.team,
    firstConstant,
    firstLocal,
  });

  return ({ workgroups: [groupsX, groupsY], buffers: bindings, uniforms: values }) => {
    for (const groups of [groupsX, groupsY]) {
      if (!Number.isInteger(groups) || groups < 0) fault(kernel.name, `cannot launch ${groups} workgroups`);
    }
    for (const field of kernel.uniforms) {
      const value = values.get(field.name) ?? fault(kernel.name, `uniform ${field.name} has no value`);
      const stored = field.type === 'f32' ? Math.fround(value) : value;
      const problem = field.type === 'f32' ? undefined : literalProblem(field.type, stored);
      if (problem !== undefined) fault(kernel.name, `uniform ${field.name}: ${problem}`);
      slots[uniforms.get(field.name) ?? 0] = stored;
    }
    for (const { decl, memory } of buffers) {
      const binding = bindings.get(decl.name) ?? fault(kernel.name, `buffer ${decl.name} is not bound`);
      bindMemory(memory, binding.data, binding.offset ?? 0, races && decl.access === 'read_write');
    }
    refuseAliases(kernel, buffers);
    slots[BUILTIN_SLOT.num_workgroups_x] = groupsX;
    for (let y = 0; y < groupsY; y++) {
      slots[BUILTIN_SLOT.global_id_y] = y;
      slots[BUILTIN_SLOT.workgroup_id_y] = y;
      for (let x = 0; x < groupsX; x++) {
        slots[BUILTIN_SLOT.workgroup_id_x] = x;
        for (const memory of shared) {
          memory.u32.fill(0);
          clearShadow(memory);
        }
        team.runWorkgroup(code, x, (y * groupsX + x) * kernel.workgroupSize);
      }
    }
  };
}

function refuseAliases(kernel: Kernel, buffers: readonly { decl: Kernel['buffers'][number]; memory: Memory }[]): void {
  for (const [i, a] of buffers.entries()) {
    for (const b of buffers.slice(i + 1)) {
      if (a.decl.access === 'read' && b.decl.access === 'read') continue;
      if (overlaps(a.memory, b.memory)) {
        fault(kernel.name, `${a.decl.name} and ${b.decl.name} are bound to the same memory, and one is written`);
      }
    }
  }
}

type BodyContext = Pick<StmtContext, 'slots' | 'uniforms' | 'memories' | 'running' | 'races' | 'team'> & {
  readonly firstConstant: number;
  readonly firstLocal: number;
};

/** Resolves names to slots and compiles the body. Scopes are a stack of maps, used at compile time only. */
function compileBody(kernel: Kernel, given: BodyContext): Code {
  // A Map does not tell -0 from 0.
  const constants = new Map<number | 'minus zero', number>();
  const scopes: Map<string, { readonly slot: number; readonly mutable: boolean }>[] = [];
  let nextLocal = given.firstLocal;
  const lookUp = (name: string) => {
    for (let i = scopes.length - 1; i >= 0; i--) {
      const found = scopes[i].get(name);
      if (found !== undefined) return found;
    }
    return fault(kernel.name, `local ${name} is not in scope`);
  };
  const context: StmtContext = {
    ...given,
    kernel: kernel.name,
    localSlot: (name) => lookUp(name).slot,
    isMutable: (name) => lookUp(name).mutable,
    constantSlot: (value) => {
      const key = Object.is(value, -0) ? 'minus zero' : value;
      const known = constants.get(key);
      if (known !== undefined) return known;
      const slot = given.firstConstant + constants.size;
      constants.set(key, slot);
      given.slots[slot] = value;
      return slot;
    },
    scoped: (body) => {
      scopes.push(new Map());
      try {
        return body();
      } finally {
        scopes.pop();
      }
    },
    declare: (name, mutable) => {
      const slot = nextLocal++;
      scopes[scopes.length - 1].set(name, { slot, mutable });
      return slot;
    },
  };
  return kernel.body.some(hasBarrier) ? compileCollective(kernel.body, context) : compileBlock(kernel.body, context);
}

interface TeamRunner {
  readonly team: Team;
  readonly runWorkgroup: (code: Code, groupX: number, firstThread: number) => void;
}

/** The threads of one workgroup. `locals` is the part of `slots` that is a thread's own. */
function newTeam(
  kernel: Kernel,
  locals: Float64Array,
  slots: Float64Array,
  running: Running,
  shared: readonly Memory[],
): TeamRunner {
  const size = kernel.workgroupSize;
  const collective = kernel.body.some(hasBarrier);
  const width = locals.length;
  const saved = new Float64Array(collective ? size * width : 0);
  const returned = new Uint8Array(size);
  let groupX = 0;
  let firstThread = 0;

  const enter = (thread: number) => {
    running.thread = firstThread + thread;
    slots[BUILTIN_SLOT.local_id_x] = thread;
    slots[BUILTIN_SLOT.global_id_x] = groupX * size + thread;
  };
  const each = (code: Code): Signal => {
    let common: Signal | undefined;
    for (let thread = 0; thread < size; thread++) {
      if (returned[thread] === 1) continue;
      enter(thread);
      // A plain loop: a handful of locals is copied faster than `set` starts.
      const at = thread * width;
      for (let i = 0; i < width; i++) locals[i] = saved[at + i];
      const signal = code();
      for (let i = 0; i < width; i++) saved[at + i] = locals[i];
      if (signal === RETURN) {
        returned[thread] = 1;
        continue;
      }
      if (common !== undefined && common !== signal) {
        fault(kernel.name, 'threads leave a loop around a barrier at different times');
      }
      common = signal;
    }
    return common ?? RETURN;
  };
  const agree = (condition: () => boolean): boolean => {
    let yes = 0;
    let no = 0;
    each(() => {
      if (condition()) yes++;
      else no++;
      return NEXT;
    });
    if (yes > 0 && no > 0) fault(kernel.name, 'threads disagree about the control around a barrier');
    return yes > 0;
  };
  const barrier = () => {
    const gone = returned.reduce((sum, r) => sum + r, 0);
    if (gone !== 0 && gone !== size) fault(kernel.name, `${gone} of ${size} threads returned before a barrier`);
    for (const memory of shared) clearShadow(memory);
  };
  return {
    team: { each, agree, barrier },
    runWorkgroup: (code, x, first) => {
      groupX = x;
      firstThread = first;
      if (collective) {
        returned.fill(0);
        finish(kernel, code());
        return;
      }
      for (let thread = 0; thread < size; thread++) {
        enter(thread);
        finish(kernel, code());
      }
    },
  };
}

function finish(kernel: Kernel, signal: Signal): void {
  if (signal === BREAK) fault(kernel.name, 'a break is in no loop');
}
