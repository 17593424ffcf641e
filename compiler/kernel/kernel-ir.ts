/**
 * The kernel IR: a small tree of statements and typed expressions with structured control, close enough to WGSL that
 * reading it is reading the shader.
 *
 * Invariants (see verify-kernel.ts):
 * - Buffers are declared once, as data; bindings, layouts and the manifest derive from that. There is no raw-WGSL escape.
 * - All scalars are 32-bit: f32, i32, u32; `bool` exists in registers only and is stored as u32 (0 or 1).
 * - Vectors are two or four scalars, for loads of 16 bytes and registers that hold them; what they compute is what their
 *   components would, one by one.
 * - Sizes reach a kernel as uniform fields (u32, i32 or f32), so that kernels of equal structure share one pipeline.
 * - Workgroups have one dimension, and a grid of them two where one is too short (runtime/contract/grid.ts); or both have three,
 *   where a kernel says so.
 * - Names are generated (`v0`, `acc1`): no user text reaches a shader.
 *
 * What operations compute, also where WGSL leaves it open (division by 0, `min` of NaN, long shifts): arithmetic.ts.
 */

/** What is stored: the types a buffer, a uniform or a bitcast can have. */
export type NumericType = 'f32' | 'i32' | 'u32';

export type ScalarType = NumericType | 'bool';

/** How many scalars a value or a stored element has. There is no three: WGSL stores it as four. */
export type Width = 1 | 2 | 4;

/** Two or four scalars side by side. Operations work on each component; what has one width meets what has the same only. */
export type VectorType = `vec${2 | 4}<${ScalarType}>`;

/** What an expression can be. Equal types are equal texts. */
export type ValueType = ScalarType | VectorType;

/** What a load gives: numbers, as many as the memory's elements have. */
export type LoadedType = NumericType | `vec${2 | 4}<${NumericType}>`;

export type FloatType = 'f32' | 'vec2<f32>' | 'vec4<f32>';

/** Element type of a storage buffer or workgroup array. */
export type BufferElement = NumericType | 'atomic_i32' | 'atomic_u32';

/** A storage buffer of a kernel: a flat array of 32-bit elements, or of vectors of them. */
export interface BufferDecl {
  readonly name: string;
  readonly element: BufferElement;
  readonly access: 'read' | 'read_write';
  /**
   * Elements that one index names: `array<vec4<f32>>` has 4. Absent: 1. What is bound starts and ends at a multiple of so many;
   * the plan and the runtime see to it.
   */
  readonly lanes?: Width;
}

/** A uniform field. All fields of a kernel form one uniform struct, in this order. */
export interface UniformDecl {
  readonly name: string;
  readonly type: NumericType;
}

/**
 * An array of a fixed number of elements, zero at first: one that all threads of a workgroup share, or one of each thread. Who has a thread's
 * own array reads it faster where the threads of a subgroup are lanes of a processor, which keep the same element side by side; elsewhere
 * it is memory far away, and what threads share is near.
 */
export interface ArrayDecl {
  readonly scope: 'workgroup' | 'thread';
  readonly name: string;
  readonly element: BufferElement;
  readonly length: number;
}

export type KernelUnaryOp =
  | 'neg'
  | 'not'
  | 'bit_not'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  /** Roots are defined for positive normal f32 only; math/roots.ts handles the rest. Other functions are made of operations (math/). */
  | 'sqrt'
  | 'rsqrt';

export type KernelBinaryOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'rem'
  | 'min'
  | 'max'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'bit_and'
  | 'bit_or'
  | 'bit_xor'
  | 'shl'
  | 'shr';

export type Builtin =
  | 'global_id_x'
  | 'global_id_y'
  | 'global_id_z'
  | 'local_id_x'
  | 'local_id_y'
  | 'local_id_z'
  | 'workgroup_id_x'
  | 'workgroup_id_y'
  | 'workgroup_id_z'
  | 'num_workgroups_x'
  | 'num_workgroups_y'
  | 'num_workgroups_z'
  /** The thread's number in its workgroup, x fastest. */
  | 'local_index'
  /** The thread's number in its subgroup: `local_index` modulo the subgroup's size. */
  | 'subgroup_lane';

