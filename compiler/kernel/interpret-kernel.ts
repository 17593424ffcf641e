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
import type { Constant, MemoryNames } from './interpret-expressions.ts';
import { writeWorkgroup } from './interpret-statements.ts';
import {
  bindMemory,
  clearShadow,
  fault,
  newMemory,
  noteLoad,
  noteStore,
  outOfBounds,
  overlaps,
} from './interpret-memory.ts';
import type { KernelMemory, Words } from './interpret-memory.ts';
import type { Kernel } from './kernel-ir.ts';
import { lanesOf, literalProblem } from './kernel-typing.ts';

/** A buffer for a launch: the words of `data` from number `offset` (default 0) on, read as the declared type. */
export interface BufferBinding {
  readonly data: Words;
  readonly offset?: number;
}

export interface KernelLaunch {
  /** Workgroups along x, y and z. */
  readonly workgroups: readonly [x: number, y: number, z?: number];
  readonly buffers: ReadonlyMap<string, BufferBinding>;
  readonly uniforms: ReadonlyMap<string, number>;
  /** Bounds are always checked; races cost two words of shadow per element. */
  readonly checks?: { readonly bounds?: true; readonly races?: boolean };
}

/** Runs one launch, writing into the bound arrays. Throws CompilerBug where the kernel misbehaves. */
export type KernelProgram = (launch: KernelLaunch) => void;

/** Compiles `kernel` once for any number of launches (which must not overlap in time). */
export function compileKernel(kernel: Kernel): KernelProgram {
  // The program with race checks is another text, made when first asked for.
  const programs = new Map<boolean, KernelProgram>();
  return (launch) => {
    const races = launch.checks?.races === true;
    const program = programs.get(races) ?? compileWith(kernel, races);
    programs.set(races, program);
    program(launch);
  };
}

function compileWith(kernel: Kernel, races: boolean): KernelProgram {
  const memories = new Map<string, KernelMemory>();
  const declareMemory = (name: string, memory: KernelMemory): KernelMemory => {
    if (memories.has(name)) fault(kernel.name, `${name} is declared twice`);
    memories.set(name, memory);
    return memory;
  };
  const buffers = kernel.buffers.map((decl) => ({
    decl,
    memory: declareMemory(decl.name, newMemory(decl.name, decl.element, lanesOf(decl))),
  }));
  const arrays = kernel.arrays.map((decl) => {
    const memory = declareMemory(decl.name, newMemory(decl.name, decl.element));
    const of = decl.scope === 'thread' ? kernel.workgroupSize : 1;
    bindMemory(memory, new Uint32Array(decl.length * of), 0, races && decl.scope === 'workgroup');
    // As an index of one thread counts them.
    memory.length = decl.length;
    return memory;
  });
  const run = translate(kernel, races, memories, arrays);
  const values = new Float64Array(kernel.uniforms.length);

  return ({ workgroups: [groupsX, groupsY, groupsZ = 1], buffers: bindings, uniforms }) => {
    for (const groups of [groupsX, groupsY, groupsZ]) {
      if (!Number.isInteger(groups) || groups < 0) fault(kernel.name, `cannot launch ${groups} workgroups`);
    }
    for (const [i, field] of kernel.uniforms.entries()) {
      const value = uniforms.get(field.name) ?? fault(kernel.name, `uniform ${field.name} has no value`);
      const stored = field.type === 'f32' ? Math.fround(value) : value;
      const problem = field.type === 'f32' ? undefined : literalProblem(field.type, stored);
      if (problem !== undefined) fault(kernel.name, `uniform ${field.name}: ${problem}`);
      values[i] = stored;
    }
    for (const { decl, memory } of buffers) {
      const binding = bindings.get(decl.name) ?? fault(kernel.name, `buffer ${decl.name} is not bound`);
      bindMemory(memory, binding.data, binding.offset ?? 0, races && decl.access === 'read_write');
    }
    refuseAliases(kernel, buffers);
    run(groupsX, groupsY, groupsZ, values);
  };
}

function refuseAliases(
  kernel: Kernel,
  buffers: readonly { decl: Kernel['buffers'][number]; memory: KernelMemory }[],
): void {
  for (const [i, a] of buffers.entries()) {
    for (const b of buffers.slice(i + 1)) {
      if (a.decl.access === 'read' && b.decl.access === 'read') continue;
      if (overlaps(a.memory, b.memory)) {
        fault(kernel.name, `${a.decl.name} and ${b.decl.name} are bound to the same memory, and one is written`);
      }
    }
  }
}

/** One launch: workgroups along x, y and z, and the values of the uniforms in their order. */
type Run = (groupsX: number, groupsY: number, groupsZ: number, values: Float64Array) => void;

