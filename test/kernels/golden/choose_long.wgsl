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
var<workgroup> bins: array<u32, 2048>;
var<workgroup> parts: array<u32, 128>;
var<workgroup> found: array<u32, 2>;

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let group0 = workgroup_id.y * num_workgroups.x + workgroup_id.x;
  let there1 = group0 < uniforms.rows;
  let row2 = min(group0, uniforms.rows - 1u);
  let end3 = select(0u, uniforms.width, there1);
  let wanted4 = min(bitcast<u32>(max(count[row2], 0i)), uniforms.room);
  var worst5 = 0u;
  var ties6 = wanted4;
  for (var i7 = 0u; i7 < 8u; i7 += 1u) {
    let shift8 = 28u - i7 * 4u;
    for (var i9 = 0u; i9 < 16u; i9 += 1u) {
      bins[i9 * 128u + local_id.x] = 0u;
    }
    let run10 = (uniforms.width + 127u) / 128u;
    let first11 = min(local_id.x * run10, end3);
    for (var i12 = first11; i12 < min(first11 + run10, end3); i12 += 1u) {
      if (c[row2 * uniforms.width + i12] != 0u) {
        let v13 = x[row2 * uniforms.width + i12];
        let bits14 = bitcast<u32>(v13);
        let mag15 = bitcast<u32>(v13) & 2147483647u;
        let key16 = select(~select(select(bits14 | 2147483648u, ~bits14, (bits14 & 2147483648u) != 0u), 2147483648u, mag15 == 0u), 4294967295u, mag15 > 2139095040u);
        let digits17 = key16 >> shift8;
        if ((digits17 >> 4u) == worst5) {
          let bin18 = (digits17 & 15u) * 128u + local_id.x;
          bins[bin18] = bins[bin18] + 1u;
        }
      }
    }
    workgroupBarrier();
    var part19 = 0u;
    for (var i20 = 0u; i20 < 16u; i20 += 1u) {
      part19 = part19 + bins[local_id.x * 16u + i20];
    }
    parts[local_id.x] = part19;
    workgroupBarrier();
    if (local_id.x == 0u) {
      var digit21 = 0u;
      var base22 = 0u;
      var sum23 = 0u;
      for (var i24 = 0u; i24 < 16u; i24 += 1u) {
        var total25 = 0u;
        for (var i26 = 0u; i26 < 8u; i26 += 1u) {
          total25 = total25 + parts[i24 * 8u + i26];
        }
        if (sum23 < ties6 && total25 != 0u) {
          digit21 = i24;
          base22 = sum23;
          sum23 = sum23 + total25;
        }
      }
      found[0u] = digit21;
      found[1u] = min(ties6, sum23) - base22;
    }
    workgroupBarrier();
    worst5 = (worst5 << 4u) | found[0u];
    ties6 = found[1u];
  }
  var better27 = 0u;
  var equal28 = 0u;
  let run29 = (uniforms.width + 127u) / 128u;
  let first30 = min(local_id.x * run29, end3);
  for (var i31 = first30; i31 < min(first30 + run29, end3); i31 += 1u) {
    if (c[row2 * uniforms.width + i31] != 0u) {
      let v32 = x[row2 * uniforms.width + i31];
      let bits33 = bitcast<u32>(v32);
      let mag34 = bitcast<u32>(v32) & 2147483647u;
      let key35 = select(~select(select(bits33 | 2147483648u, ~bits33, (bits33 & 2147483648u) != 0u), 2147483648u, mag34 == 0u), 4294967295u, mag34 > 2139095040u);
      if (key35 < worst5) {
        better27 = better27 + 1u;
      }
      if (key35 == worst5) {
        equal28 = equal28 + 1u;
      }
    }
  }
  bins[local_id.x] = better27;
  bins[local_id.x + 128u] = equal28;
  workgroupBarrier();
  var before36 = 0u;
  var before37 = 0u;
  var all38 = 0u;
  var all39 = 0u;
  for (var i40 = 0u; i40 < 128u; i40 += 1u) {
    let v41 = bins[i40];
    let v42 = bins[i40 + 128u];
    all38 = all38 + v41;
    all39 = all39 + v42;
    if (i40 < local_id.x) {
      before36 = before36 + v41;
      before37 = before37 + v42;
    }
  }
  let taken43 = min(ties6, all39);
  var next44 = before36 + min(before37, taken43);
  var seen45 = before37;
  let run46 = (uniforms.width + 127u) / 128u;
  let first47 = min(local_id.x * run46, end3);
  for (var i48 = first47; i48 < min(first47 + run46, end3); i48 += 1u) {
    if (c[row2 * uniforms.width + i48] != 0u) {
      let v49 = x[row2 * uniforms.width + i48];
      let bits50 = bitcast<u32>(v49);
      let mag51 = bitcast<u32>(v49) & 2147483647u;
      let key52 = select(~select(select(bits50 | 2147483648u, ~bits50, (bits50 & 2147483648u) != 0u), 2147483648u, mag51 == 0u), 4294967295u, mag51 > 2139095040u);
      if (key52 < worst5 || (key52 == worst5 && seen45 < taken43)) {
        y[row2 * uniforms.room + next44] = bitcast<i32>(i48);
        next44 = next44 + 1u;
      }
      if (key52 == worst5) {
        seen45 = seen45 + 1u;
      }
    }
  }
  let chosen53 = all38 + taken43;
  let run54 = (uniforms.room + 127u) / 128u;
  let first55 = min(local_id.x * run54, select(0u, uniforms.room, there1));
  for (var i56 = first55; i56 < min(first55 + run54, select(0u, uniforms.room, there1)); i56 += 1u) {
    if (i56 >= chosen53) {
      y[row2 * uniforms.room + i56] = -1i;
    }
  }
}
