struct Uniforms {
  most: u32,
  width: u32,
  depth: u32,
}

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> group: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) local_id: vec3<u32>, @builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>) {
  let columns0 = (uniforms.width + 1u) / 2u;
  let id1 = (workgroup_id.y * num_workgroups.x + workgroup_id.x) * 64u + local_id.x;
  if (id1 < uniforms.most * columns0) {
    let block2 = id1 / columns0;
    let row3 = blocks[block2];
    let end4 = blocks[block2 + 1u];
    if (row3 < end4) {
      let col5 = id1 % columns0 * 2u;
      let c6 = col5;
      let c7 = min(col5 + 1u, uniforms.width - 1u);
      let last8 = end4 - 1u;
      if (end4 - row3 < 2u) {
        let few9 = min(end4, row3 + 1u);
        for (var i10 = row3; i10 < few9; i10 += 1u) {
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
          var blocks23 = 0u;
          let g24 = group[i10];
          for (var i25 = 0u; i25 < uniforms.depth; i25 += 16u) {
            {
              var i26 = i25;
              loop {
                let v27 = x[i10 * uniforms.depth + i26];
                acc11 = acc11 + v27 * w[(g24 * uniforms.width + c6) * uniforms.depth + i26];
                acc12 = acc12 + v27 * w[(g24 * uniforms.width + c7) * uniforms.depth + i26];
                continuing {
                  i26 += 1u;
                  break if i26 >= min(i25 + 16u, uniforms.depth);
                }
              }
            }
            acc13 = acc13 + acc11;
            acc11 = 0.0f;
            acc14 = acc14 + acc12;
            acc12 = 0.0f;
            blocks23 = blocks23 + 1u;
            if ((blocks23 & 15u) == 0u) {
              acc15 = acc15 + acc13;
              acc13 = 0.0f;
              acc16 = acc16 + acc14;
              acc14 = 0.0f;
              if ((blocks23 & 255u) == 0u) {
                acc17 = acc17 + acc15;
                acc15 = 0.0f;
                acc18 = acc18 + acc16;
                acc16 = 0.0f;
                if ((blocks23 & 4095u) == 0u) {
                  acc19 = acc19 + acc17;
                  acc17 = 0.0f;
                  acc20 = acc20 + acc18;
                  acc18 = 0.0f;
                  if ((blocks23 & 65535u) == 0u) {
                    acc21 = acc21 + acc19;
                    acc19 = 0.0f;
                    acc22 = acc22 + acc20;
                    acc20 = 0.0f;
                  }
                }
              }
            }
          }
          if (col5 < uniforms.width) {
            y[i10 * uniforms.width + col5] = acc21 + (acc19 + (acc17 + (acc15 + (acc13 + acc11))));
          }
          if (col5 + 1u < uniforms.width) {
            y[i10 * uniforms.width + (col5 + 1u)] = acc22 + (acc20 + (acc18 + (acc16 + (acc14 + acc12))));
          }
        }
      } else {
        var acc28 = 0.0f;
        var acc29 = 0.0f;
        var acc30 = 0.0f;
        var acc31 = 0.0f;
        var acc32 = 0.0f;
        var acc33 = 0.0f;
        var acc34 = 0.0f;
        var acc35 = 0.0f;
        var acc36 = 0.0f;
        var acc37 = 0.0f;
        var acc38 = 0.0f;
        var acc39 = 0.0f;
        var acc40 = 0.0f;
        var acc41 = 0.0f;
        var acc42 = 0.0f;
        var acc43 = 0.0f;
        var acc44 = 0.0f;
        var acc45 = 0.0f;
        var acc46 = 0.0f;
        var acc47 = 0.0f;
        var acc48 = 0.0f;
        var acc49 = 0.0f;
        var acc50 = 0.0f;
        var acc51 = 0.0f;
        var blocks52 = 0u;
        let r53 = min(row3 + 1u, last8);
        let g54 = group[row3];
        let g55 = group[r53];
        for (var i56 = 0u; i56 < uniforms.depth; i56 += 16u) {
          {
            var i57 = i56;
            loop {
              let v58 = w[(g54 * uniforms.width + c6) * uniforms.depth + i57];
              let v59 = w[(g54 * uniforms.width + c7) * uniforms.depth + i57];
              let v60 = x[row3 * uniforms.depth + i57];
              acc28 = acc28 + v60 * v58;
              acc29 = acc29 + v60 * v59;
              let v61 = x[r53 * uniforms.depth + i57];
              acc30 = acc30 + v61 * v58;
              acc31 = acc31 + v61 * v59;
              continuing {
                i57 += 1u;
                break if i57 >= min(i56 + 16u, uniforms.depth);
              }
            }
          }
          acc32 = acc32 + acc28;
          acc28 = 0.0f;
          acc33 = acc33 + acc29;
          acc29 = 0.0f;
          acc34 = acc34 + acc30;
          acc30 = 0.0f;
          acc35 = acc35 + acc31;
          acc31 = 0.0f;
          blocks52 = blocks52 + 1u;
          if ((blocks52 & 15u) == 0u) {
            acc36 = acc36 + acc32;
            acc32 = 0.0f;
            acc37 = acc37 + acc33;
            acc33 = 0.0f;
            acc38 = acc38 + acc34;
            acc34 = 0.0f;
            acc39 = acc39 + acc35;
            acc35 = 0.0f;
            if ((blocks52 & 255u) == 0u) {
              acc40 = acc40 + acc36;
              acc36 = 0.0f;
              acc41 = acc41 + acc37;
              acc37 = 0.0f;
              acc42 = acc42 + acc38;
              acc38 = 0.0f;
              acc43 = acc43 + acc39;
              acc39 = 0.0f;
              if ((blocks52 & 4095u) == 0u) {
                acc44 = acc44 + acc40;
                acc40 = 0.0f;
                acc45 = acc45 + acc41;
                acc41 = 0.0f;
                acc46 = acc46 + acc42;
                acc42 = 0.0f;
                acc47 = acc47 + acc43;
                acc43 = 0.0f;
                if ((blocks52 & 65535u) == 0u) {
                  acc48 = acc48 + acc44;
                  acc44 = 0.0f;
                  acc49 = acc49 + acc45;
                  acc45 = 0.0f;
                  acc50 = acc50 + acc46;
                  acc46 = 0.0f;
                  acc51 = acc51 + acc47;
                  acc47 = 0.0f;
                }
              }
            }
          }
        }
        if (col5 < uniforms.width) {
          y[row3 * uniforms.width + col5] = acc48 + (acc44 + (acc40 + (acc36 + (acc32 + acc28))));
        }
        if (col5 + 1u < uniforms.width) {
          y[row3 * uniforms.width + (col5 + 1u)] = acc49 + (acc45 + (acc41 + (acc37 + (acc33 + acc29))));
        }
        if (row3 + 1u <= last8) {
          if (col5 < uniforms.width) {
            y[(row3 + 1u) * uniforms.width + col5] = acc50 + (acc46 + (acc42 + (acc38 + (acc34 + acc30))));
          }
          if (col5 + 1u < uniforms.width) {
            y[(row3 + 1u) * uniforms.width + (col5 + 1u)] = acc51 + (acc47 + (acc43 + (acc39 + (acc35 + acc31))));
          }
        }
      }
    }
  }
}
