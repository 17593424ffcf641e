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
    let col3 = id1 % columns0 * 2u;
    let row4 = blocks[block2];
    let end5 = blocks[block2 + 1u];
    if (row4 < end5) {
      let c7 = min(col3 + 1u, uniforms.width - 1u);
      let short8 = end5 - row4 < 2u;
      if (short8) {
        let few9 = min(end5, row4 + 1u);
        for (var i10 = row4; i10 < few9; i10 += 1u) {
          let g11 = group[i10];
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
          var blocks22 = 0u;
          for (var i23 = 0u; i23 < uniforms.depth; i23 += 32u) {
            {
              var i24 = i23;
              loop {
                let v25 = w[(g11 * uniforms.width + col3) * uniforms.depth + i24];
                let v26 = w[(g11 * uniforms.width + c7) * uniforms.depth + i24];
                let v27 = x[i10 * uniforms.depth + i24];
                acc12 = acc12 + v27 * v25;
                acc13 = acc13 + v27 * v26;
                continuing {
                  i24 += 1u;
                  break if i24 >= min(i23 + 32u, uniforms.depth);
                }
              }
            }
            acc14 = acc14 + acc12;
            acc12 = 0.0f;
            acc15 = acc15 + acc13;
            acc13 = 0.0f;
            blocks22 = blocks22 + 1u;
            if ((blocks22 & 31u) == 0u) {
              acc16 = acc16 + acc14;
              acc14 = 0.0f;
              acc17 = acc17 + acc15;
              acc15 = 0.0f;
              if ((blocks22 & 1023u) == 0u) {
                acc18 = acc18 + acc16;
                acc16 = 0.0f;
                acc19 = acc19 + acc17;
                acc17 = 0.0f;
                if ((blocks22 & 32767u) == 0u) {
                  acc20 = acc20 + acc18;
                  acc18 = 0.0f;
                  acc21 = acc21 + acc19;
                  acc19 = 0.0f;
                }
              }
            }
          }
          if (col3 < uniforms.width) {
            y[i10 * uniforms.width + col3] = acc20 + (acc18 + (acc16 + (acc14 + acc12)));
          }
          if (col3 + 1u < uniforms.width) {
            y[i10 * uniforms.width + (col3 + 1u)] = acc21 + (acc19 + (acc17 + (acc15 + acc13)));
          }
        }
      } else {
        let last28 = end5 - 1u;
        let r29 = min(row4 + 1u, last28);
        let g30 = group[row4];
        let g31 = group[r29];
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
        for (var i53 = 0u; i53 < uniforms.depth; i53 += 32u) {
          {
            var i54 = i53;
            loop {
              let v55 = w[(g30 * uniforms.width + col3) * uniforms.depth + i54];
              let v56 = w[(g30 * uniforms.width + c7) * uniforms.depth + i54];
              let v57 = x[row4 * uniforms.depth + i54];
              acc32 = acc32 + v57 * v55;
              acc33 = acc33 + v57 * v56;
              let v58 = x[r29 * uniforms.depth + i54];
              acc34 = acc34 + v58 * v55;
              acc35 = acc35 + v58 * v56;
              continuing {
                i54 += 1u;
                break if i54 >= min(i53 + 32u, uniforms.depth);
              }
            }
          }
          acc36 = acc36 + acc32;
          acc32 = 0.0f;
          acc37 = acc37 + acc33;
          acc33 = 0.0f;
          acc38 = acc38 + acc34;
          acc34 = 0.0f;
          acc39 = acc39 + acc35;
          acc35 = 0.0f;
          blocks52 = blocks52 + 1u;
          if ((blocks52 & 31u) == 0u) {
            acc40 = acc40 + acc36;
            acc36 = 0.0f;
            acc41 = acc41 + acc37;
            acc37 = 0.0f;
            acc42 = acc42 + acc38;
            acc38 = 0.0f;
            acc43 = acc43 + acc39;
            acc39 = 0.0f;
            if ((blocks52 & 1023u) == 0u) {
              acc44 = acc44 + acc40;
              acc40 = 0.0f;
              acc45 = acc45 + acc41;
              acc41 = 0.0f;
              acc46 = acc46 + acc42;
              acc42 = 0.0f;
              acc47 = acc47 + acc43;
              acc43 = 0.0f;
              if ((blocks52 & 32767u) == 0u) {
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
        let g59 = group[row4];
        if (col3 < uniforms.width) {
          y[row4 * uniforms.width + col3] = acc48 + (acc44 + (acc40 + (acc36 + acc32)));
        }
        if (col3 + 1u < uniforms.width) {
          y[row4 * uniforms.width + (col3 + 1u)] = acc49 + (acc45 + (acc41 + (acc37 + acc33)));
        }
        if (row4 + 1u <= last28) {
          let g60 = group[row4 + 1u];
          if (col3 < uniforms.width) {
            y[(row4 + 1u) * uniforms.width + col3] = acc50 + (acc46 + (acc42 + (acc38 + acc34)));
          }
          if (col3 + 1u < uniforms.width) {
            y[(row4 + 1u) * uniforms.width + (col3 + 1u)] = acc51 + (acc47 + (acc43 + (acc39 + acc35)));
          }
        }
      }
    }
  }
}
