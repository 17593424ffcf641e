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
  if (id0 < uniforms.rows * uniforms.width) {
    let v1 = id0 / uniforms.width;
    let v2 = id0 % uniforms.width;
    var place3 = 2147483647i;
    let v4 = x[v1 * uniforms.width + v2];
    let bits5 = bitcast<u32>(v4);
    let mag6 = bitcast<u32>(v4) & 2147483647u;
    let key7 = select(~select(select(bits5 | 2147483648u, ~bits5, (bits5 & 2147483648u) != 0u), 2147483648u, mag6 == 0u), 4294967295u, mag6 > 2139095040u);
    place3 = 0i;
    for (var i9 = 0u; i9 < uniforms.width; i9 += 1u) {
      let v10 = x[v1 * uniforms.width + i9];
      let bits11 = bitcast<u32>(v10);
      let mag12 = bitcast<u32>(v10) & 2147483647u;
      let key13 = select(~select(select(bits11 | 2147483648u, ~bits11, (bits11 & 2147483648u) != 0u), 2147483648u, mag12 == 0u), 4294967295u, mag12 > 2139095040u);
      if (key13 < key7 || (key13 == key7 && i9 < v2)) {
        place3 = place3 + 1i;
      }
    }
    y[id0] = place3;
  }
}
