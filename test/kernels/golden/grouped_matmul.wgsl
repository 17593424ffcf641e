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
        for (var i15 = 0u; i15 < uniforms.depth; i15 += 1u) {
          let v16 = w[(g8 * uniforms.width + c6) * uniforms.depth + i15];
          let v17 = w[(g8 * uniforms.width + c7) * uniforms.depth + i15];
          let v18 = x[row2 * uniforms.depth + i15];
          acc11 = acc11 + v18 * v16;
          acc12 = acc12 + v18 * v17;
          let v19 = x[r9 * uniforms.depth + i15];
          acc13 = acc13 + v19 * v16;
          acc14 = acc14 + v19 * v17;
        }
        if (col3 < uniforms.width) {
          y[row2 * uniforms.width + col3] = acc11;
        }
        if (col3 + 1u < uniforms.width) {
          y[row2 * uniforms.width + (col3 + 1u)] = acc12;
        }
        if (row2 + 1u <= last5) {
          if (col3 < uniforms.width) {
            y[(row2 + 1u) * uniforms.width + col3] = acc13;
          }
          if (col3 + 1u < uniforms.width) {
            y[(row2 + 1u) * uniforms.width + (col3 + 1u)] = acc14;
          }
        }
      } else {
        for (var i20 = row2; i20 < last5 + 1u; i20 += 1u) {
          var acc21 = 0.0f;
          var acc22 = 0.0f;
          let g23 = group[i20];
          for (var i24 = 0u; i24 < uniforms.depth; i24 += 1u) {
            let v25 = x[i20 * uniforms.depth + i24];
            acc21 = acc21 + v25 * w[(g23 * uniforms.width + c6) * uniforms.depth + i24];
            acc22 = acc22 + v25 * w[(g23 * uniforms.width + c7) * uniforms.depth + i24];
          }
          if (col3 < uniforms.width) {
            y[i20 * uniforms.width + col3] = acc21;
          }
          if (col3 + 1u < uniforms.width) {
            y[i20 * uniforms.width + (col3 + 1u)] = acc22;
          }
        }
      }
    }
  }
}
