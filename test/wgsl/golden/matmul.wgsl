struct Uniforms {
  rows: u32,
  inner: u32,
  cols: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>) {
  let v0 = global_id.x;
  if (v0 < uniforms.rows * uniforms.cols) {
    let v1 = v0 / uniforms.cols;
    let v2 = v0 % uniforms.cols;
    var acc3 = 0.0f;
    for (var i4 = 0u; i4 < uniforms.inner; i4 += 1u) {
      acc3 = acc3 + a[v1 * uniforms.inner + i4] * b[i4 * uniforms.cols + v2];
    }
    c[v0] = acc3;
  }
}
