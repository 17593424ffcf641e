struct Uniforms {
  n: u32,
  seed: u32,
  place: u32,
  name: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let id0 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id0 < uniforms.n) {
    let v1 = (uniforms.seed ^ (uniforms.seed >> 16u)) * 2146121005u;
    let v2 = (v1 ^ (v1 >> 15u)) * 2221713035u;
    let h3 = v2 ^ (v2 >> 16u);
    let v4 = uniforms.place + 2654435769u;
    let v5 = (v4 ^ (v4 >> 16u)) * 2146121005u;
    let v6 = (v5 ^ (v5 >> 15u)) * 2221713035u;
    let h7 = v6 ^ (v6 >> 16u);
    let v8 = h3 ^ h7;
    let v9 = (v8 ^ (v8 >> 16u)) * 2146121005u;
    let v10 = (v9 ^ (v9 >> 15u)) * 2221713035u;
    let h11 = v10 ^ (v10 >> 16u);
    let v12 = uniforms.name + 2654435769u;
    let v13 = (v12 ^ (v12 >> 16u)) * 2146121005u;
    let v14 = (v13 ^ (v13 >> 15u)) * 2221713035u;
    let h15 = v14 ^ (v14 >> 16u);
    let v16 = h11 ^ h15;
    let v17 = (v16 ^ (v16 >> 16u)) * 2146121005u;
    let v18 = (v17 ^ (v17 >> 15u)) * 2221713035u;
    let h19 = v18 ^ (v18 >> 16u);
    let v20 = id0 + 2654435769u;
    let v21 = (v20 ^ (v20 >> 16u)) * 2146121005u;
    let v22 = (v21 ^ (v21 >> 15u)) * 2221713035u;
    let h23 = v22 ^ (v22 >> 16u);
    let v24 = h19 ^ h23;
    let v25 = (v24 ^ (v24 >> 16u)) * 2146121005u;
    let v26 = (v25 ^ (v25 >> 15u)) * 2221713035u;
    let h27 = v26 ^ (v26 >> 16u);
    let v28 = 2654435769u;
    let v29 = (v28 ^ (v28 >> 16u)) * 2146121005u;
    let v30 = (v29 ^ (v29 >> 15u)) * 2221713035u;
    let h31 = v30 ^ (v30 >> 16u);
    let v32 = h27 ^ h31;
    let v33 = (v32 ^ (v32 >> 16u)) * 2146121005u;
    let v34 = (v33 ^ (v33 >> 15u)) * 2221713035u;
    let h35 = v34 ^ (v34 >> 16u);
    let v36 = h35 >> 8u;
    let v37 = 2654435770u;
    let v38 = (v37 ^ (v37 >> 16u)) * 2146121005u;
    let v39 = (v38 ^ (v38 >> 15u)) * 2221713035u;
    let h40 = v39 ^ (v39 >> 16u);
    let v41 = h27 ^ h40;
    let v42 = (v41 ^ (v41 >> 16u)) * 2146121005u;
    let v43 = (v42 ^ (v42 >> 15u)) * 2221713035u;
    let h44 = v43 ^ (v43 >> 16u);
    let v45 = h44 >> 8u;
    let v46 = f32(16777216u - (v36 + 1u)) * 5.9604645e-8f;
    let h0 = f32(v36 + 1u) * 5.9604645e-8f;
    let h1 = select(-select(select(log(max(h0, 1.1754944e-38f)), -3.402823466e38f, h0 < 1.1754944e-38f), h0, (bitcast<u32>(h0) & 2147483647u) > 2139095040u), fma(fma(fma(fma(fma(fma(0.14285715f, v46, 0.16666667f), v46, 0.2f), v46, 0.25f), v46, 0.33333334f), v46, 0.5f), v46, 1.0f) * v46, v46 < 0.0625f) * 2.0f;
    y[id0] = select(sqrt(max(h1, 0.0f)), h1, (bitcast<u32>(h1) & 2147483647u) > 2139095040u) * cos(f32(v45) * 3.7450704e-7f);
  }
}
