/**
 * The graph: SSA of named-axis operations, after every call is inlined, every chain over a static axis unrolled, every family
 * a set of axes. A chain over a dynamic axis is a `Fold`, whose body is a graph of its own. Only dense tensors exist here. A route has become three of them over its support axes (present, weight, rank),
 * and its meaning "absent points are skipped" has become one operation: `predicated`, whose value is read only where its
 * presence is true. The pass `sparsify` turns that into the domain each value is computed on (domains.ts).
 *
 * Invariants (verify-graph.ts):
 * - `nodes[i].id === i`; operands come before users.
 * - `axes` are the value's axes, in storage order, without repetition; operations meet axes by id.
 * - An operand of a `map` has a subset of the result's axes (broadcast by name).
 * - The presence of a `predicated` is a node of kind `presence`, whose axes are its sources and targets.
 * - What other nodes ask of the axes, sizes and element types of their operands stands in verify-graph.ts, a case a kind.
 */
import type { ElementType } from '../../dsl/types/program.ts';
import type { Code, Span } from '../../dsl/diagnostics/diagnostic.ts';
import type { BinaryName, DrawName, ReduceOp, UnaryName } from '../../dsl/types/primitive-names.ts';
import type { Id } from '../../dsl/types/ids.ts';
import type { Size } from '../../dsl/types/size.ts';

/** A node's index in `Graph.nodes`. */
export type NodeId = Id<'node'>;
export type AxisId = Id<'axis'>;
/** An input's place in `Graph.inputs`. */
export type GraphInputId = Id<'input of a graph'>;
/** A call's place in `Graph.externs`. */
export type ExternCallId = Id<'call of an extern'>;
/** A recurrence's place in `Graph.folds`. */
export type FoldId = Id<'fold of a graph'>;
export type { ElementType, ReduceOp, Span };

export interface GraphAxis {
  readonly id: AxisId;
  readonly name: string;
  readonly size: Size;
}

export type MapOp = UnaryName | BinaryName | 'where' | 'clamp' | 'convert';

/** "At most so many present points for each point of these axes" (SEMANTICS 4.13). */
export interface Bound {
  readonly per: readonly AxisId[];
  readonly atMost: Size;
}

interface Base {
  readonly id: NodeId;
  readonly element: ElementType;
  readonly axes: readonly AxisId[];
  /** Where in the source the value comes from. */
  readonly span: Span;
}

