@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<private> own: array<f32, 4>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
  let v0 = global_id.x * 4u;
  for (var i1 = 0u; i1 < 4u; i1 += 1u) {
    own[i1] = x[v0 + i1];
  }
  for (var i2 = 0u; i2 < 4u; i2 += 1u) {
    y[v0 + i2] = own[order[v0 + i2]];
  }
}
