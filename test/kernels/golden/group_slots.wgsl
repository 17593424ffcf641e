struct Uniforms {
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
  for (var i3 = 0u; i3 < 5u; i3 += 1u) {
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
  let run8 = 5u;
  let first9 = min(local_id.x * run8, 20u);
  let end10 = min(first9 + run8, 20u);
  var own11 = 0u;
  for (var i12 = first9; i12 < end10; i12 += 1u) {
    own11 = own11 + counters[i12];
  }
  sums[local_id.x] = own11;
  workgroupBarrier();
  var before13 = 0u;
  for (var i14 = 0u; i14 < local_id.x; i14 += 1u) {
    before13 = before13 + sums[i14];
  }
  for (var i15 = first9; i15 < end10; i15 += 1u) {
    if (i15 % 4u == 0u) {
      let key16 = i15 / 4u;
      offsets[key16] = before13;
      begins[key16] = before13;
    }
    let count17 = counters[i15];
    counters[i15] = before13;
    before13 = before13 + count17;
  }
  if (local_id.x == 3u) {
    offsets[5u] = before13;
    begins[5u] = before13;
  }
  workgroupBarrier();
  let run18 = 2u;
  let first19 = min(local_id.x * run18, 5u);
  let end20 = min(first19 + run18, 5u);
  var cut21 = 0u;
  for (var i22 = first19; i22 < end20; i22 += 1u) {
    cut21 = cut21 + (begins[i22 + 1u] - begins[i22] + 1u) / 2u;
  }
  sums[local_id.x] = cut21;
  workgroupBarrier();
  var before23 = 0u;
  for (var i24 = 0u; i24 < local_id.x; i24 += 1u) {
    before23 = before23 + sums[i24];
  }
  for (var i25 = first19; i25 < end20; i25 += 1u) {
    firsts[i25] = before23;
    before23 = before23 + (begins[i25 + 1u] - begins[i25] + 1u) / 2u;
  }
  var total26 = 0u;
  for (var i27 = 0u; i27 < 4u; i27 += 1u) {
    total26 = total26 + sums[i27];
  }
  let rows28 = begins[5u];
  let entries29 = uniforms.most + 1u;
  let run30 = (entries29 + 3u) / 4u;
  let first31 = min(local_id.x * run30, entries29);
  let end32 = min(first31 + run30, entries29);
  for (var i33 = first31; i33 < end32; i33 += 1u) {
    if (i33 >= total26) {
      blocks[i33] = rows28;
    }
  }
  workgroupBarrier();
  for (var i34 = first1; i34 < end2; i34 += 1u) {
    var row35 = -1i;
    let id36 = ids[i34];
    if (id36 >= 0i) {
      let counter37 = bitcast<u32>(id36) * 4u + local_id.x;
      let rank38 = counters[counter37];
      counters[counter37] = rank38 + 1u;
      list[rank38] = i34 * 10u + 1u;
      row35 = bitcast<i32>(rank38);
      let within39 = rank38 - begins[bitcast<u32>(id36)];
      if (within39 % 2u == 0u) {
        blocks[firsts[bitcast<u32>(id36)] + within39 / 2u] = rank38;
      }
    }
    place[i34] = row35;
  }
}