export type KernelExpr =
  | { readonly kind: 'literal'; readonly type: ScalarType; readonly value: number | boolean }
  | { readonly kind: 'local'; readonly type: ValueType; readonly name: string }
  | { readonly kind: 'builtin'; readonly type: 'u32'; readonly name: Builtin }
  | { readonly kind: 'uniform'; readonly type: NumericType; readonly name: string }
  | { readonly kind: 'load'; readonly type: LoadedType; readonly buffer: string; readonly index: KernelExpr }
  | {
      readonly kind: 'load_array';
      readonly type: NumericType;
      readonly array: string;
      readonly index: KernelExpr;
    }
  | { readonly kind: 'unary'; readonly type: ValueType; readonly op: KernelUnaryOp; readonly operand: KernelExpr }
  | {
      readonly kind: 'binary';
      readonly type: ValueType;
      readonly op: KernelBinaryOp;
      readonly left: KernelExpr;
      readonly right: KernelExpr;
    }
  /** Both sides are evaluated (as WGSL `select`): loads in them must be in bounds. One condition decides for vectors too, or one each. */
  | {
      readonly kind: 'select';
      readonly type: ValueType;
      readonly condition: KernelExpr;
      readonly then: KernelExpr;
      readonly else: KernelExpr;
    }
  /**
   * Value conversion; bool to number gives 0 or 1. f32 to integers truncates and saturates; NaN gives 0 where kernels are
   * interpreted, and no kernel may rely on it.
   */
  | { readonly kind: 'convert'; readonly type: ValueType; readonly operand: KernelExpr }
  | { readonly kind: 'bitcast'; readonly type: LoadedType; readonly operand: KernelExpr }
  | {
      readonly kind: 'fma';
      readonly type: FloatType;
      readonly a: KernelExpr;
      readonly b: KernelExpr;
      readonly c: KernelExpr;
    }
  /** In elements as an index counts them. */
  | { readonly kind: 'buffer_length'; readonly type: 'u32'; readonly buffer: string }
  /** A vector of these scalars, as many as its width. */
  | { readonly kind: 'vector'; readonly type: VectorType; readonly parts: readonly KernelExpr[] }
  /** A vector of one scalar repeated. */
  | { readonly kind: 'splat'; readonly type: VectorType; readonly operand: KernelExpr }
  | { readonly kind: 'component'; readonly type: ScalarType; readonly operand: KernelExpr; readonly index: number };

export type AtomicOp = 'add' | 'min' | 'max';

/**
 * What the lanes of a subgroup do together. There is no sum of f32: its order is the driver's. Folding by `shuffle_xor` has a stated
 * one.
 */
export type SubgroupOp = 'broadcast' | 'shuffle' | 'shuffle_xor' | 'add' | 'min' | 'max' | 'ballot' | 'all' | 'any';

export type KernelStmt =
  /** An immutable local. */
  | { readonly kind: 'let'; readonly name: string; readonly value: KernelExpr }
  /** A mutable local. */
  | { readonly kind: 'var'; readonly name: string; readonly value: KernelExpr }
  | { readonly kind: 'assign'; readonly name: string; readonly value: KernelExpr }
  | { readonly kind: 'store'; readonly buffer: string; readonly index: KernelExpr; readonly value: KernelExpr }
  | { readonly kind: 'store_array'; readonly array: string; readonly index: KernelExpr; readonly value: KernelExpr }
  | {
      readonly kind: 'atomic';
      readonly op: AtomicOp;
      readonly buffer: string;
      readonly index: KernelExpr;
      readonly value: KernelExpr;
    }
  | {
      readonly kind: 'if';
      readonly condition: KernelExpr;
      readonly then: readonly KernelStmt[];
      readonly else: readonly KernelStmt[];
    }
  /** `for (var name = from; name < to; name += step)`; the type is that of `from` (u32 or i32). */
  | {
      readonly kind: 'for';
      readonly name: string;
      readonly from: KernelExpr;
      readonly to: KernelExpr;
      readonly step: KernelExpr;
      readonly body: readonly KernelStmt[];
      /**
       * The loop runs at least once, which whoever builds it knows, and tests at its bottom: a driver that runs lanes in step runs the body of
       * a loop that tests at its top once more, with no lane active.
       */
      readonly once?: true;
      /** Legalisation writes the rounds out (legalise/unroll-loops.ts): the bounds are literals, and nothing leaves the loop. */
      readonly unroll?: true;
    }
  | { readonly kind: 'break' }
  | { readonly kind: 'return' }
  /** workgroupBarrier(): only under uniform control. */
  | { readonly kind: 'barrier' }
  /**
   * An immutable local made by all lanes of a subgroup together, under uniform control; memory is not ordered by it.
   * `lane`: of `broadcast` the lane that gives its value, and of `shuffle_xor` the mask, both literals; of `shuffle` the lane that each
   * asks; else null. `ballot` has bit i where lane i says true.
   */
  | {
      readonly kind: 'subgroup';
      readonly op: SubgroupOp;
      readonly name: string;
      readonly type: ValueType;
      readonly value: KernelExpr;
      readonly lane: KernelExpr | null;
    };

/** Along x, y and z. */
export type Sides = readonly [number, number, number];

export interface Kernel {
  /** Family and shape of the work, snake_case: goes into labels. */
  readonly name: string;
  /** Threads of a workgroup. */
  readonly workgroupSize: number;
  /** Its sides along x, y and z, and then its grid has three dimensions too. Absent: a row of threads, in a grid that is one row, folded. */
  readonly sides?: Sides;
  /** Lanes that work in step, for kernels with subgroup operations: the same in every run. Absent: no such operation. */
  readonly subgroupSize?: number;
  readonly buffers: readonly BufferDecl[];
  readonly uniforms: readonly UniformDecl[];
  readonly arrays: readonly ArrayDecl[];
  readonly body: readonly KernelStmt[];
}