/**
 * The kernel as one JavaScript function, loops over workgroups and threads included, so that the engine compiles it as a whole.
 * The text refers to nothing but its parameters: `link` gives it the functions of interpret-memory.ts, and a list of constants.
 */
function translate(
  kernel: Kernel,
  races: boolean,
  memories: ReadonlyMap<string, KernelMemory>,
  arrays: readonly KernelMemory[],
): Run {
  const constants: Constant[] = [];
  const known = new Map<string, string>();
  const constant = (key: string, value: Constant): string => {
    const name = known.get(key) ?? `c${constants.length}`;
    if (!known.has(key)) {
      known.set(key, name);
      constants.push(value);
    }
    return name;
  };
  // The views of a memory are made anew when it is bound, and read once for each launch.
  const openings: string[] = [];
  const open = (name: string, text: string): string => {
    const line = `const ${name} = ${text};`;
    if (!openings.includes(line)) openings.push(line);
    return name;
  };
  const names = new Map(
    [...memories].map(([name, memory], i): [string, MemoryNames] => {
      const itself = constant(`memory ${name}`, memory);
      const own = kernel.arrays.find((decl) => decl.name === name && decl.scope === 'thread');
      return [
        name,
        {
          memory,
          itself,
          ...(own === undefined
            ? { length: open(`length${i}`, `${itself}.length`), from: null }
            : { length: String(own.length), from: `local * ${own.length}` }),
          view: (type) => open(`${type}_${i}`, `${itself}.${type}`),
        },
      ];
    }),
  );
  const uniforms = new Map(kernel.uniforms.map((field, i) => [field.name, `u${i}`]));
  const workgroup = writeWorkgroup(kernel.body, {
    kernel: kernel.name,
    workgroupSize: kernel.workgroupSize,
    shape: kernel,
    races,
    uniforms,
    memories: names,
    constant,
  });
  const returned = constant('returned', new Uint8Array(kernel.workgroupSize));
  const fields = kernel.uniforms.map((field, i) => {
    const whole = field.type === 'u32' ? ' >>> 0' : field.type === 'i32' ? ' | 0' : '';
    return `const u${i} = values[${i}]${whole};`;
  });
  const variables = [
    'globalX',
    ...(kernel.sides === undefined ? [] : ['globalY', 'globalZ', 'localX', 'localY', 'localZ']),
    'local',
    'thread',
    'first',
    'ran',
    'broken',
    'truths',
    'gone',
    ...workgroup.temporaries,
  ];
  const text = [
    '"use strict";',
    `const { kernel, size, arrays, outOfBounds, noteLoad, noteStore, clearShadow, fault, advance, advanceSigned } = link;`,
    'const { fround, imul } = Math;',
    ...constants.map((_, i) => `const c${i} = constants[${i}];`),
    `const returned = ${returned};`,
    'const disagree = (message) => fault(kernel, message);',
    'const meet = (gone) => {',
    '  if (gone !== 0) fault(kernel, `${gone} of ${size} threads returned before a barrier`);',
    '  for (const memory of arrays) clearShadow(memory);',
    '};',
    'return (groupsX, groupsY, groupsZ, values) => {',
    ...openings,
    ...fields,
    `let ${variables.map((name) => `${name} = 0`).join(', ')};`,
    'for (let groupZ = 0; groupZ < groupsZ; groupZ++) for (let groupY = 0; groupY < groupsY; groupY++) for (let groupX = 0; groupX < groupsX; groupX++) {',
    'first = ((groupZ * groupsY + groupY) * groupsX + groupX) * size; gone = 0;',
    'for (const memory of arrays) { memory.u32.fill(0); clearShadow(memory); }',
    workgroup.text,
    '}',
    '};',
  ].join('\n');
  const link = {
    kernel: kernel.name,
    size: kernel.workgroupSize,
    arrays,
    outOfBounds,
    noteLoad,
    noteStore,
    clearShadow,
    fault,
    advance: advancing(kernel.name, (n) => n >>> 0),
    advanceSigned: advancing(kernel.name, (n) => n | 0),
  };
  return made(text)(link, constants);
}

/** The one place where text becomes code; it is text of interpret-expressions.ts and interpret-statements.ts, never of a user. */
function made(text: string): (link: object, constants: readonly Constant[]) => Run {
  return new Function('link', 'constants', text) as (link: object, constants: readonly Constant[]) => Run;
}

/** The next value of a loop's counter: a GPU would spin for ever on one that does not advance, or wrap round and start again. */
function advancing(kernel: string, wrap: (n: number) => number): (before: number, step: number) => number {
  return (before, step) => {
    const after = before + step;
    return after > before && after === wrap(after)
      ? after
      : fault(kernel, `a loop does not advance from ${before} by ${step}`);
  };
}
