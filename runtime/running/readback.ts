/**
 * Numbers back from the GPU, through one staging buffer and in pieces where there are many.
 *
 * Invariant: what is returned is the caller's own memory; the staging buffer is unmapped before anything else happens.
 */
import { type Arena, bufferUsage } from './buffers.ts';
import type { DeviceState } from './device-state.ts';

/** Bytes from the start of a buffer, a multiple of four. */
export interface ReadRequest {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

/** The staging buffer is never larger. */
const MAX_STAGING_BYTES = 64 * 2 ** 20;

/** WebGPU's number for mapping to read. */
const MAP_READ = 1;

/** Bytes of the staging buffer for reading `bytes` in all. */
export function stagingBytes(bytes: number): number {
  return Math.max(4, Math.min(bytes, MAX_STAGING_BYTES));
}

interface Piece {
  readonly request: number;
  readonly from: number;
  readonly bytes: number;
  readonly at: number;
}

/** A set of reads: its first round can join an encoder that is being filled. */
export class Readback {
  readonly #state: DeviceState;
  readonly #arena: Arena;
  readonly #requests: readonly ReadRequest[];
  readonly #rounds: readonly (readonly Piece[])[];

  /** Allocates the staging buffer. */
  constructor(state: DeviceState, arena: Arena, requests: readonly ReadRequest[]) {
    this.#state = state;
    this.#arena = arena;
    this.#requests = requests;
    this.#rounds = split(requests);
    const bytes = stagingBytes(requests.reduce((sum, request) => sum + request.bytes, 0));
    arena.ensure(
      new Map([['staging', { label: 'staging', bytes }]]),
      () => bufferUsage.mapRead | bufferUsage.copyTarget,
    );
  }

  /** Puts the copies of the first round into an encoder, which has to be submitted before `finish`. */
  begin(encoder: GPUCommandEncoder): void {
    this.#copy(encoder, this.#rounds[0] ?? []);
  }

  /** Waits for the numbers: words of each request, in order. `timeout` is for each round, in milliseconds, or null. */
  async finish(timeout: number | null): Promise<readonly Uint32Array<ArrayBuffer>[]> {
    const results = this.#requests.map(({ bytes }) => new Uint32Array(bytes / 4));
    const staging = this.#arena.get('staging');
    for (const [i, pieces] of this.#rounds.entries()) {
      if (i > 0) {
        this.#state.guard(() => {
          const encoder = this.#state.device.createCommandEncoder({ label: 'readback' });
          this.#copy(encoder, pieces);
          this.#state.device.queue.submit([encoder.finish()]);
        });
      }
      const end = pieces.reduce((most, { at, bytes }) => Math.max(most, at + bytes), 0);
      await this.#state.answer(staging.mapAsync(MAP_READ, 0, end), timeout);
      const mapped = new Uint32Array(staging.getMappedRange(0, end));
      for (const { request, from, bytes, at } of pieces) {
        results[request]?.set(mapped.subarray(at / 4, (at + bytes) / 4), from / 4);
      }
      staging.unmap();
    }
    await this.#state.settle();
    return results;
  }

  #copy(encoder: GPUCommandEncoder, pieces: readonly Piece[]): void {
    const staging = this.#arena.get('staging');
    for (const { request, from, bytes, at } of pieces) {
      const source = this.#requests[request]?.buffer;
      if (source !== undefined) encoder.copyBufferToBuffer(source, from, staging, at, bytes);
    }
  }
}

function split(requests: readonly ReadRequest[]): readonly (readonly Piece[])[] {
  const rounds: Piece[][] = [];
  let round: Piece[] = [];
  let filled = 0;
  requests.forEach(({ bytes }, request) => {
    for (let from = 0; from < bytes;) {
      if (filled === MAX_STAGING_BYTES) {
        rounds.push(round);
        round = [];
        filled = 0;
      }
      const taken = Math.min(bytes - from, MAX_STAGING_BYTES - filled);
      round.push({ request, from, bytes: taken, at: filled });
      filled += taken;
      from += taken;
    }
  });
  if (round.length > 0) rounds.push(round);
  return rounds;
}
