/** Sums of weights of a softmax in one launch: the family `online` (kernels/online.ts) is told what scores and values are, and what is stored. */
import { apply, asInteger, ceilDiv, exact, multiply } from '../../../dsl/types/size.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import type { BufferDecl, KernelExpr } from '../../kernel/kernel-ir.ts';
import {
  add, componentsOf, convert, eq, f32, mul, or, select, sub, u32, vector,
} from '../../kernel/make-expressions.ts'; // prettier-ignore
import { exp } from '../../kernel/math/exponential.ts';
import { online, type OnlineConfig, type OnlineRow } from '../../kernels/online.ts';
import { extreme, stored } from '../../kernels/space.ts';
import { Sums } from '../../kernels/sums.ts';
import { onlineShares } from '../deciding/legality-online.ts';
import type { OnlineChoice, OnlineHead } from '../deciding/schedule-ir.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { denseBlocks } from './emit-tile.ts';
import { kernelType, type ExprEmitter } from './expression-emitter.ts';
import { optionsOf, WORKGROUP, type FormOptions, type PlanBuilder } from './plan-builder.ts';
import { emptyPointScope, inner, paired, rebound, type Indices, type PointScope } from './point-scope.ts';
import { binaryFunctionOf } from './scalar-functions.ts';
import { indexTerms } from './spaces.ts';

export function emitOnline(plan: PlanBuilder, choice: OnlineChoice, space: StoredSpace): void {
  const { node, sum, groups, rows, tileRows, forms } = choice;
  const buffer = plan.allocate(node, space);
  plan.contents.set(buffer, { kind: 'value', node: node.id, space, online: sum });
  const size = multiply(rows.map(plan.sizeOf));
  const inGroups = multiply(groups.map(plan.sizeOf));
  const write = (l: ExprEmitter, ownRows: number): void => {
    const { whole, short } = denseBlocks(size, ownRows);
    const threads = exact(l.launch.k.workgroupSize);
    const ways = {
      holds: multiply([inGroups, short, threads]),
      fails: multiply([inGroups, whole, threads]),
      both: true,
    };
    online(l.launch.k, {
      ...new OnlineLaunch(l, choice, space, l.launch.write(buffer, storeLanes(choice, space))).config(),
      tileRows: ownRows,
      ways: (isShort) => l.launch.ways(isShort, ways),
    });
  };
  const invocations = (ownRows: number, threads: number) =>
    multiply([inGroups, ceilDiv(size, ownRows), exact(threads)]);
  plan.launch(
    { ...optionsOf(plan, 'online', node, space), invocations: invocations(tileRows, WORKGROUP) },
    (l) => write(l, tileRows),
    forms.map((form): FormOptions => ({
      class: form.class,
      invocations: invocations(form.tileRows, form.class.subgroupSize),
      shape: [form.tileRows],
      write: (l) => write(l, form.tileRows),
    })),
  );
}

/** Elements that are stored at once: neighbours of the value are neighbours of what is stored. */
function storeLanes({ columns, lanes }: OnlineChoice, { axes }: StoredSpace): 1 | 4 {
  return lanes === 4 && axes.at(-1) === columns.at(-1) ? 4 : 1;
}

type Config = Omit<OnlineConfig<PointScope>, 'tileRows' | 'ways'>;

class OnlineLaunch {
  readonly #l: ExprEmitter;
  readonly #choice: OnlineChoice;
  readonly #space: StoredSpace;
  readonly #out: BufferDecl;

  constructor(l: ExprEmitter, choice: OnlineChoice, space: StoredSpace, out: BufferDecl) {
    this.#l = l;
    this.#choice = choice;
    this.#space = space;
    this.#out = out;
  }

  config(): Config {
    const l = this.#l;
    const { heads, sum, groups, rows, columns, lanes } = this.#choice;
    const { over, value } = sum;
    const sizesOf = (axes: readonly AxisId[]) => axes.map((a) => l.size(a));
    const keys = multiply(over.map((a) => l.placement.sizeOf(a)));
    const width = asInteger(multiply(columns.map((a) => l.placement.sizeOf(a))));
    if (width === null) throw new CompilerBug('schedule', 'columns have no size');
    const all = [...groups, ...rows];
    return {
      rows: {
        kind: 'dense',
        groups: l.launch.size(multiply(groups.map((a) => l.placement.sizeOf(a)))),
        size: l.launch.size(multiply(rows.map((a) => l.placement.sizeOf(a)))),
        enter: (row) => inner(emptyPointScope(), paired(all, l.decode(row, sizesOf(all)))),
        digits: all.length,
        indicesOf: (row) => l.decode(row, sizesOf(all)),
        enterFrom: (indices) => inner(emptyPointScope(), paired(all, indices)),
      },
      keys: l.launch.size(keys),
      opaque: (value) => l.launch.opaque(value),
      atKey: (row, key) => this.#atKey(row, key),
      heads: heads.map((head) => (points, at) => this.#contracted(head, points, at)),
      score: (point, made) => this.#score(point, made),
      columns: width,
      lanes,
      atColumn: (point, column) => inner(point, this.#column(column)),
      value: value === null ? null : (point) => this.#value(value, point),
      hasTotal: sum.total !== null,
      shares: (tileRows) => onlineShares(width / lanes, tileRows, l.launch.k.workgroupSize),
      finish: (row, of) => this.#finish(row, of),
    };
  }

  /** The indices of a column, or of a vector of neighbours: then the last counts these. */
  #column(column: KernelExpr): readonly (readonly [AxisId, KernelExpr])[] {
    const l = this.#l;
    const { columns, lanes } = this.#choice;
    const sizes = columns.map((a, i) =>
      l.launch.size(i + 1 < columns.length ? l.placement.sizeOf(a) : apply('div', l.placement.sizeOf(a), exact(lanes))),
    );
    return paired(columns, l.decode(column, sizes));
  }

  #value(id: NodeId, point: PointScope): KernelExpr {
    const l = this.#l;
    const { lanes } = this.#choice;
    return lanes === 1 ? convert('f32', l.value(id, point)) : l.vector(id, point, lanes);
  }

