/** Which of its plans a run has: one for few rows, or the one for all. */
import type { PlanSpec } from './manifest.ts';
import { type Sizes, evaluateNumber } from './sizes.ts';

/** The plan of a run with these sizes. */
export function planFor(plan: PlanSpec, sizes: Sizes): PlanSpec {
  const { few } = plan;
  return few?.when.every(({ rows, most }) => evaluateNumber(rows, sizes) <= most) === true ? few.plan : plan;
}

/** A plan with the one for few rows, if there is one. */
export function regimesOf(plan: PlanSpec): readonly PlanSpec[] {
  return plan.few === undefined ? [plan] : [plan, plan.few.plan];
}
