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
  let wanted3 = min(bitcast<u32>(max(count[row2], 0i)), uniforms.room);
  var worst4 = 0u;
  var ties5 = wanted3;
  for (var i6 = 0u; i6 < 8u; i6 += 1u) {
    let shift7 = 28u - i6 * 4u;
    for (var i8 = 0u; i8 < 16u; i8 += 1u) {
      bins[i8 * 128u + local_id.x] = 0u;
    }
    let limit9 = select(0u, uniforms.width, there1);
    let run10 = (uniforms.width + 127u) / 128u;
    let first11 = min(local_id.x * run10, limit9);
    let end12 = min(first11 + run10, limit9);
    for (var i13 = first11; i13 < end12; i13 += 1u) {
      if (c[row2 * uniforms.width + i13] != 0u) {
        let v14 = x[row2 * uniforms.width + i13];
        let bits15 = bitcast<u32>(v14);
        let mag16 = bitcast<u32>(v14) & 2147483647u;
        let key17 = select(~select(select(bits15 | 2147483648u, ~bits15, (bits15 & 2147483648u) != 0u), 2147483648u, mag16 == 0u), 4294967295u, mag16 > 2139095040u);
        let digits18 = key17 >> shift7;
        if ((digits18 >> 4u) == worst4) {
          let bin19 = (digits18 & 15u) * 128u + local_id.x;
          bins[bin19] = bins[bin19] + 1u;
        }
      }
    }
    workgroupBarrier();
    var part20 = 0u;
    for (var i21 = 0u; i21 < 16u; i21 += 1u) {
      part20 = part20 + bins[local_id.x * 16u + i21];
    }
    parts[local_id.x] = part20;
    workgroupBarrier();
    if (local_id.x == 0u) {
      var digit22 = 0u;
      var base23 = 0u;
      var sum24 = 0u;
      for (var i25 = 0u; i25 < 16u; i25 += 1u) {
        var total26 = 0u;
        for (var i27 = 0u; i27 < 8u; i27 += 1u) {
          total26 = total26 + parts[i25 * 8u + i27];
        }
        if (sum24 < ties5 && total26 != 0u) {
          digit22 = i25;
          base23 = sum24;
          sum24 = sum24 + total26;
        }
      }
      found[0u] = digit22;
      found[1u] = min(ties5, sum24) - base23;
    }
    workgroupBarrier();
    worst4 = (worst4 << 4u) | found[0u];
    ties5 = found[1u];
  }
  var better28 = 0u;
  var equal29 = 0u;
  let limit30 = select(0u, uniforms.width, there1);
  let run31 = (uniforms.width + 127u) / 128u;
  let first32 = min(local_id.x * run31, limit30);
  let end33 = min(first32 + run31, limit30);
  for (var i34 = first32; i34 < end33; i34 += 1u) {
    if (c[row2 * uniforms.width + i34] != 0u) {
      let v35 = x[row2 * uniforms.width + i34];
      let bits36 = bitcast<u32>(v35);
      let mag37 = bitcast<u32>(v35) & 2147483647u;
      let key38 = select(~select(select(bits36 | 2147483648u, ~bits36, (bits36 & 2147483648u) != 0u), 2147483648u, mag37 == 0u), 4294967295u, mag37 > 2139095040u);
      if (key38 < worst4) {
        better28 = better28 + 1u;
      }
      if (key38 == worst4) {
        equal29 = equal29 + 1u;
      }
    }
  }
  bins[local_id.x] = better28;
  bins[local_id.x + 128u] = equal29;
  workgroupBarrier();
  var before39 = 0u;
  var before40 = 0u;
  var all41 = 0u;
  var all42 = 0u;
  for (var i43 = 0u; i43 < 128u; i43 += 1u) {
    let v44 = bins[i43];
    let v45 = bins[i43 + 128u];
    all41 = all41 + v44;
    all42 = all42 + v45;
    if (i43 < local_id.x) {
      before39 = before39 + v44;
      before40 = before40 + v45;
    }
  }
  let taken46 = min(ties5, all42);
  var next47 = before39 + min(before40, taken46);
  var seen48 = before40;
  let limit49 = select(0u, uniforms.width, there1);
  let run50 = (uniforms.width + 127u) / 128u;
  let first51 = min(local_id.x * run50, limit49);
  let end52 = min(first51 + run50, limit49);
  for (var i53 = first51; i53 < end52; i53 += 1u) {
    if (c[row2 * uniforms.width + i53] != 0u) {
      let v54 = x[row2 * uniforms.width + i53];
      let bits55 = bitcast<u32>(v54);
      let mag56 = bitcast<u32>(v54) & 2147483647u;
      let key57 = select(~select(select(bits55 | 2147483648u, ~bits55, (bits55 & 2147483648u) != 0u), 2147483648u, mag56 == 0u), 4294967295u, mag56 > 2139095040u);
      if (key57 < worst4 || (key57 == worst4 && seen48 < taken46)) {
        y[row2 * uniforms.room + next47] = bitcast<i32>(i53);
        next47 = next47 + 1u;
      }
      if (key57 == worst4) {
        seen48 = seen48 + 1u;
      }
    }
  }
  let chosen58 = all41 + taken46;
  let limit59 = select(0u, uniforms.room, there1);
  let run60 = (uniforms.room + 127u) / 128u;
  let first61 = min(local_id.x * run60, limit59);
  let end62 = min(first61 + run60, limit59);
  for (var i63 = first61; i63 < end62; i63 += 1u) {
    if (i63 >= chosen58) {
      y[row2 * uniforms.room + i63] = -1i;
    }
  }
}