export type Node = Base &
  (
    | { readonly kind: 'constant'; readonly value: number }
    /** A scalar made of sizes (a formula of dynamic axes). */
    | { readonly kind: 'size'; readonly size: Size }
    | { readonly kind: 'iota'; readonly axis: AxisId }
    | { readonly kind: 'input'; readonly input: GraphInputId }
    | { readonly kind: 'map'; readonly op: MapOp; readonly operands: readonly NodeId[] }
    /** `where(presence, value, otherwise)`, with value read only where the presence holds. */
    | { readonly kind: 'predicated'; readonly presence: NodeId; readonly value: NodeId; readonly otherwise: number }
    /**
     * A bool mask of where a route is present: its sources, targets and bounds. Same value as `mask`.
     */
    | {
        readonly kind: 'presence';
        readonly mask: NodeId;
        readonly sources: readonly AxisId[];
        readonly targets: readonly AxisId[];
        readonly bounds: readonly Bound[];
      }
    /** Sum of products over axes that both sides have. */
    | { readonly kind: 'contract'; readonly left: NodeId; readonly right: NodeId; readonly over: readonly AxisId[] }
    /** Over nothing: sum 0, any false, max and min the lowest and highest of the element type (f32: the infinities). */
    | { readonly kind: 'reduce'; readonly op: ReduceOp; readonly operand: NodeId; readonly over: readonly AxisId[] }
    /** Running sum along an axis; `exclusive` leaves the point itself out. */
    | { readonly kind: 'scan'; readonly operand: NodeId; readonly axis: AxisId; readonly exclusive: boolean }
    /**
     * Sort rank (i32, from 0) of each candidate among the candidates of its group: sorted by the keys lexicographically,
     * each ascending or descending, then row-major along `over`. The result has no meaning at points that are no candidates.
     * A NaN key is below all others; with `report`, a NaN key of a candidate is an error of the run.
     */
    | {
        readonly kind: 'sort_rank';
        readonly keys: readonly { readonly node: NodeId; readonly descending: boolean }[];
        readonly candidates: NodeId | null;
        readonly over: readonly AxisId[];
        readonly report: boolean;
      }
    /**
     * The best candidates of each group, as many as `count` says and `along` has room for: their row-major positions (i32) along
     * `over`, ascending, then -1. Best is what has the greatest key, of equal ones what comes first; without a key what comes
     * first. A NaN key is below all others; with `report`, a NaN key of a candidate is an error of the run. `along` is an axis of
     * the result alone.
     */
    | {
        readonly kind: 'choose';
        readonly key: NodeId | null;
        readonly candidates: NodeId | null;
        /** i32, without axes of `over`; null: as many as there is room for. */
        readonly count: NodeId | null;
        readonly over: readonly AxisId[];
        readonly along: AxisId;
        readonly report: boolean;
      }
    /** Position (i32) of the first largest element along an axis. */
    | { readonly kind: 'argmax'; readonly operand: NodeId; readonly axis: AxisId }
    /**
     * table[axis: indices]; index -1 gives 0. Any other outside is an error of the run (a check, put by the lowering), and what
     * the node is there has no meaning.
     */
    | { readonly kind: 'gather'; readonly table: NodeId; readonly axis: AxisId; readonly indices: NodeId }
    /**
     * Draws for each point of the axes, made of the run's seed, the seed key and the points (dsl/primitives/draw-hash.ts). `roots`:
     * for each axis, the name of the axis its points are counted in and the index there of its first point, as a window draws what
     * the axis it was cut from has there.
     */
    | {
        readonly kind: 'draw';
        readonly distribution: DrawName;
        readonly seedKey: string;
        readonly roots: readonly { readonly axis: AxisId; readonly name: string; readonly offset: Size }[];
      }
    // Views: the same numbers under other indices.
    | {
        readonly kind: 'rename';
        readonly operand: NodeId;
        readonly from: readonly AxisId[];
        readonly to: readonly AxisId[];
      }
    /** The point `at` of an axis (without it), or the points from `at` on, as the axis `as`. */
    | {
        readonly kind: 'slice';
        readonly operand: NodeId;
        readonly axis: AxisId;
        readonly at: Size;
        readonly as: AxisId | null;
      }
    /** Row-major: axis → into. */
    | { readonly kind: 'split'; readonly operand: NodeId; readonly axis: AxisId; readonly into: readonly AxisId[] }
    | { readonly kind: 'merge'; readonly operand: NodeId; readonly from: readonly AxisId[]; readonly into: AxisId }
    /** Adds axes along which the value is the same. */
    | { readonly kind: 'broadcast'; readonly operand: NodeId }
    /** Parts along one axis, in order; a part without an axis of its own is one point. Other axes are united. */
    | {
        readonly kind: 'concat';
        readonly parts: readonly { readonly node: NodeId; readonly axis: AxisId | null }[];
        readonly axis: AxisId;
      }
    /** One result of a call of the host (`graph.externs`, an `ExternCall`): computed between two submissions. */
    | { readonly kind: 'extern'; readonly call: ExternCallId; readonly result: number }
    /**
     * One result of a recurrence (`graph.folds`, a `Fold`): the carried values after the last step, in order, then what each step
     * gives, with the axis of the steps in front. Nodes of one fold and equal operands are one computation.
     */
    | { readonly kind: 'fold'; readonly fold: FoldId; readonly operands: readonly NodeId[]; readonly result: number }
  );

/** What a graph reads from outside. */
export interface GraphInput {
  readonly role: 'input' | 'param' | 'state' | 'control';
  /** Host name: the entry's parameter, or the variable's path. */
  readonly name: string;
  readonly element: ElementType;
  readonly axes: readonly AxisId[];
  /** The host checks that integers lie in -1 .. size-1 of this axis. */
  readonly within: AxisId | null;
  /** A control's default: computed at the start of a run that is not given a value. */
  readonly default: NodeId | null;
}

