@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> most: array<atomic<i32>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
  if (global_id.x < arrayLength(&x)) {
    let v0 = x[global_id.x];
    atomicAdd(&counts[v0], 1u);
    atomicMax(&most[0u], i32(v0));
  }
}
