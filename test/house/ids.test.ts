/**
 * Ids are told apart by their types: what is marked here must not compile, and `tsc` fails where it does. Nothing is run, for a brand
 * exists in types only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../compiler/graph/graph-builder.ts';
import type { AxisId, ExternCallId, Graph, GraphInputId, NodeId } from '../../compiler/graph/graph-ir.ts';
import type { CompactionId, Contents } from '../../compiler/schedule/emitting/contents.ts';
import type { LaunchBuilder } from '../../compiler/schedule/emitting/launch-builder.ts';
import type { AssignmentListId, BufferTable } from '../../compiler/schedule/memory/memory.ts';
import type {
  AllocationId,
  BufferId,
  KernelId,
  Launch,
  Plan,
  StatusWord,
} from '../../compiler/schedule/memory/plan.ts';
import type { StepComparer } from '../../compiler/verify/step-comparer.ts';
import { one } from '../../dsl/types/size.ts';
import type { ConcreteAxisId, DeclarationId, Id, IndexId, LocalId, ProgramAxisId } from '../../dsl/types/ids.ts';
import { root, sourceFiles } from './files.ts';

/** What a watch of a run asks by number. */
interface RunWatchNumbers {
  buffersToPoison(step: number): readonly number[];
}

/** A place that wants an id of one kind. */
type Wants<I extends Id<string>> = (id: I) => void;

/** Who makes ids; whoever has one hands it on. */
const makers = [
  // The axis that counts the points of a block.
  'compiler/verify/evaluate.ts',
  'compiler/graph/graph-builder.ts',
  'compiler/graph/graph-text.ts',
  'compiler/graph/outside-tables.ts',
  'compiler/graph/parse-graph.ts',
  'compiler/passes/dependency-order.ts',
  'compiler/passes/drop-dead-values.ts',
  'compiler/schedule/deciding/assignment-list-table.ts',
  'compiler/schedule/deciding/changes.ts',
  'compiler/schedule/deciding/list-forms.ts',
  'compiler/schedule/deciding/read-schedule.ts',
  'compiler/schedule/emitting/finish-launches.ts',
  'compiler/schedule/emitting/plan-builder.ts',
  'compiler/schedule/memory/assign-buffers.ts',
  'compiler/schedule/memory/memory.ts',
  'compiler/schedule/memory/plan.ts',
  'dsl/check/context.ts',
  'dsl/meaning/instance-scope.ts',
  'dsl/types/axis.ts',
  'dsl/types/ids.ts',
];

describe('ids', () => {
  it('are made where things are counted, and nowhere else', () => {
    const found = sourceFiles(['dsl', 'compiler', 'runtime']).filter((file) =>
      /\bidOf\b/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(found.toSorted()).toEqual(makers.toSorted());
  });

  it('are branded by no other assertion', () => {
    const found = sourceFiles(['dsl', 'compiler', 'runtime']).filter(
      (file) => file !== 'dsl/types/ids.ts' && /\bas (\w+)?Id\b/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(found).toEqual([]);
  });
});

describe('an id of another kind does not compile', () => {
  it('in a program', () => {
    const programs = (
      [axis, declaration, local, index]: readonly [ProgramAxisId, DeclarationId, LocalId, IndexId],
      wantsAxis: Wants<ProgramAxisId>,
      wantsLocal: Wants<LocalId>,
      wantsConcrete: Wants<ConcreteAxisId>,
      byDeclaration: ReadonlyMap<DeclarationId, string>,
    ): void => {
      wantsAxis(axis);
      wantsLocal(local);
      byDeclaration.get(declaration);
      // @ts-expect-error: a declaration is no axis
      wantsAxis(declaration);
      // @ts-expect-error: nor is any number
      wantsAxis(0);
      // @ts-expect-error: what is counted from an id is none
      wantsAxis(axis + 1);
      // @ts-expect-error: the index of a chain is no local
      wantsLocal(index);
      // @ts-expect-error: an axis of the program is not what one elaboration makes of it
      wantsConcrete(axis);
      // @ts-expect-error: a table by declaration has no locals
      byDeclaration.get(local);
    };
    expect(programs).toBeTypeOf('function');
  });

  it('in a graph', () => {
    const graphs = (
      graph: Graph,
      builder: GraphBuilder,
      [node, axis, concrete]: readonly [NodeId, AxisId, ConcreteAxisId],
      [input, call]: readonly [GraphInputId, ExternCallId],
    ): void => {
      builder.reduce('sum', node, [axis]);
      graph.axes.get(axis);
      builder.extern(call, 0);
      // @ts-expect-error: an input is no call of an extern
      builder.extern(input, 0);
      // @ts-expect-error: an input of a graph is not the node that reads it
      builder.input(node);
      // @ts-expect-error: an axis is no node
      builder.reduce('sum', axis, [axis]);
      // @ts-expect-error: a node is no axis
      builder.reduce('sum', node, [node]);
      // @ts-expect-error: nor is what the walk calls one
      builder.iota(concrete);
      // @ts-expect-error: a table by axis has no nodes
      graph.axes.get(node);
      // @ts-expect-error: the node after this one is looked up, not counted
      builder.node(node + 1);
      // @ts-expect-error: "none" is null, not -1
      builder.slice(node, axis, one, -1);
    };
    expect(graphs).toBeTypeOf('function');
  });

  it('in a plan', () => {
    const plans = (
      [plan, launch]: readonly [Plan, Launch],
      table: BufferTable,
      lowering: LaunchBuilder,
      [buffer, kernel, allocation, word]: readonly [BufferId, KernelId, AllocationId, StatusWord],
      wantsList: Wants<AssignmentListId>,
      [contents, compaction]: readonly [Contents, CompactionId],
      node: NodeId,
    ): readonly Launch[] => {
      table.at(buffer);
      contents.buffers.get(buffer);
      // @ts-expect-error: a kernel is no buffer
      table.at(kernel);
      // @ts-expect-error: nor is the memory that buffers share
      table.at(allocation);
      // @ts-expect-error: nor is a node, though most nodes have one
      table.at(node);
      // @ts-expect-error: the buffer after this one is looked up, not counted
      table.at(buffer + 1);
      // @ts-expect-error: nor is any place of the list an id; `buffersOf` has them
      plan.buffers.forEach((_, i) => table.at(i));
      // @ts-expect-error: what buffers hold is told by buffer, not by compaction
      contents.buffers.get(compaction);
      // @ts-expect-error: an assignment list is not the buffer that holds it
      wantsList(buffer);
      lowering.status(buffer);
      // @ts-expect-error: a status word is in the buffer of status words, not the buffer
      lowering.status(word);
      return [
        { ...launch, kernel, buffers: [buffer] },
        // @ts-expect-error: a buffer is no kernel
        { ...launch, kernel: buffer },
        // @ts-expect-error: a launch has buffers, not allocations
        { ...launch, buffers: [allocation] },
      ];
    };
    expect(plans).toBeTypeOf('function');
  });

  it('in a comparison, whose buffers the watch of a run takes as numbers', () => {
    const comparing = (comparer: StepComparer, words: Uint32Array): RunWatchNumbers => {
      comparer.take(0, (buffer: number) => (buffer === 0 ? words : new Uint32Array()));
      // @ts-expect-error: who asks the comparer for a buffer has its id
      comparer.take(0, (list: AssignmentListId) => (list === 0 ? words : new Uint32Array()));
      return comparer;
    };
    expect(comparing).toBeTypeOf('function');
  });
});
