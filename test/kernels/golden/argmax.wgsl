struct Uniforms {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < uniforms.rows) {
    var best1 = 4294967295u;
    var at2 = 0i;
    for (var i3 = 0u; i3 < uniforms.width; i3 += 1u) {
      let v4 = x[id0 * uniforms.width + i3];
      let bits5 = bitcast<u32>(v4);
      let mag6 = bitcast<u32>(v4) & 2147483647u;
      let key7 = select(~select(select(bits5 | 2147483648u, ~bits5, (bits5 & 2147483648u) != 0u), 2147483648u, mag6 == 0u), 4294967295u, mag6 > 2139095040u);
      if (key7 < best1) {
        best1 = key7;
        at2 = bitcast<i32>(i3);
      }
    }
    y[id0] = at2;
  }
}
