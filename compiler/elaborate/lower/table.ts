/** What each primitive of the language becomes in the graph. A new primitive is missing here until it has a lowering. */
import type { PrimitiveName } from '../../../dsl/types/primitive-names.ts';
import type { Lowering } from '../handles.ts';
import { elementwise } from './elementwise.ts';
import { reductions } from './reductions.ts';
import { selections } from './selections.ts';
import { views } from './views.ts';

export const lowerings: Record<PrimitiveName, Lowering> = { ...elementwise, ...reductions, ...selections, ...views };
