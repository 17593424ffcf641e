struct Uniforms {
  n: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
  let v0 = global_id.x;
  if (v0 < uniforms.n) {
    y[v0] = x[v0] * uniforms.factor;
  }
}
