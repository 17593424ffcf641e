/**
 * What became of a device: lost, silent, or at fault; and every call to it inside error scopes.
 *
 * Why it is needed: a lost device answers as if all were well (scopes report nothing, submitted work resolves, only
 * mapping rejects), and an error outside of a scope changes nothing but the numbers. So the flag is checked before and
 * after each piece of work, and no call goes without a scope.
 *
 * Invariant: scopes are pushed and popped around synchronous code only. The stack of scopes belongs to the device, and
 * other code may run whenever we wait.
 */
import { DeviceLostError, MoecError, OutOfMemoryError, TimeoutError } from '../contract/errors.ts';

/** How long the notice of a loss may follow the first sign of it, in milliseconds. */
const NOTICE_DELAY = 200;

export class DeviceState {
  readonly device: GPUDevice;
  #lost: GPUDeviceLostInfo | null = null;
  #silent: TimeoutError | null = null;
  /** The first fault of all guarded calls since `settle`; one promise, however many calls nobody waits for. */
  #fault: Promise<MoecError | null> = Promise.resolve(null);

  constructor(device: GPUDevice) {
    this.device = device;
    void device.lost.then((info) => {
      this.#lost = info;
    });
  }

  /** Throws DeviceLostError if the device is gone, TimeoutError if it stopped answering. */
  check(): void {
    if (this.#lost !== null) throw new DeviceLostError(this.#lost.reason, this.#lost.message);
    if (this.#silent !== null) throw this.#silent;
  }

  /** Lets what was said about the device arrive, then checks. Before a run: a loss is noticed by a promise. */
  async checkSettled(): Promise<void> {
    await Promise.resolve();
    this.check();
  }

  /**
   * Calls the device inside scopes. What they catch is kept until `settle`; `bytes` is what an out-of-memory error will
   * say was needed, 0 where the work asks for no memory of a size that we know.
   */
  guard<T>(work: () => T, bytes = 0): T {
    const { device } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    try {
      return work();
    } finally {
      const memory = popMemory(device, bytes);
      const validation = popValidation(device);
      this.#fault = this.#fault.then(async (first) => first ?? (await memory) ?? (await validation));
    }
  }

  /** Throws the first fault of all guarded calls since the last time. */
  async settle(): Promise<void> {
    const fault = this.#fault;
    this.#fault = Promise.resolve(null);
    const first = await fault;
    this.check();
    if (first !== null) throw first;
  }

  /** Waits for a map, or for anything else that rejects when the device goes; `timeout` in milliseconds or null. */
  async answer<T>(promise: Promise<T>, timeout: number | null): Promise<T> {
    try {
      const value = await (timeout === null ? promise : this.#within(promise, timeout));
      this.check();
      return value;
    } catch (error) {
      if (error instanceof MoecError) throw error;
      await this.#noticeLoss();
      this.check();
      throw error;
    }
  }

  async #within<T>(promise: Promise<T>, timeout: number): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#silent = new TimeoutError(timeout);
        reject(this.#silent);
      }, timeout);
    });
    try {
      return await Promise.race([promise, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A failed map is often the first sign of a loss; the notice follows. */
  async #noticeLoss(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, NOTICE_DELAY);
    });
    await Promise.race([this.device.lost, patience]);
    clearTimeout(timer);
  }
}

async function popMemory(device: GPUDevice, bytes: number): Promise<MoecError | null> {
  const error = await popped(device);
  if (error === null) return null;
  return new OutOfMemoryError(
    'MOE0704',
    `the device has no room for ${bytes} bytes more: ${error.message}`,
    bytes,
    null,
  );
}

async function popValidation(device: GPUDevice): Promise<MoecError | null> {
  const error = await popped(device);
  if (error === null) return null;
  return new MoecError('MOE0700', `the device refused a call, which is a bug of the compiler: ${error.message}`);
}

/** A scope of a device that is gone may reject: that is told by the loss, not by the scope. */
async function popped(device: GPUDevice): Promise<GPUError | null> {
  try {
    return await device.popErrorScope();
  } catch {
    return null;
  }
}
