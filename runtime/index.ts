/**
 * The public surface of the runtime. It depends on nothing and runs wherever WebGPU does; what only Node has is in
 * `moec/runtime/node`.
 */
export { createModel, requirementsOf } from './running/module.ts';
export type { CreateOptions, Progress } from './running/module.ts';
export type { ClassLoaders, ClassShaders } from './contract/device-class.ts';
export { Model } from './running/model.ts';
export type { ModelStats } from './running/model.ts';
export type { RunOptions } from './running/call-options.ts';
export type { RunResult } from './running/results.ts';
export type { ResultValue } from './contract/results.ts';
export type { Named } from './contract/named.ts';
export type { Encoded, EncodeOptions } from './running/encode.ts';
export type { MissingParams } from './weights/bind-weights.ts';
export type { HostCall, ExternFunction, ExternOperand, ExternResult } from './contract/ask-host.ts';
export type { Route } from './contract/routes.ts';
export type { InputValue, ShapedBuffer, ShapedTensor, Tensor, TensorData } from './contract/tensors.ts';
export { planMemory } from './running/memory-plan.ts';
export type { MemoryPlan } from './running/memory-plan.ts';
export { checkDevice, describeAdapter, missingRequirements, requestDevice } from './running/device.ts';
export type { DeviceOptions, DeviceRequirements } from './running/device.ts';
export { fromArrayBuffers, fromFetch, fromTensors } from './weights/weight-source.ts';
export type { FetchOptions, SourceTensor, WeightSource } from './weights/weight-source.ts';
export { headerCaps, parseHeader, writeSafetensors } from './weights/safetensors.ts';
export type { Header, HeaderCaps, TensorInfo, WritableTensor } from './weights/safetensors.ts';
export { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from './contract/elements.ts';
export type { CheckpointType } from './contract/elements.ts';
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
} from './contract/errors.ts';
export type { ErrorCode, WeightsProblem } from './contract/errors.ts';
export type * from './contract/manifest.ts';
