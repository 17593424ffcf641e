struct Uniforms {
  keys: u32,
  slots: u32,
  most: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read_write> list: array<u32>;
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> place: array<i32>;
@group(0) @binding(4) var<storage, read_write> blocks: array<u32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
var<workgroup> counters: array<u32, 20>;
var<workgroup> sums: array<u32, 4>;
var<workgroup> begins: array<u32, 6>;
var<workgroup> firsts: array<u32, 5>;

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>) {
  let run0 = (uniforms.slots + 3u) / 4u;
  let first1 = min(local_id.x * run0, uniforms.slots);
  let end2 = min(first1 + run0, uniforms.slots);
  for (var i3 = 0u; i3 < uniforms.keys; i3 += 1u) {
    let counter4 = i3 * 4u + local_id.x;
    counters[counter4] = 0u;
  }
  for (var i5 = first1; i5 < end2; i5 += 1u) {
    let id6 = ids[i5];
    if (id6 >= 0i) {
      let counter7 = bitcast<u32>(id6) * 4u + local_id.x;
      counters[counter7] = counters[counter7] + 1u;
    }
  }
  workgroupBarrier();
  let all8 = uniforms.keys * 4u;
  let run9 = (all8 + 3u) / 4u;
  let first10 = min(local_id.x * run9, all8);
  let end11 = min(first10 + run9, all8);
  var own12 = 0u;
  for (var i13 = first10; i13 < end11; i13 += 1u) {
    own12 = own12 + counters[i13];
  }
  sums[local_id.x] = own12;
  workgroupBarrier();
  var before14 = 0u;
  for (var i15 = 0u; i15 < local_id.x; i15 += 1u) {
    before14 = before14 + sums[i15];
  }
  for (var i16 = first10; i16 < end11; i16 += 1u) {
    if (i16 % 4u == 0u) {
      let key17 = i16 / 4u;
      offsets[key17] = before14;
      begins[key17] = before14;
    }
    let count18 = counters[i16];
    counters[i16] = before14;
    before14 = before14 + count18;
  }
  if (local_id.x == 3u) {
    offsets[uniforms.keys] = before14;
    begins[uniforms.keys] = before14;
  }
  workgroupBarrier();
  let run19 = (uniforms.keys + 3u) / 4u;
  let first20 = min(local_id.x * run19, uniforms.keys);
  let end21 = min(first20 + run19, uniforms.keys);
  var cut22 = 0u;
  for (var i23 = first20; i23 < end21; i23 += 1u) {
    cut22 = cut22 + (begins[i23 + 1u] - begins[i23] + 1u) / 2u;
  }
  sums[local_id.x] = cut22;
  workgroupBarrier();
  var before24 = 0u;
  for (var i25 = 0u; i25 < local_id.x; i25 += 1u) {
    before24 = before24 + sums[i25];
  }
  for (var i26 = first20; i26 < end21; i26 += 1u) {
    firsts[i26] = before24;
    before24 = before24 + (begins[i26 + 1u] - begins[i26] + 1u) / 2u;
  }
  var total27 = 0u;
  for (var i28 = 0u; i28 < 4u; i28 += 1u) {
    total27 = total27 + sums[i28];
  }
  let rows29 = begins[uniforms.keys];
  let entries30 = uniforms.most + 1u;
  let run31 = (entries30 + 3u) / 4u;
  let first32 = min(local_id.x * run31, entries30);
  let end33 = min(first32 + run31, entries30);
  for (var i34 = first32; i34 < end33; i34 += 1u) {
    if (i34 >= total27) {
      blocks[i34] = rows29;
    }
  }
  workgroupBarrier();
  for (var i35 = first1; i35 < end2; i35 += 1u) {
    var row36 = -1i;
    let id37 = ids[i35];
    if (id37 >= 0i) {
      let counter38 = bitcast<u32>(id37) * 4u + local_id.x;
      let rank39 = counters[counter38];
      counters[counter38] = rank39 + 1u;
      list[rank39] = i35 * 10u + 1u;
      row36 = bitcast<i32>(rank39);
      let within40 = rank39 - begins[bitcast<u32>(id37)];
      if (within40 % 2u == 0u) {
        blocks[firsts[bitcast<u32>(id37)] + within40 / 2u] = rank39;
      }
    }
    place[i35] = row36;
  }
}
