struct Uniforms {
  room: u32,
  keys: u32,
  slots: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read> ranks: array<u32>;
@group(0) @binding(2) var<storage, read_write> list: array<u32>;
@group(0) @binding(3) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(4) var<storage, read_write> place: array<i32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
var<workgroup> counters: array<u32, 40>;
var<workgroup> sums: array<u32, 4>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>) {
  let run0 = (uniforms.slots + 3u) / 4u;
  let first1 = min(local_id.x * run0, uniforms.slots);
  let end2 = min(first1 + run0, uniforms.slots);
  let queues3 = uniforms.keys * 2u;
  for (var i4 = 0u; i4 < queues3; i4 += 1u) {
    let waiting5 = i4 * 4u + local_id.x;
    counters[waiting5] = 0u;
  }
  for (var i6 = first1; i6 < end2; i6 += 1u) {
    let id7 = ids[i6];
    if (id7 >= 0i) {
      let waiting8 = (bitcast<u32>(id7) * 2u + ranks[i6]) * 4u + local_id.x;
      counters[waiting8] = counters[waiting8] + 1u;
    }
  }
  workgroupBarrier();
  let run9 = (uniforms.keys + 3u) / 4u;
  let first10 = min(local_id.x * run9, uniforms.keys);
  let end11 = min(first10 + run9, uniforms.keys);
  for (var i12 = first10; i12 < end11; i12 += 1u) {
    var before13 = 0u;
    for (var i14 = 0u; i14 < 8u; i14 += 1u) {
      let waiting15 = i12 * 8u + i14;
      let count16 = counters[waiting15];
      counters[waiting15] = before13;
      before13 = before13 + count16;
    }
  }
  workgroupBarrier();
  for (var i17 = first1; i17 < end2; i17 += 1u) {
    var kept18 = -1i;
    let id19 = ids[i17];
    if (id19 >= 0i) {
      let waiting20 = (bitcast<u32>(id19) * 2u + ranks[i17]) * 4u + local_id.x;
      let place21 = counters[waiting20];
      counters[waiting20] = place21 + 1u;
      if (place21 < uniforms.room) {
        kept18 = 0i;
      }
    }
    place[i17] = kept18;
  }
  workgroupBarrier();
  for (var i22 = 0u; i22 < uniforms.keys; i22 += 1u) {
    let counter23 = i22 * 4u + local_id.x;
    counters[counter23] = 0u;
  }
  for (var i24 = first1; i24 < end2; i24 += 1u) {
    if (place[i24] >= 0i) {
      let id25 = ids[i24];
      if (id25 >= 0i) {
        let counter26 = bitcast<u32>(id25) * 4u + local_id.x;
        counters[counter26] = counters[counter26] + 1u;
      }
    }
  }
  workgroupBarrier();
  let all27 = uniforms.keys * 4u;
  let run28 = (all27 + 3u) / 4u;
  let first29 = min(local_id.x * run28, all27);
  let end30 = min(first29 + run28, all27);
  var own31 = 0u;
  for (var i32_0 = first29; i32_0 < end30; i32_0 += 1u) {
    own31 = own31 + counters[i32_0];
  }
  sums[local_id.x] = own31;
  workgroupBarrier();
  var before33 = 0u;
  for (var i34 = 0u; i34 < local_id.x; i34 += 1u) {
    before33 = before33 + sums[i34];
  }
  for (var i35 = first29; i35 < end30; i35 += 1u) {
    if (i35 % 4u == 0u) {
      let key36 = i35 / 4u;
      offsets[key36] = before33;
    }
    let count37 = counters[i35];
    counters[i35] = before33;
    before33 = before33 + count37;
  }
  if (local_id.x == 3u) {
    offsets[uniforms.keys] = before33;
  }
  workgroupBarrier();
  for (var i38 = first1; i38 < end2; i38 += 1u) {
    var row39 = -1i;
    if (place[i38] >= 0i) {
      let id40 = ids[i38];
      if (id40 >= 0i) {
        let counter41 = bitcast<u32>(id40) * 4u + local_id.x;
        let rank42 = counters[counter41];
        counters[counter41] = rank42 + 1u;
        list[rank42] = i38 * 10u + 1u;
        row39 = bitcast<i32>(rank42);
      }
    }
    place[i38] = row39;
  }
}
