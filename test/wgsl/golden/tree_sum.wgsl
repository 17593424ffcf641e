@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
var<workgroup> partial_0: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>, @builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>) {
  partial_0[local_id.x] = x[global_id.x];
  workgroupBarrier();
  for (var i0 = 0u; i0 < 6u; i0 += 1u) {
    let v1 = 32u >> i0;
    if (local_id.x < v1) {
      partial_0[local_id.x] = partial_0[local_id.x] + partial_0[local_id.x + v1];
    }
    workgroupBarrier();
  }
  if (local_id.x < 1u) {
    sums[workgroup_id.x] = partial_0[0u];
  }
}
