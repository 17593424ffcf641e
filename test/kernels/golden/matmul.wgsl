struct Uniforms {
  rows: u32,
  width: u32,
  depth: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let columns0 = (uniforms.width + 3u) / 4u;
  let id1 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id1 < uniforms.rows * columns0) {
    let block2 = id1 / columns0;
    let col3 = id1 % columns0 * 4u;
    let c5 = min(col3 + 1u, uniforms.width - 1u);
    let c6 = min(col3 + 2u, uniforms.width - 1u);
    let c7 = min(col3 + 3u, uniforms.width - 1u);
    var acc8 = 0.0f;
    var acc9 = 0.0f;
    var acc10 = 0.0f;
    var acc11 = 0.0f;
    var acc12 = 0.0f;
    var acc13 = 0.0f;
    var acc14 = 0.0f;
    var acc15 = 0.0f;
    var acc16 = 0.0f;
    var acc17 = 0.0f;
    var acc18 = 0.0f;
    var acc19 = 0.0f;
    var acc20 = 0.0f;
    var acc21 = 0.0f;
    var acc22 = 0.0f;
    var acc23 = 0.0f;
    var acc24 = 0.0f;
    var acc25 = 0.0f;
    var acc26 = 0.0f;
    var acc27 = 0.0f;
    var blocks28 = 0u;
    for (var i29 = 0u; i29 < uniforms.depth; i29 += 32u) {
      {
        var i30 = i29;
        loop {
          let v31 = w[col3 * uniforms.depth + i30];
          let v32 = w[c5 * uniforms.depth + i30];
          let v33 = w[c6 * uniforms.depth + i30];
          let v34 = w[c7 * uniforms.depth + i30];
          let v35 = x[block2 * uniforms.depth + i30];
          acc8 = acc8 + v35 * v31;
          acc9 = acc9 + v35 * v32;
          acc10 = acc10 + v35 * v33;
          acc11 = acc11 + v35 * v34;
          continuing {
            i30 += 1u;
            break if i30 >= min(i29 + 32u, uniforms.depth);
          }
        }
      }
      acc12 = acc12 + acc8;
      acc8 = 0.0f;
      acc13 = acc13 + acc9;
      acc9 = 0.0f;
      acc14 = acc14 + acc10;
      acc10 = 0.0f;
      acc15 = acc15 + acc11;
      acc11 = 0.0f;
      blocks28 = blocks28 + 1u;
      if ((blocks28 & 31u) == 0u) {
        acc16 = acc16 + acc12;
        acc12 = 0.0f;
        acc17 = acc17 + acc13;
        acc13 = 0.0f;
        acc18 = acc18 + acc14;
        acc14 = 0.0f;
        acc19 = acc19 + acc15;
        acc15 = 0.0f;
        if ((blocks28 & 1023u) == 0u) {
          acc20 = acc20 + acc16;
          acc16 = 0.0f;
          acc21 = acc21 + acc17;
          acc17 = 0.0f;
          acc22 = acc22 + acc18;
          acc18 = 0.0f;
          acc23 = acc23 + acc19;
          acc19 = 0.0f;
          if ((blocks28 & 32767u) == 0u) {
            acc24 = acc24 + acc20;
            acc20 = 0.0f;
            acc25 = acc25 + acc21;
            acc21 = 0.0f;
            acc26 = acc26 + acc22;
            acc22 = 0.0f;
            acc27 = acc27 + acc23;
            acc23 = 0.0f;
          }
        }
      }
    }
    if (col3 < uniforms.width) {
      y[block2 * uniforms.width + col3] = acc24 + (acc20 + (acc16 + (acc12 + acc8)));
    }
    if (col3 + 1u < uniforms.width) {
      y[block2 * uniforms.width + (col3 + 1u)] = acc25 + (acc21 + (acc17 + (acc13 + acc9)));
    }
    if (col3 + 2u < uniforms.width) {
      y[block2 * uniforms.width + (col3 + 2u)] = acc26 + (acc22 + (acc18 + (acc14 + acc10)));
    }
    if (col3 + 3u < uniforms.width) {
      y[block2 * uniforms.width + (col3 + 3u)] = acc27 + (acc23 + (acc19 + (acc15 + acc11)));
    }
  }
}
