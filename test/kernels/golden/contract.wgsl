struct Uniforms {
  rows: u32,
  width: u32,
  depth: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < uniforms.rows * uniforms.width) {
    let v1 = id0 / uniforms.width;
    let v2 = id0 % uniforms.width;
    var acc3 = 0.0f;
    for (var i4 = 0u; i4 < uniforms.depth; i4 += 1u) {
      acc3 = acc3 + x[v1 * uniforms.depth + i4] * w[v2 * uniforms.depth + i4];
    }
    y[id0] = acc3;
  }
}
