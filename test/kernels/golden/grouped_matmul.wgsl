struct Uniforms {
  capacity: u32,
  width: u32,
  depth: u32,
}

@group(0) @binding(0) var<storage, read> count: array<u32>;
@group(0) @binding(1) var<storage, read> group: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let blocks0 = (uniforms.width + 1u) / 2u;
  let id1 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id1 < (uniforms.capacity + 1u) / 2u * blocks0) {
    let row2 = id1 / blocks0 * 2u;
    let col3 = id1 % blocks0 * 2u;
    let rows4 = count[0u];
    if (row2 < rows4) {
      let last5 = min(row2 + 1u, rows4 - 1u);
      let c6 = col3;
      let c7 = min(col3 + 1u, uniforms.width - 1u);
      let g8 = group[row2];
      let r9 = min(row2 + 1u, last5);
      let g10 = group[r9];
      if (g8 == g10) {
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
        var acc28 = 0.0f;
        var acc29 = 0.0f;
        var acc30 = 0.0f;
        var acc31 = 0.0f;
        var acc32 = 0.0f;
        var acc33 = 0.0f;
        var acc34 = 0.0f;
        var blocks35 = 0u;
        for (var i36 = 0u; i36 < uniforms.depth; i36 += 16u) {
          for (var i37 = i36; i37 < min(i36 + 16u, uniforms.depth); i37 += 1u) {
            let v38 = w[(g8 * uniforms.width + c6) * uniforms.depth + i37];
            let v39 = w[(g8 * uniforms.width + c7) * uniforms.depth + i37];
            let v40 = x[row2 * uniforms.depth + i37];
            acc11 = acc11 + v40 * v38;
            acc12 = acc12 + v40 * v39;
            let v41 = x[r9 * uniforms.depth + i37];
            acc13 = acc13 + v41 * v38;
            acc14 = acc14 + v41 * v39;
          }
          acc15 = acc15 + acc11;
          acc11 = 0.0f;
          acc16 = acc16 + acc12;
          acc12 = 0.0f;
          acc17 = acc17 + acc13;
          acc13 = 0.0f;
          acc18 = acc18 + acc14;
          acc14 = 0.0f;
          blocks35 = blocks35 + 1u;
          if ((blocks35 & 15u) == 0u) {
            acc19 = acc19 + acc15;
            acc15 = 0.0f;
            acc20 = acc20 + acc16;
            acc16 = 0.0f;
            acc21 = acc21 + acc17;
            acc17 = 0.0f;
            acc22 = acc22 + acc18;
            acc18 = 0.0f;
            if ((blocks35 & 255u) == 0u) {
              acc23 = acc23 + acc19;
              acc19 = 0.0f;
              acc24 = acc24 + acc20;
              acc20 = 0.0f;
              acc25 = acc25 + acc21;
              acc21 = 0.0f;
              acc26 = acc26 + acc22;
              acc22 = 0.0f;
              if ((blocks35 & 4095u) == 0u) {
                acc27 = acc27 + acc23;
                acc23 = 0.0f;
                acc28 = acc28 + acc24;
                acc24 = 0.0f;
                acc29 = acc29 + acc25;
                acc25 = 0.0f;
                acc30 = acc30 + acc26;
                acc26 = 0.0f;
                if ((blocks35 & 65535u) == 0u) {
                  acc31 = acc31 + acc27;
                  acc27 = 0.0f;
                  acc32 = acc32 + acc28;
                  acc28 = 0.0f;
                  acc33 = acc33 + acc29;
                  acc29 = 0.0f;
                  acc34 = acc34 + acc30;
                  acc30 = 0.0f;
                }
              }
            }
          }
        }
        if (col3 < uniforms.width) {
          y[row2 * uniforms.width + col3] = acc31 + (acc27 + (acc23 + (acc19 + (acc15 + acc11))));
        }
        if (col3 + 1u < uniforms.width) {
          y[row2 * uniforms.width + (col3 + 1u)] = acc32 + (acc28 + (acc24 + (acc20 + (acc16 + acc12))));
        }
        if (row2 + 1u <= last5) {
          if (col3 < uniforms.width) {
            y[(row2 + 1u) * uniforms.width + col3] = acc33 + (acc29 + (acc25 + (acc21 + (acc17 + acc13))));
          }
          if (col3 + 1u < uniforms.width) {
            y[(row2 + 1u) * uniforms.width + (col3 + 1u)] = acc34 + (acc30 + (acc26 + (acc22 + (acc18 + acc14))));
          }
        }
      } else {
        for (var i42 = row2; i42 < last5 + 1u; i42 += 1u) {
          var acc43 = 0.0f;
          var acc44 = 0.0f;
          var acc45 = 0.0f;
          var acc46 = 0.0f;
          var acc47 = 0.0f;
          var acc48 = 0.0f;
          var acc49 = 0.0f;
          var acc50 = 0.0f;
          var acc51 = 0.0f;
          var acc52 = 0.0f;
          var acc53 = 0.0f;
          var acc54 = 0.0f;
          var blocks55 = 0u;
          let g56 = group[i42];
          for (var i57 = 0u; i57 < uniforms.depth; i57 += 16u) {
            for (var i58 = i57; i58 < min(i57 + 16u, uniforms.depth); i58 += 1u) {
              let v59 = x[i42 * uniforms.depth + i58];
              acc43 = acc43 + v59 * w[(g56 * uniforms.width + c6) * uniforms.depth + i58];
              acc44 = acc44 + v59 * w[(g56 * uniforms.width + c7) * uniforms.depth + i58];
            }
            acc45 = acc45 + acc43;
            acc43 = 0.0f;
            acc46 = acc46 + acc44;
            acc44 = 0.0f;
            blocks55 = blocks55 + 1u;
            if ((blocks55 & 15u) == 0u) {
              acc47 = acc47 + acc45;
              acc45 = 0.0f;
              acc48 = acc48 + acc46;
              acc46 = 0.0f;
              if ((blocks55 & 255u) == 0u) {
                acc49 = acc49 + acc47;
                acc47 = 0.0f;
                acc50 = acc50 + acc48;
                acc48 = 0.0f;
                if ((blocks55 & 4095u) == 0u) {
                  acc51 = acc51 + acc49;
                  acc49 = 0.0f;
                  acc52 = acc52 + acc50;
                  acc50 = 0.0f;
                  if ((blocks55 & 65535u) == 0u) {
                    acc53 = acc53 + acc51;
                    acc51 = 0.0f;
                    acc54 = acc54 + acc52;
                    acc52 = 0.0f;
                  }
                }
              }
            }
          }
          if (col3 < uniforms.width) {
            y[i42 * uniforms.width + col3] = acc53 + (acc51 + (acc49 + (acc47 + (acc45 + acc43))));
          }
          if (col3 + 1u < uniforms.width) {
            y[i42 * uniforms.width + (col3 + 1u)] = acc54 + (acc52 + (acc50 + (acc48 + (acc46 + acc44))));
          }
        }
      }
    }
  }
}
