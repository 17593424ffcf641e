/** The points that a value has at a row: those along the axes that the rows lack. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { AxisId } from '../../graph/graph-ir.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import type { RowLoop } from '../../kernels/row.ts';
import { rowMajor } from '../../kernels/space.ts';
import type { PointEmitter } from './point-emitter.ts';
import { inner, paired, type PointScope } from './point-scope.ts';

export class RowPoints {
  readonly #l: PointEmitter;
  readonly #rows: ReadonlySet<AxisId>;

  constructor(l: PointEmitter, rows: readonly AxisId[]) {
    this.#l = l;
    this.#rows = new Set(rows);
  }

  /** Of the axes of a value, those along which its points at a row are. */
  local(axes: readonly AxisId[]): readonly AxisId[] {
    return axes.filter((a) => !this.#rows.has(a));
  }

  count(axes: readonly AxisId[]): number {
    const count = asInteger(multiply(this.local(axes).map((a) => this.#l.placement.sizeOf(a))));
    if (count === null) throw new CompilerBug('schedule', 'a row has no size');
    return count;
  }

  /** The place of a point among those that a value over these axes has. */
  placeOf(axes: readonly AxisId[], point: PointScope): KernelExpr {
    const local = this.local(axes);
    return rowMajor(local.map((a) => this.#l.index(point, a)), local.map((a) => this.#l.size(a))); // prettier-ignore
  }

  /** All of them, in order. */
  along(axes: readonly AxisId[]): Omit<RowLoop<PointScope>, 'visit'> {
    return { size: this.count(axes), at: (around, place) => this.at(axes, around, place) };
  }

  /** The point at a place. */
  at(axes: readonly AxisId[], around: PointScope, place: KernelExpr): PointScope {
    const local = this.local(axes);
    return inner(around, paired(local, this.#l.decode(place, local.map((a) => this.#l.size(a))))); // prettier-ignore
  }
}
