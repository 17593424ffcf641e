/** How WGSL gives a kernel its built-in numbers: as parameters of the entry point, most of them vectors. */
import type { Builtin, KernelStmt } from '../kernel/kernel-ir.ts';
import { forEachExpr } from '../kernel/visit-kernel.ts';

/** The parameter of the entry point that holds a built-in, and its component; null: it is one number. */
interface BuiltinSpelling {
  readonly parameter: string;
  readonly attribute: string;
  readonly component: 'x' | 'y' | 'z' | null;
}

const inVector =
  (parameter: string, attribute: string) =>
  (component: 'x' | 'y' | 'z'): BuiltinSpelling => ({ parameter, attribute, component });
const globalId = inVector('global_id', 'global_invocation_id');
const localId = inVector('local_id', 'local_invocation_id');
const workgroupId = inVector('workgroup_id', 'workgroup_id');
const numWorkgroups = inVector('num_workgroups', 'num_workgroups');

export const BUILTIN_VALUES: Readonly<Record<Builtin, BuiltinSpelling>> = {
  global_id_x: globalId('x'),
  global_id_y: globalId('y'),
  global_id_z: globalId('z'),
  local_id_x: localId('x'),
  local_id_y: localId('y'),
  local_id_z: localId('z'),
  workgroup_id_x: workgroupId('x'),
  workgroup_id_y: workgroupId('y'),
  workgroup_id_z: workgroupId('z'),
  num_workgroups_x: numWorkgroups('x'),
  num_workgroups_y: numWorkgroups('y'),
  num_workgroups_z: numWorkgroups('z'),
  local_index: { parameter: 'local_index', attribute: 'local_invocation_index', component: null },
  subgroup_lane: { parameter: 'subgroup_lane', attribute: 'subgroup_invocation_id', component: null },
};

/** The entry point's parameters for the built-ins that occur, as [name, attribute, type], in one fixed order. */
export function usedParameters(body: readonly KernelStmt[]): readonly (readonly [string, string, string])[] {
  const used = new Set<string>();
  forEachExpr(body, (expr) => {
    if (expr.kind === 'builtin') used.add(expr.name);
  });
  const parameters = new Map<string, readonly [string, string, string]>();
  for (const [name, { parameter, attribute, component }] of Object.entries(BUILTIN_VALUES)) {
    if (used.has(name)) parameters.set(parameter, [parameter, attribute, component === null ? 'u32' : 'vec3<u32>']);
  }
  return [...parameters.values()];
}
