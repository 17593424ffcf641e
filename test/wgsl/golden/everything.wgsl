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
  let h1 = abs(v1) + uniforms.eps;
  var acc4 = select(select(exp(min(max(v1, -87.3f), 88.72f)), 0.0f, v1 < -87.3f), v1, (bitcast<u32>(v1) & 2147483647u) > 2139095040u) + select(select(log(max(h1, 1.1754944e-38f)), -3.402823466e38f, h1 < 1.1754944e-38f), h1, (bitcast<u32>(h1) & 2147483647u) > 2139095040u);
  acc4 = acc4 + (select(sqrt(max(v1, 0.0f)), v1, (bitcast<u32>(v1) & 2147483647u) > 2139095040u) + select(inverseSqrt(max(v1, 1.1754944e-38f)), v1, (bitcast<u32>(v1) & 2147483647u) > 2139095040u));
  acc4 = acc4 + select(tanh(min(max(v1, -15.0f), 15.0f)), v1, (bitcast<u32>(v1) & 2147483647u) > 2139095040u) * (sin(v1) - cos(v1));
  acc4 = acc4 + (floor(v1) + (ceil(v1) - sign(v1) * (-v1)));
  let h0 = -abs(v1);
  let h2 = 2.5f * select(select(log(max(v1, 1.1754944e-38f)), -3.402823466e38f, v1 < 1.1754944e-38f), v1, (bitcast<u32>(v1) & 2147483647u) > 2139095040u);
  let h3 = h0 * select(select(log(max(v1, 1.1754944e-38f)), -3.402823466e38f, v1 < 1.1754944e-38f), v1, (bitcast<u32>(v1) & 2147483647u) > 2139095040u);
  acc4 = acc4 + (v1 * v1 * v1 + (select(select(select(exp(min(max(h2, -87.3f), 88.72f)), 0.0f, h2 < -87.3f), h2, (bitcast<u32>(h2) & 2147483647u) > 2139095040u), 0.0f, v1 < 1.1754944e-38f) + select(select(select(exp(min(max(h3, -87.3f), 88.72f)), 0.0f, h3 < -87.3f), h3, (bitcast<u32>(h3) & 2147483647u) > 2139095040u), select(select(3.402823466e38f, 1.0f, h0 == 0.0f), 0.0f, h0 > 0.0f), v1 < 1.1754944e-38f)));
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