/** A call of a function of the host. It is no node: each of its results is one, of kind `extern`. */
export interface ExternCall {
  readonly name: string;
  /** An expert works point by point of the carried axes, a function has whole tensors. */
  readonly role: 'expert' | 'fn';
  /** `axes`: those it is declared with, in that order; `within`: the axis that its integers are points of. */
  readonly operands: readonly {
    readonly name: string;
    readonly node: NodeId;
    readonly axes: readonly AxisId[];
    readonly within: AxisId | null;
  }[];
  readonly results: readonly {
    readonly element: ElementType;
    readonly axes: readonly AxisId[];
    /** The host's integers must lie in -1 .. size-1 of this axis. */
    readonly within: AxisId | null;
  }[];
  readonly family: readonly AxisId[];
  readonly carried: readonly AxisId[];
  /** Every axis its type mentions: the host is told their sizes. */
  readonly mentions: readonly AxisId[];
  readonly span: Span;
}

/**
 * A recurrence along an axis: what a chain over a dynamic axis is. It is no node: each of its results is one, of kind `fold`, which
 * has the operands, so that operands are rewritten like those of any node.
 *
 * `body` is one step. Its inputs are, in order: the step's number (i32), the carried values, what is captured, which is the same in all
 * steps; those without the number are what the operands of a node are: first values, then captured ones. Its outputs are the next
 * carried values, in the axes and elements that they are carried in, and then what is collected. It is dense and pure: no draws, calls,
 * orders, checks and folds. Axes are those of the graph around it.
 */
export interface Fold {
  readonly axis: AxisId;
  /** How many values are carried. */
  readonly carried: number;
  readonly body: Graph;
}

/** What a run returns. A route is its three tensors over support axes (weight: payload too). */
export type GraphOutput =
  | {
      readonly kind: 'tensor';
      readonly name: string;
      readonly role: OutputRole;
      readonly node: NodeId;
      readonly axes: readonly AxisId[];
    }
  | {
      readonly kind: 'route';
      readonly name: string;
      readonly role: 'result' | 'output';
      readonly present: NodeId;
      readonly weight: NodeId;
      readonly rank: NodeId;
      readonly sources: readonly AxisId[];
      readonly targets: readonly AxisId[];
      readonly payload: readonly AxisId[];
      /** At most so many present points for each point of the sources. */
      readonly maxPresent: Size;
    };
/** `result` always; the others are computed only when asked for. An `update` is named by its state. */
export type OutputRole = 'result' | 'output' | 'loss' | 'update';

/**
 * Something that a run must not meet where it is needed, and what to tell of it. Made after elaboration, which knows what
 * everything is needed for (elaborate/place-checks.ts).
 */
export interface Check {
  /** `holds`: a bool node must be true. `numbers`: a `sort_rank`, `choose` or `argmax` must not meet a NaN. */
  readonly kind: 'holds' | 'numbers';
  readonly node: NodeId;
  /** The points that are needed: those where all of these presences hold. Each is read only where those before it hold. */
  readonly where: readonly NodeId[];
  /** The axes whose point is named: those of `node`, for a `sort_rank` without those in `over`, for a `choose` without `along`. */
  readonly axes: readonly AxisId[];
  /** Counts only in a run that was asked for this. */
  readonly role: OutputRole;
  /** Counts only in a run that was not given any of these controls: it is needed for their defaults. */
  readonly skipIfGiven: readonly string[];
  readonly code: Code;
  /** With `{0}`, `{1}`, … for what is shown. */
  readonly message: string;
  /** Sizes, and scalars without axes. */
  readonly shown: readonly ({ readonly size: Size } | { readonly node: NodeId })[];
  readonly span: Span;
}

export interface Graph {
  readonly name: string;
  readonly axes: ReadonlyMap<AxisId, GraphAxis>;
  readonly inputs: readonly GraphInput[];
  readonly externs: readonly ExternCall[];
  readonly folds: readonly Fold[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  /** In the order of their places in the text. */
  readonly checks: readonly Check[];
}
