struct Uniforms {
  n: u32,
  shift: i32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read> f: array<f32>;
@group(0) @binding(1) var<storage, read> i: array<i32>;
@group(0) @binding(2) var<storage, read> u: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read_write> words: array<u32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) global_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let v0 = global_id.x + global_id.y * (num_workgroups.x * 16u);
  if (v0 >= uniforms.n || workgroup_id.y >= 65535u) {
    return;
  }
  let v1 = f[v0];
  let v2 = i[v0];
  let v3 = u[v0];
  var acc4 = v1 + (abs(v1) + uniforms.eps);
  acc4 = acc4 + (sqrt(v1) + inverseSqrt(v1));
  acc4 = acc4 + (floor(v1) + (ceil(v1) - sign(v1) * (-v1)));
  acc4 = acc4 - (v1 - fma(v1, v1, uniforms.eps));
  acc4 = acc4 / max(v1 % 3.0f, 1.0f);
  let v5 = v2 / uniforms.shift + v2 % uniforms.shift + min(v2, i32(-2147483648)) * (v2 - (-7i));
  let v6 = ((v3 & 255u) | (v3 << 3u)) ^ ~(v3 >> u32(v2));
  var flag7 = v2 < uniforms.shift;
  for (var i8 = 0i; i8 < v2; i8 += 2i) {
    if (6i < i8) {
      break;
    }
    flag7 = select(!flag7, (v2 < i8), v1 < uniforms.eps);
  }
  if (flag7) {
    out[v0] = acc4;
  } else {
    out[v0] = select(bitcast<f32>(v6 & 1073741823u), f32(v5), v6 < v3);
  }
  words[v0] = u32(flag7) + (bitcast<u32>(acc4) + u32(v1));
}
