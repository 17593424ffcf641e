struct Uniforms {
  most: u32,
}

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> group: array<u32>;
@group(0) @binding(2) var<storage, read_write> blocks: array<u32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;
var<workgroup> begins: array<u32, 64>;
var<workgroup> sums: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>) {
  let rows0 = count[0u];
  let run1 = (rows0 + 63u) / 64u;
  let first2 = min(local_id.x * run1, rows0);
  let end3 = min(first2 + run1, rows0);
  var last4 = 0u;
  for (var i5 = first2; i5 < end3; i5 += 1u) {
    var begun6 = i5 == 0u;
    if (i5 != 0u) {
      begun6 = group[i5 - 1u] != group[i5];
    }
    if (begun6) {
      last4 = i5;
    }
  }
  begins[local_id.x] = last4;
  workgroupBarrier();
  var before7 = 0u;
  for (var i8 = 0u; i8 < local_id.x; i8 += 1u) {
    before7 = max(before7, begins[i8]);
  }
  var own9 = 0u;
  var group10 = before7;
  for (var i11 = first2; i11 < end3; i11 += 1u) {
    var begun12 = i11 == 0u;
    if (i11 != 0u) {
      begun12 = group[i11 - 1u] != group[i11];
    }
    if (begun12) {
      group10 = i11;
    }
    if ((i11 - group10) % 2u == 0u) {
      own9 = own9 + 1u;
    }
  }
  sums[local_id.x] = own9;
  workgroupBarrier();
  var before13 = 0u;
  for (var i14 = 0u; i14 < local_id.x; i14 += 1u) {
    before13 = before13 + sums[i14];
  }
  group10 = before7;
  for (var i15 = first2; i15 < end3; i15 += 1u) {
    var begun16 = i15 == 0u;
    if (i15 != 0u) {
      begun16 = group[i15 - 1u] != group[i15];
    }
    if (begun16) {
      group10 = i15;
    }
    if ((i15 - group10) % 2u == 0u) {
      blocks[before13] = i15;
      before13 = before13 + 1u;
    }
  }
  var total17 = 0u;
  for (var i18 = 0u; i18 < 64u; i18 += 1u) {
    total17 = total17 + sums[i18];
  }
  let entries19 = uniforms.most + 1u;
  let run20 = (entries19 + 63u) / 64u;
  let first21 = min(local_id.x * run20, entries19);
  let end22 = min(first21 + run20, entries19);
  for (var i23 = first21; i23 < end22; i23 += 1u) {
    if (i23 >= total17) {
      blocks[i23] = rows0;
    }
  }
}
