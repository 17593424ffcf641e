struct Uniforms {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let below = 4286578688u;
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < uniforms.rows) {
    var acc1 = bitcast<f32>(below);
    var most2 = 0u;
    for (var i3 = 0u; i3 < uniforms.width; i3 += 1u) {
      let v4 = x[id0 * uniforms.width + i3];
      acc1 = max(acc1, v4);
      most2 = max(most2, bitcast<u32>(v4) & 2147483647u);
    }
    y[id0] = select(acc1, bitcast<f32>(most2), most2 > 2139095040u);
  }
}
