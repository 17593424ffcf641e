struct Uniforms {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < uniforms.rows) {
    var acc1 = 0.0f;
    var acc2 = 0.0f;
    var acc3 = 0.0f;
    var acc4 = 0.0f;
    var acc5 = 0.0f;
    var blocks6 = 0u;
    for (var i7 = 0u; i7 < uniforms.width; i7 += 32u) {
      {
        var i8 = i7;
        loop {
          acc1 = acc1 + x[id0 * uniforms.width + i8];
          continuing {
            i8 += 1u;
            break if i8 >= min(i7 + 32u, uniforms.width);
          }
        }
      }
      acc2 = acc2 + acc1;
      acc1 = 0.0f;
      blocks6 = blocks6 + 1u;
      if ((blocks6 & 31u) == 0u) {
        acc3 = acc3 + acc2;
        acc2 = 0.0f;
        if ((blocks6 & 1023u) == 0u) {
          acc4 = acc4 + acc3;
          acc3 = 0.0f;
          if ((blocks6 & 32767u) == 0u) {
            acc5 = acc5 + acc4;
            acc4 = 0.0f;
          }
        }
      }
    }
    y[id0] = acc5 + (acc4 + (acc3 + (acc2 + acc1)));
  }
}
