struct Uniforms {
  positions: u32,
}

@group(0) @binding(0) var<storage, read> counts: array<u32>;
@group(0) @binding(1) var<storage, read_write> starts: array<u32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;
var<workgroup> sums: array<u32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>) {
  let v0 = (uniforms.positions + 63u) / 64u;
  let run1 = (v0 + 255u) / 256u;
  let first2 = min(local_id.x * run1, v0);
  let end3 = min(first2 + run1, v0);
  var own4 = 0u;
  for (var i5 = first2; i5 < end3; i5 += 1u) {
    own4 = own4 + counts[i5];
  }
  sums[local_id.x] = own4;
  workgroupBarrier();
  var before6 = 0u;
  for (var i7 = 0u; i7 < local_id.x; i7 += 1u) {
    before6 = before6 + sums[i7];
  }
  for (var i8 = first2; i8 < end3; i8 += 1u) {
    starts[i8] = before6;
    before6 = before6 + counts[i8];
  }
  if (local_id.x == 255u) {
    starts[v0] = before6;
  }
}
