struct Uniforms {
  rows: u32,
  width: u32,
  room: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> c: array<u32>;
@group(0) @binding(2) var<storage, read> count: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<i32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < uniforms.rows) {
    let wanted1 = min(bitcast<u32>(max(count[id0], 0i)), uniforms.room);
    var last2 = 0u;
    var at3 = -1i;
    for (var i4 = 0u; i4 < wanted1; i4 += 1u) {
      var best5 = 0u;
      var at6 = -1i;
      for (var i7 = 0u; i7 < uniforms.width; i7 += 1u) {
        if (c[id0 * uniforms.width + i7] != 0u) {
          let pos8 = bitcast<i32>(i7);
          let v9 = x[id0 * uniforms.width + i7];
          let bits10 = bitcast<u32>(v9);
          let mag11 = bitcast<u32>(v9) & 2147483647u;
          let key12 = select(~select(select(bits10 | 2147483648u, ~bits10, (bits10 & 2147483648u) != 0u), 2147483648u, mag11 == 0u), 4294967295u, mag11 > 2139095040u);
          if ((last2 < key12 || (key12 == last2 && at3 < pos8)) && (at6 < 0i || key12 < best5)) {
            best5 = key12;
            at6 = pos8;
          }
        }
      }
      if (at6 >= 0i) {
        last2 = best5;
        at3 = at6;
      }
    }
    var chosen13 = 0u;
    for (var i14 = 0u; i14 < uniforms.width; i14 += 1u) {
      if (c[id0 * uniforms.width + i14] != 0u) {
        let pos15 = bitcast<i32>(i14);
        let v16 = x[id0 * uniforms.width + i14];
        let bits17 = bitcast<u32>(v16);
        let mag18 = bitcast<u32>(v16) & 2147483647u;
        let key19 = select(~select(select(bits17 | 2147483648u, ~bits17, (bits17 & 2147483648u) != 0u), 2147483648u, mag18 == 0u), 4294967295u, mag18 > 2139095040u);
        if (chosen13 < wanted1 && (key19 < last2 || (key19 == last2 && pos15 <= at3))) {
          y[id0 * uniforms.room + chosen13] = pos15;
          chosen13 = chosen13 + 1u;
        }
      }
    }
    for (var i20 = 0u; i20 < uniforms.room; i20 += 1u) {
      if (i20 >= chosen13) {
        y[id0 * uniforms.room + i20] = -1i;
      }
    }
  }
}
