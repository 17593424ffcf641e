/** Memory of a simulated run, as the runtime lays it out: buffers under their keys, uniforms as bytes. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { get } from '../../../dsl/diagnostics/invariants.ts';
import type { PlanLayout } from '../../../runtime/contract/buffer-layout.ts';
import { NO_FAULT } from '../../../runtime/contract/faults.ts';
import { POISON } from '../../../runtime/contract/poison.ts';
import type { KernelSpec } from '../../../runtime/contract/manifest.ts';

/** Elements of memory: f32, i32, or u32 for bool. */
export type Words = Float32Array | Int32Array | Uint32Array;

/** What stands in memory before the first launch. */
export interface GivenMemory {
  /** Inputs and given controls by the keys of the layout (`input:0`, `control:2`), row-major. */
  readonly feeds: ReadonlyMap<string, Words>;
  /** Params and states, by their number in the manifest. */
  readonly variables: ReadonlyMap<number, Words>;
}

/** The plan's buffers, each the part of its memory that a launch binds. */
export function allocate(layout: PlanLayout, run: GivenMemory): readonly Uint32Array<ArrayBuffer>[] {
  const arena = new Map(
    [...layout.allocations].map(([key, { bytes }]) => {
      const memory = new Uint32Array(bytes / 4).fill(key === 'status' ? NO_FAULT : POISON);
      const feed = run.feeds.get(key);
      if (feed !== undefined) memory.set(asBits(feed));
      return [key, memory] as const;
    }),
  );
  return layout.bindings.map((binding) => {
    const { bytes, usedBytes } = binding;
    if (binding.kind === 'arena') return get(arena, binding.key, 'simulate: memory').subarray(0, bytes / 4);
    const given = run.variables.get(binding.store);
    if (given?.byteLength !== usedBytes)
      throw new CompilerBug(
        'simulate',
        `variable ${binding.store} takes ${usedBytes} bytes, not ${given?.byteLength ?? 'nothing'}`,
      );
    const memory = new Uint32Array(bytes / 4);
    memory.set(asBits(given));
    return memory;
  });
}

function asBits({ buffer, byteOffset, length }: Words): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

export function uniformsOf(layout: PlanLayout, seed: number): DataView {
  const view = new DataView(layout.uniforms.slice().buffer);
  for (const offset of layout.seeds) view.setUint32(offset, seed >>> 0, true);
  return view;
}

export function uniformAt(uniforms: DataView, offset: number, type: KernelSpec['uniforms'][number]['type']): number {
  switch (type) {
    case 'f32':
      return uniforms.getFloat32(offset, true);
    case 'i32':
      return uniforms.getInt32(offset, true);
    case 'u32':
      return uniforms.getUint32(offset, true);
  }
}