  #atKey(row: PointScope, key: KernelExpr): PointScope {
    const l = this.#l;
    const { over } = this.#choice.sum;
    return inner(row, paired(over, l.decode(key, over.map((a) => l.size(a))))); // prettier-ignore
  }

  /** The score at a point, of what contractions of it come to there. */
  #score(point: PointScope, made: readonly KernelExpr[]): KernelExpr {
    const { heads, sum } = this.#choice;
    const here = rebound(point, []);
    heads.forEach((head, i) => here.values.set(head.node.id, at(made, i, 'schedule: head of a score')));
    return convert('f32', this.#l.value(sum.score, here));
  }

  /** A contraction at rows and keys side by side, each row and each key loaded once. */
  #contracted(head: OnlineHead, rows: readonly PointScope[], keys: readonly KernelExpr[]): readonly KernelExpr[] {
    const l = this.#l;
    const { node, input, weight, lanes } = head;
    const { k } = l.launch;
    const terms = indexTerms(l, node.over, lanes);
    const sums = new Sums(k, kernelType(node.element), rows.length * keys.length, terms.maxTerms);
    const side = (id: NodeId, point: PointScope): readonly KernelExpr[] =>
      componentsOf(
        k.let(l.inPassing(node.id, () => (lanes === 1 ? convert('f32', l.value(id, point)) : l.vector(id, point, lanes)))),
      );
    // What a key has is the same for all rows.
    const [shared] = rows;
    const addTerm = (indices: Indices): void => {
      if (shared === undefined) return;
      const ofKeys = keys.map((key) => side(weight, inner(this.#atKey(shared, key), indices)));
      rows.forEach((row, i) => {
        const x = side(input, inner(row, indices));
        ofKeys.forEach((w, j) => sums.addProducts(i * keys.length + j, x, w));
      });
    };
    terms.visit(null, addTerm, sums.close);
    return Array.from({ length: rows.length * keys.length }, (_, number) => sums.total(number));
  } // prettier-ignore

  /** What is stored at a row's columns: what was added up, made into weighed sums as weights would be. */
  #finish(row: PointScope, { max, total }: OnlineRow): ReturnType<Config['finish']> {
    const l = this.#l;
    const { k } = l.launch;
    const { sum } = this.#choice;
    const here = rebound(row, []);
    here.values.set(sum.max, max);
    const rescale = this.#rescale(here, max);
    const scaled = (value: KernelExpr): KernelExpr => (rescale === null ? value : mul(value, rescale));
    if (sum.total !== null) here.values.set(sum.total, k.let(scaled(total)));
    const after = sum.after.map(({ op, by }) => ({ op, by: k.let(convert('f32', l.value(by, here))) }));
    const lanes = storeLanes(this.#choice, this.#space);
    return (column, sums) => {
      const made = sums.map((value) =>
        after.reduce<KernelExpr>((so, { op, by }) => k.let(binaryFunctionOf(k, op, so, by)), scaled(value)),
      );
      const point = inner(row, this.#column(column));
      if (lanes === 4) {
        k.store(this.#out, l.elementIndex(point, this.#space, lanes), vector(...made));
        return;
      }
      const { columns } = this.#choice;
      const last = columns.at(-1);
      made.forEach((value, i) => {
        const own = last === undefined || made.length === 1 ? point : inner(row, this.#elementOf(column, i));
        k.store(this.#out, l.elementIndex(own, this.#space), stored(value));
      });
    };
  }

  /** The indices of an element of a vector of columns. */
  #elementOf(column: KernelExpr, lane: number): readonly (readonly [AxisId, KernelExpr])[] {
    const own = this.#column(column);
    const { lanes } = this.#choice;
    return own.map(([axis, index], i) =>
      i + 1 < own.length ? [axis, index] : [axis, this.#l.launch.k.let(add(mul(index, lanes), lane), 'c')],
    );
  }

  /** By what sums are multiplied where something else than the greatest score was to be subtracted; null: nothing. */
  #rescale(here: PointScope, max: KernelExpr): KernelExpr | null {
    const l = this.#l;
    const { k } = l.launch;
    const { sum } = this.#choice;
    if (sum.isGuarded && sum.shift === sum.max) return null;
    const shift = k.let(l.value(sum.shift, here));
    const factor = k.let(exp(k, k.let(sub(max, shift))));
    const keys = multiply(sum.over.map((a) => l.placement.sizeOf(a)));
    // Without keys there is nothing that could be NaN; a guard leaves out what is -inf, whatever is subtracted.
    const nothing = eq(l.launch.size(keys), u32(0));
    const isNone = eq(max, extreme('f32', 'lowest'));
    return k.let(select(sum.isGuarded ? or(nothing, isNone) : nothing, f32(1), factor));
  }
}
