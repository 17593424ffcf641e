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
    var acc4 = 0.0f;
    var acc5 = 0.0f;
    var acc6 = 0.0f;
    var acc7 = 0.0f;
    var blocks8 = 0u;
    for (var i9 = 0u; i9 < uniforms.depth; i9 += 32u) {
      {
        var i10 = i9;
        loop {
          acc3 = acc3 + x[v1 * uniforms.depth + i10] * w[v2 * uniforms.depth + i10];
          continuing {
            i10 += 1u;
            break if i10 >= min(i9 + 32u, uniforms.depth);
          }
        }
      }
      acc4 = acc4 + acc3;
      acc3 = 0.0f;
      blocks8 = blocks8 + 1u;
      if ((blocks8 & 31u) == 0u) {
        acc5 = acc5 + acc4;
        acc4 = 0.0f;
        if ((blocks8 & 1023u) == 0u) {
          acc6 = acc6 + acc5;
          acc5 = 0.0f;
          if ((blocks8 & 32767u) == 0u) {
            acc7 = acc7 + acc6;
            acc6 = 0.0f;
          }
        }
      }
    }
    y[id0] = acc7 + (acc6 + (acc5 + (acc4 + acc3)));
  }
}
