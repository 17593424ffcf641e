/** What each primitive of the language becomes in the graph. A new primitive is missing here until it has a lowering. */
import type { PrimitiveName } from '../../../dsl/types/primitive-names.ts';
import type { OpLowering } from '../lowering-context.ts';
import { elementwise } from './elementwise.ts';
import { reductions } from './lower-reductions.ts';
import { selections } from './selections.ts';
import { views } from './lower-views.ts';

export const lowerings: Record<PrimitiveName, OpLowering> = { ...elementwise, ...reductions, ...selections, ...views };
