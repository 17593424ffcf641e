/**
 * The child process of an adapter probe: asks npm `webgpu` for an adapter, adds two numbers on it, and prints one line
 * of JSON. Run by adapters.mjs with the adapter's environment variables; a driver that crashes ends only this process.
 */
const say = (report) => process.stdout.write(JSON.stringify(report) + '\n');

try {
  const { create } = await import('webgpu');
  // Kept in a global: the process dies when this object is collected while its device lives.
  const gpu = (globalThis.keptGpu = create([]));
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    say({ ok: false, reason: 'no Vulkan driver here that Dawn accepts' });
    process.exit(3);
  }
  const device = await adapter.requestDevice();
  const module = device.createShaderModule({
    code: `@group(0) @binding(0) var<storage, read_write> data: array<f32>;
           @compute @workgroup_size(1) fn main() { data[2] = data[0] + data[1]; }`,
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: 'main' },
  });
  const STORAGE = 0x80;
  const COPY_SRC = 0x4;
  const COPY_DST = 0x8;
  const MAP_READ = 0x1;
  const buffer = device.createBuffer({ size: 12, usage: STORAGE | COPY_SRC | COPY_DST });
  const staging = device.createBuffer({ size: 12, usage: COPY_DST | MAP_READ });
  device.queue.writeBuffer(buffer, 0, new Float32Array([1.5, 2.25, 0]));
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 12);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const sum = new Float32Array(staging.getMappedRange())[2];
  staging.unmap();
  const { vendor, architecture, device: model, description } = adapter.info;
  const report = {
    ok: sum === 3.75,
    reason: `computed ${sum} where 3.75 is right`,
    vendor,
    architecture,
    device: model,
    description,
    features: [...adapter.features].sort(),
  };
  if (report.ok) delete report.reason;
  say(report);
  device.destroy();
} catch (error) {
  say({ ok: false, reason: String(error?.message ?? error) });
  process.exitCode = 3;
}
