/**
 * Kernels side by side: several as one, whose workgroups are those of the first, then those of the second, and so on. What each
 * workgroup does is what it did, so nothing is computed otherwise; a device has more to do at once, and a launch less to wait for.
 * (Horizontal fusion: Li, Zheng, Pekhimenko, Long, "Automatic Horizontal Fusion for GPU Kernels", CGO 2022; here by workgroups,
 * and not by threads of one.)
 *
 *   number = the workgroup's
 *   if number < count of the first: the first
 *   else number − count: if … the second
 *
 * Parts see their workgroup by its number alone (kernels/space.ts); where each begins is a uniform value, so barriers stay where all
 * threads of a workgroup meet.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { ArrayDecl, BufferDecl, Kernel, KernelStmt, UniformDecl } from './kernel-ir.ts';
import { renamed } from './legalise/rewrite.ts';
import { letOf, local, lt, sub, uniform, when, workgroupNumber } from './make-expressions.ts';
import { sameStructure } from './same-kernel.ts';
import { declaredIn } from './visit-kernel.ts';

/** A kernel, and what its memory is called beside the others. */
export interface KernelPart {
  readonly kernel: Kernel;
  /** In the order of its buffers: parts that have one name share a buffer. */
  readonly buffers: readonly string[];
}

/** Whether kernels may stand side by side: workgroups are alike. */
export function areAlike(kernels: readonly Kernel[]): boolean {
  const [first] = kernels;
  return kernels.every(
    ({ workgroupSize, subgroupSize, sides }) =>
      sides === undefined && workgroupSize === first?.workgroupSize && subgroupSize === first.subgroupSize,
  );
}

/**
 * Kernels that are alike, as one. Its uniforms are those of the first part, of the second, and so on, and then for each part but the last
 * how many workgroups it has.
 */
export function sideBySide(parts: readonly KernelPart[]): Kernel {
  const kernels = parts.map(({ kernel }) => kernel);
  if (parts.length < 2 || !areAlike(kernels)) throw new CompilerBug('kernel', 'kernels are not alike');
  const { workgroupSize, subgroupSize } = at(kernels, 0, 'kernel: first part');
  const uniformNames = numbered(kernels.map(({ uniforms }) => uniforms.map(() => 'n')));
  const { arrays, namesOf: arrayNames } = sharedArrays(kernels);
  const taken = uniformNames.flat().length;
  const counts = kernels.slice(1).map((_, i): UniformDecl => ({ name: `n${taken + i}`, type: 'u32' }));
  const declared = [...parts.flatMap(({ buffers }) => buffers), ...uniformNames.flat(), ...arrayNames.flat()];
  const locals = localNames(kernels, new Set([...declared, ...counts.map(({ name }) => name)]));
  const number = (part: number): string => `group${part}`;

  const body = (part: number): readonly KernelStmt[] => {
    const { kernel, buffers } = at(parts, part, 'kernel: part');
    const names = (what: `kernel: ${string}`, old: readonly { readonly name: string }[], now: readonly string[]) => {
      const byName = new Map(old.map(({ name }, i) => [name, at(now, i, what)] as const));
      return (name: string): string => byName.get(name) ?? name;
    };
    return renamed(
      kernel.body,
      {
        local: (name) => at(locals, part, 'kernel: locals of a part').get(name) ?? name,
        buffer: names('kernel: buffer of a part', kernel.buffers, buffers),
        uniform: names('kernel: uniform of a part', kernel.uniforms, at(uniformNames, part, 'kernel: part')),
        array: names('kernel: array of a part', kernel.arrays, at(arrayNames, part, 'kernel: part')),
      },
      (expr) => {
        if (sameStructure(expr, workgroupNumber)) return local(number(part), 'u32');
        if (expr.kind === 'builtin' && !ofWorkgroup.has(expr.name))
          throw new CompilerBug('kernel', `${kernel.name} asks for ${expr.name}, not for the number of its workgroup`);
        return null;
      },
    );
  };
  const from = (part: number): readonly KernelStmt[] => {
    const count = counts[part];
    if (count === undefined) return body(part);
    const [own, all] = [local(number(part), 'u32'), uniform(count)];
    const others = [letOf(number(part + 1), sub(own, all)), ...from(part + 1)];
    return [when(lt(own, all), body(part), others)];
  };
  return {
    name: kernels.map(({ name }) => name).join('_and_'),
    workgroupSize,
    ...(subgroupSize === undefined ? {} : { subgroupSize }),
    buffers: sharedBuffers(parts),
    uniforms: [
      ...kernels.flatMap(({ uniforms }, part) =>
        uniforms.map(({ type }, i) => ({
          name: at(at(uniformNames, part, 'kernel: part'), i, 'kernel: uniform'),
          type,
        })),
      ),
      ...counts,
    ],
    arrays,
    body: [letOf(number(0), workgroupNumber), ...from(0)],
  };
}

/** What a thread knows of its place in its workgroup, which is the same wherever that stands. */
const ofWorkgroup: ReadonlySet<string> = new Set([
  'local_id_x', 'local_id_y', 'local_id_z', 'local_index', 'subgroup_lane',
]); // prettier-ignore

/** Names `n0`, `n1`, … for all of them, one after another. */
function numbered(prefixes: readonly (readonly string[])[]): readonly (readonly string[])[] {
  let count = 0;
  return prefixes.map((names) => names.map((prefix) => `${prefix}${count++}`));
}

/** Locals of all parts, numbered anew, in the order in which they are declared: kernels of equal parts are equal. */
function localNames(kernels: readonly Kernel[], taken: ReadonlySet<string>): readonly ReadonlyMap<string, string>[] {
  let count = kernels.length;
  const fresh = (prefix: string): string => {
    const name = `${prefix}${count++}`;
    return taken.has(name) ? fresh(prefix) : name;
  };
  return kernels.map(
    ({ body }) => new Map([...declaredIn(body)].map((name) => [name, fresh(name.replace(/\d+$/, ''))] as const)),
  );
}

/** The arrays of all parts: a workgroup is in one part alone, so those that are alike are one. */
function sharedArrays(kernels: readonly Kernel[]): {
  readonly arrays: readonly ArrayDecl[];
  readonly namesOf: readonly (readonly string[])[];
} {
  const shared = new Map<string, ArrayDecl>();
  const namesOf = kernels.map(({ arrays }) => {
    const seen = new Map<string, number>();
    return arrays.map((array) => {
      const alike = arrayKind(array);
      const before = seen.get(alike) ?? 0;
      seen.set(alike, before + 1);
      const key = `${alike} ${before}`;
      const one = shared.get(key) ?? { ...array, name: `w${shared.size}` };
      shared.set(key, one);
      return one.name;
    });
  });
  return { arrays: [...shared.values()], namesOf };
}

/** What arrays have in common that may be one. */
export const arrayKind = ({ scope, element, length }: ArrayDecl): string => `${scope} ${element} ${length}`;

/** The buffers of all parts, each once. */
function sharedBuffers(parts: readonly KernelPart[]): readonly BufferDecl[] {
  const shared = new Map<string, BufferDecl>();
  for (const { kernel, buffers } of parts)
    kernel.buffers.forEach((decl, i) => {
      const name = at(buffers, i, 'kernel: buffer of a part');
      const known = shared.get(name);
      if (known !== undefined && (known.access !== decl.access || known.element !== decl.element))
        throw new CompilerBug('kernel', `${name} is read by one part and written by another`);
      shared.set(name, { ...decl, name });
    });
  return [...shared.values()];
}
