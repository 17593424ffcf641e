struct Uniforms {
  positions: u32,
  keys: u32,
  perkey: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read_write> list: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(4) var<storage, read_write> place: array<i32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let chunks0 = (uniforms.positions + 63u) / 64u;
  let id1 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id1 < max(chunks0, uniforms.keys + 1u)) {
    if (id1 < chunks0) {
      let first2 = id1 * 64u;
      var rank3 = starts[id1];
      for (var i4 = first2; i4 < min(first2 + 64u, uniforms.positions); i4 += 1u) {
        var row5 = -1i;
        if (0.0f < x[i4]) {
          list[rank3] = i4;
          row5 = bitcast<i32>(rank3);
          rank3 = rank3 + 1u;
        }
        place[i4] = row5;
      }
    }
    if (id1 < uniforms.keys + 1u) {
      let end6 = id1 * uniforms.perkey;
      let chunk7 = min(end6 / 64u, select(0u, chunks0 - 1u, 0u < chunks0));
      var before8 = starts[chunk7];
      for (var i9 = chunk7 * 64u; i9 < end6; i9 += 1u) {
        if (0.0f < x[i9]) {
          before8 = before8 + 1u;
        }
      }
      offsets[id1] = before8;
    }
  }
}
