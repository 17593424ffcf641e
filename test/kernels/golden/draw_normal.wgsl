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
  let below = 4286578688u;
  let nan = 2143289344u;
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
    let v45 = (h44 >> 8u) << 8u;
    let v46 = f32(v36 + 1u) * 5.9604645e-8f;
    let v47 = bitcast<u32>(v46);
    let v48 = v47 < 8388608u;
    let v49 = select(v47, bitcast<u32>(f32(v47)), v48);
    let v50 = (v49 & 8388607u) > 3474675u;
    let v51 = f32(i32(v49 >> 23u) - select(127i, 126i, v50) - select(0i, 149i, v48));
    let v52 = bitcast<f32>((v49 & 8388607u) | select(1065353216u, 1056964608u, v50)) - 1.0f;
    let v53 = v52 * v52;
    let v54 = (((((((0.070376836f * v52 + (-0.1151461f)) * v52 + 0.116769984f) * v52 + (-0.12420141f)) * v52 + 0.14249323f) * v52 + (-0.16668057f)) * v52 + 0.20000714f) * v52 + (-0.24999994f)) * v52 + 0.3333333f;
    let v55 = v47 - 1u < 2139095039u;
    let v56 = select(select(select(bitcast<f32>(nan), bitcast<f32>(below), (v47 & 2147483647u) == 0u), v46, v47 == 2139095040u), v52 + (v54 * v52 * v53 + v51 * (-0.00021219444f) - v53 * 0.5f) + v51 * 0.6933594f, v55);
    let v57 = v56 * (-2.0f);
    let v58 = bitcast<u32>(v57);
    let v59 = v58 < 8388608u;
    let v60 = select(v57, f32(v58 * 2u), v59);
    let v61 = (v58 & 2147483647u) == 0u;
    let v62 = v58 == 2139095040u;
    let v63 = v58 < 2139095040u;
    let v64 = select(select(select(bitcast<f32>(nan), sqrt(v60) * select(1.0f, 2.646978e-23f, v59), v63), v57, v62), 0.0f, v61);
    let v65 = (v45 + 536870912u) >> 30u;
    let v66 = bitcast<i32>(v45 - (v65 << 30u));
    let v67 = (f32(v66) * 2.3283064e-10f + 0.0f) * 6.2831855f;
    let v68 = v67 * v67;
    let v69 = (-0.00019515296f * v68 + 0.008332161f) * v68 + (-0.16666655f);
    let v70 = (0.000024433157f * v68 + (-0.0013887316f)) * v68 + 0.041666646f;
    let v71 = v69 * v68 * v67 + v67;
    let v72 = v70 * v68 * v68 + (1.0f - v68 * 0.5f);
    let v73 = (v65 + 1u) & 3u;
    let v74 = select(v72, v71, (v73 & 1u) == 0u);
    let v75 = select(v74, -v74, v73 >= 2u);
    y[id0] = v64 * v75;
  }
}
