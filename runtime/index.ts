/**
 * The public surface of the runtime. It depends on nothing and runs wherever WebGPU does; what only Node has is in
 * `moec/runtime/node`.
 */
export { createModel, requirementsOf } from './module.ts';
export type { CreateOptions, Progress } from './module.ts';
export { Model } from './model.ts';
export type { ModelStats } from './model.ts';
export type { RunOptions } from './options.ts';
export type { ResultValue, RunResult } from './results.ts';
export type { Named } from './named.ts';
export type { Encoded, EncodeOptions } from './encode.ts';
export type { MissingParams } from './bindings.ts';
export type { ExternCall, ExternFunction, ExternOperand, ExternResult } from './ask-host.ts';
export type { Route } from './routes.ts';
export type { InputValue, ShapedBuffer, ShapedTensor, Tensor, TensorData } from './tensors.ts';
export { planMemory } from './memory-plan.ts';
export type { MemoryPlan } from './memory-plan.ts';
export { checkDevice, describeAdapter, missingRequirements, requestDevice } from './device.ts';
export type { DeviceOptions, DeviceRequirements } from './device.ts';
export { fromArrayBuffers, fromFetch, fromTensors } from './source.ts';
export type { FetchOptions, SourceTensor, WeightSource } from './source.ts';
export { headerCaps, parseHeader, writeSafetensors } from './safetensors.ts';
export type { Header, HeaderCaps, TensorInfo, WritableTensor } from './safetensors.ts';
export { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from './elements.ts';
export type { StoredType } from './elements.ts';
export {
  DeviceLostError,
  InputError,
  MoecError,
  OutOfMemoryError,
  RequirementsError,
  RunError,
  TimeoutError,
  WeightsError,
  errorCodes,
} from './errors.ts';
export type { ErrorCode, WeightsProblem } from './errors.ts';
export type * from './manifest.ts';
