/**
 * GPU memory of one model: what is made, counted and destroyed.
 *
 * Invariants:
 * - Nothing is allocated that was not compared with the device's limits and the caller's budget before: drivers with
 *   plenty of virtual memory accept what they cannot hold.
 * - Every creation is inside an out-of-memory and a validation scope.
 * - A buffer holds at least four bytes (WebGPU binds none of zero), and a multiple of four.
 * - Only what was made here is destroyed here; the device is the caller's.
 */
import type { DeviceState } from './device-state.ts';
import { OutOfMemoryError } from '../contract/errors.ts';
import { allocatedBytes, type BufferRequest } from '../contract/buffer-layout.ts';

/** WebGPU's numbers, so that no global of the host is needed. */
export const bufferUsage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  indirect: 0x100,
} as const;

const STORAGE_USAGE = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;

/** Drivers refuse the last bytes below the largest buffer they advertise. */
const UNUSABLE_BYTES = 2 ** 20;

/** The largest storage buffer that can be made and bound whole. */
export function largestStorageBuffer(limits: GPUSupportedLimits): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize - UNUSABLE_BYTES);
}

/** All buffers of a model, with their sum. */
export class DeviceMemory {
  readonly #state: DeviceState;
  readonly #budget: number | null;
  readonly #live = new Map<GPUBuffer, number>();
  #bytes = 0;
  #peak = 0;

  constructor(state: DeviceState, budget: number | null) {
    this.#state = state;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get peakBytes(): number {
    return this.#peak;
  }

  get count(): number {
    return this.#live.size;
  }

  /** Throws OutOfMemoryError MOE0705 if buffers do not fit the device, or what is there and they the budget. */
  reserve(requests: readonly BufferRequest[], freed = 0): void {
    const largest = largestStorageBuffer(this.#state.device.limits);
    for (const { label, bytes } of requests) {
      if (bytes > largest) {
        const told = `${label} takes ${bytes} bytes, a buffer of this device ${largest} at most`;
        throw new OutOfMemoryError('MOE0705', told, bytes, largest);
      }
    }
    const total = this.#bytes - freed + requests.reduce((sum, { bytes }) => sum + allocatedBytes(bytes), 0);
    if (this.#budget !== null && total > this.#budget) {
      throw new OutOfMemoryError(
        'MOE0705',
        `the model takes ${total} bytes, the budget has ${this.#budget}`,
        total,
        this.#budget,
      );
    }
  }

  /** A storage buffer; zero at first. Failure of the driver arrives at the device state's `settle`. */
  storage(label: string, bytes: number): GPUBuffer {
    return this.create(label, bytes, STORAGE_USAGE);
  }

  create(label: string, bytes: number, usage: number): GPUBuffer {
    const size = allocatedBytes(bytes);
    const buffer = this.#state.guard(() => this.#state.device.createBuffer({ label, size, usage }), size);
    this.#live.set(buffer, size);
    this.#bytes += size;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    const size = this.#live.get(buffer);
    if (size === undefined) return;
    this.#live.delete(buffer);
    this.#bytes -= size;
    buffer.destroy();
  }

  destroyAll(): void {
    for (const buffer of [...this.#live.keys()]) this.destroy(buffer);
  }
}

/**
 * Buffers by key that are reused from run to run and grow when a run needs more. `generation` changes whenever a buffer
 * was replaced: bind groups made before are stale then.
 */
export class Arena {
  readonly #memory: DeviceMemory;
  readonly #buffers = new Map<string, GPUBuffer>();
  #generation = 0;

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  get generation(): number {
    return this.#generation;
  }

  /**
   * Makes sure that every requested buffer is there and large enough. Checks all of it first, so that a run that does not
   * fit leaves everything as it was.
   */
  ensure(requests: ReadonlyMap<string, BufferRequest>, usageOf: (key: string) => number = () => STORAGE_USAGE): void {
    const grown = [...requests].filter(([key, { bytes }]) => {
      const buffer = this.#buffers.get(key);
      return buffer === undefined || buffer.size < allocatedBytes(bytes);
    });
    if (grown.length === 0) return;
    const freed = grown.reduce((sum, [key]) => sum + (this.#buffers.get(key)?.size ?? 0), 0);
    this.#memory.reserve(
      grown.map(([, buffer]) => buffer),
      freed,
    );
    for (const [key] of grown) this.#drop(key);
    for (const [key, { label, bytes }] of grown) {
      this.#buffers.set(key, this.#memory.create(label, bytes, usageOf(key)));
    }
    this.#generation += 1;
  }

  get(key: string): GPUBuffer {
    const buffer = this.#buffers.get(key);
    if (buffer === undefined) throw new Error(`no buffer ${key} was ensured`);
    return buffer;
  }

  clear(): void {
    for (const key of [...this.#buffers.keys()]) this.#drop(key);
    this.#generation += 1;
  }

  #drop(key: string): void {
    const buffer = this.#buffers.get(key);
    if (buffer !== undefined) this.#memory.destroy(buffer);
    this.#buffers.delete(key);
  }
}
