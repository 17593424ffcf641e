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
  let blocks0 = (uniforms.width + 3u) / 4u;
  let id1 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id1 < uniforms.rows * blocks0) {
    let row2 = id1 / blocks0;
    let col3 = id1 % blocks0 * 4u;
    let c4 = col3;
    let c5 = min(col3 + 1u, uniforms.width - 1u);
    let c6 = min(col3 + 2u, uniforms.width - 1u);
    let c7 = min(col3 + 3u, uniforms.width - 1u);
    var acc8 = 0.0f;
    var acc9 = 0.0f;
    var acc10 = 0.0f;
    var acc11 = 0.0f;
    for (var i12 = 0u; i12 < uniforms.depth; i12 += 1u) {
      let v13 = x[row2 * uniforms.depth + i12];
      acc8 = acc8 + v13 * w[c4 * uniforms.depth + i12];
      acc9 = acc9 + v13 * w[c5 * uniforms.depth + i12];
      acc10 = acc10 + v13 * w[c6 * uniforms.depth + i12];
      acc11 = acc11 + v13 * w[c7 * uniforms.depth + i12];
    }
    if (col3 < uniforms.width) {
      y[row2 * uniforms.width + col3] = acc8;
    }
    if (col3 + 1u < uniforms.width) {
      y[row2 * uniforms.width + (col3 + 1u)] = acc9;
    }
    if (col3 + 2u < uniforms.width) {
      y[row2 * uniforms.width + (col3 + 2u)] = acc10;
    }
    if (col3 + 3u < uniforms.width) {
      y[row2 * uniforms.width + (col3 + 3u)] = acc11;
    }
  }
}
