struct Uniforms {
  positions: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < (uniforms.positions + 63u) / 64u) {
    let first1 = id0 * 64u;
    var count2 = 0u;
    for (var i3 = first1; i3 < min(first1 + 64u, uniforms.positions); i3 += 1u) {
      if (0.0f < x[i3]) {
        count2 = count2 + 1u;
      }
    }
    counts[id0] = count2;
  }
}
