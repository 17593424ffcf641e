enable subgroups;

struct Uniforms {
  most: u32,
  width: u32,
  depth: u32,
  n8: u32,
}

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> group: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
var<private> sums: array<f32, 32>;

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  let tiles0 = uniforms.most * 2u;
  let columns1 = (uniforms.width + 15u) / 16u;
  let tile2 = workgroup_id.y * num_workgroups.x + workgroup_id.x;
  if (tile2 < tiles0 * columns1) {
    let col3 = tile2 / tiles0 * 16u + subgroup_lane;
    let c4 = col3 + 8u;
    let c5 = min(col3, uniforms.width - 1u);
    let c6 = min(c4, uniforms.width - 1u);
    let block7 = tile2 % tiles0;
    let of8 = block7 / 2u;
    let row9 = blocks[of8] + block7 % 2u * 4u;
    let end10 = min(blocks[of8 + 1u], row9 + 4u);
    if (row9 < end10) {
      let small11 = end10 - row9 < 3u;
      let last12 = end10 - 1u;
      if (small11) {
        let r13 = min(row9 + 1u, last12);
        let g14 = group[row9];
        let g15 = group[r13];
        sums[0u] = 0.0f;
        sums[1u] = 0.0f;
        sums[2u] = 0.0f;
        sums[3u] = 0.0f;
        sums[8u] = 0.0f;
        sums[9u] = 0.0f;
        sums[10u] = 0.0f;
        sums[11u] = 0.0f;
        sums[16u] = 0.0f;
        sums[17u] = 0.0f;
        sums[18u] = 0.0f;
        sums[19u] = 0.0f;
        sums[24u] = 0.0f;
        sums[25u] = 0.0f;
        sums[26u] = 0.0f;
        sums[27u] = 0.0f;
        var blocks16 = 0u;
        {
          var i17 = 0u;
          loop {
            var acc18 = 0.0f;
            var acc19 = 0.0f;
            var acc20 = 0.0f;
            var acc21 = 0.0f;
            let at22 = min(i17 + subgroup_lane, uniforms.depth - 1u);
            let x23 = x[row9 * uniforms.depth + at22];
            let x24 = x[r13 * uniforms.depth + at22];
            let left25 = min(uniforms.depth - i17, uniforms.n8);
            {
              var i26 = 0u;
              loop {
                let v27 = w[(g14 * uniforms.width + c5) * uniforms.depth + (i17 + i26)];
                let v28 = w[(g14 * uniforms.width + c6) * uniforms.depth + (i17 + i26)];
                let v29 = subgroupShuffle(x23, i26);
                acc18 = acc18 + v29.x * v27.x + v29.y * v27.y + v29.z * v27.z + v29.w * v27.w;
                acc19 = acc19 + v29.x * v28.x + v29.y * v28.y + v29.z * v28.z + v29.w * v28.w;
                let v30 = subgroupShuffle(x24, i26);
                acc20 = acc20 + v30.x * v27.x + v30.y * v27.y + v30.z * v27.z + v30.w * v27.w;
                acc21 = acc21 + v30.x * v28.x + v30.y * v28.y + v30.z * v28.z + v30.w * v28.w;
                continuing {
                  i26 += 1u;
                  break if i26 >= left25;
                }
              }
            }
            sums[0u] = sums[0u] + acc18;
            sums[1u] = sums[1u] + acc19;
            sums[2u] = sums[2u] + acc20;
            sums[3u] = sums[3u] + acc21;
            blocks16 = blocks16 + 1u;
            if ((blocks16 & 31u) == 0u) {
              sums[8u] = sums[8u] + sums[0u];
              sums[0u] = 0.0f;
              sums[9u] = sums[9u] + sums[1u];
              sums[1u] = 0.0f;
              sums[10u] = sums[10u] + sums[2u];
              sums[2u] = 0.0f;
              sums[11u] = sums[11u] + sums[3u];
              sums[3u] = 0.0f;
              if ((blocks16 & 1023u) == 0u) {
                sums[16u] = sums[16u] + sums[8u];
                sums[8u] = 0.0f;
                sums[17u] = sums[17u] + sums[9u];
                sums[9u] = 0.0f;
                sums[18u] = sums[18u] + sums[10u];
                sums[10u] = 0.0f;
                sums[19u] = sums[19u] + sums[11u];
                sums[11u] = 0.0f;
                if ((blocks16 & 32767u) == 0u) {
                  sums[24u] = sums[24u] + sums[16u];
                  sums[16u] = 0.0f;
                  sums[25u] = sums[25u] + sums[17u];
                  sums[17u] = 0.0f;
                  sums[26u] = sums[26u] + sums[18u];
                  sums[18u] = 0.0f;
                  sums[27u] = sums[27u] + sums[19u];
                  sums[19u] = 0.0f;
                }
              }
            }
            continuing {
              i17 += 8u;
              break if i17 >= uniforms.depth;
            }
          }
        }
      } else {
        let r31 = min(row9 + 1u, last12);
        let r32 = min(row9 + 2u, last12);
        let r33 = min(row9 + 3u, last12);
        let g34 = group[row9];
        let g35 = group[r31];
        let g36 = group[r32];
        let g37 = group[r33];
        sums[0u] = 0.0f;
        sums[1u] = 0.0f;
        sums[2u] = 0.0f;
        sums[3u] = 0.0f;
        sums[4u] = 0.0f;
        sums[5u] = 0.0f;
        sums[6u] = 0.0f;
        sums[7u] = 0.0f;
        sums[8u] = 0.0f;
        sums[9u] = 0.0f;
        sums[10u] = 0.0f;
        sums[11u] = 0.0f;
        sums[12u] = 0.0f;
        sums[13u] = 0.0f;
        sums[14u] = 0.0f;
        sums[15u] = 0.0f;
        sums[16u] = 0.0f;
        sums[17u] = 0.0f;
        sums[18u] = 0.0f;
        sums[19u] = 0.0f;
        sums[20u] = 0.0f;
        sums[21u] = 0.0f;
        sums[22u] = 0.0f;
        sums[23u] = 0.0f;
        sums[24u] = 0.0f;
        sums[25u] = 0.0f;
        sums[26u] = 0.0f;
        sums[27u] = 0.0f;
        sums[28u] = 0.0f;
        sums[29u] = 0.0f;
        sums[30u] = 0.0f;
        sums[31u] = 0.0f;
        var blocks38 = 0u;
        {
          var i39 = 0u;
          loop {
            var acc40 = 0.0f;
            var acc41 = 0.0f;
            var acc42 = 0.0f;
            var acc43 = 0.0f;
            var acc44 = 0.0f;
            var acc45 = 0.0f;
            var acc46 = 0.0f;
            var acc47 = 0.0f;
            let at48 = min(i39 + subgroup_lane, uniforms.depth - 1u);
            let x49 = x[row9 * uniforms.depth + at48];
            let x50 = x[r31 * uniforms.depth + at48];
            let x51 = x[r32 * uniforms.depth + at48];
            let x52 = x[r33 * uniforms.depth + at48];
            let left53 = min(uniforms.depth - i39, uniforms.n8);
            {
              var i54 = 0u;
              loop {
                let v55 = w[(g34 * uniforms.width + c5) * uniforms.depth + (i39 + i54)];
                let v56 = w[(g34 * uniforms.width + c6) * uniforms.depth + (i39 + i54)];
                let v57 = subgroupShuffle(x49, i54);
                acc40 = acc40 + v57.x * v55.x + v57.y * v55.y + v57.z * v55.z + v57.w * v55.w;
                acc41 = acc41 + v57.x * v56.x + v57.y * v56.y + v57.z * v56.z + v57.w * v56.w;
                let v58 = subgroupShuffle(x50, i54);
                acc42 = acc42 + v58.x * v55.x + v58.y * v55.y + v58.z * v55.z + v58.w * v55.w;
                acc43 = acc43 + v58.x * v56.x + v58.y * v56.y + v58.z * v56.z + v58.w * v56.w;
                let v59 = subgroupShuffle(x51, i54);
                acc44 = acc44 + v59.x * v55.x + v59.y * v55.y + v59.z * v55.z + v59.w * v55.w;
                acc45 = acc45 + v59.x * v56.x + v59.y * v56.y + v59.z * v56.z + v59.w * v56.w;
                let v60 = subgroupShuffle(x52, i54);
                acc46 = acc46 + v60.x * v55.x + v60.y * v55.y + v60.z * v55.z + v60.w * v55.w;
                acc47 = acc47 + v60.x * v56.x + v60.y * v56.y + v60.z * v56.z + v60.w * v56.w;
                continuing {
                  i54 += 1u;
                  break if i54 >= left53;
                }
              }
            }
            sums[0u] = sums[0u] + acc40;
            sums[1u] = sums[1u] + acc41;
            sums[2u] = sums[2u] + acc42;
            sums[3u] = sums[3u] + acc43;
            sums[4u] = sums[4u] + acc44;
            sums[5u] = sums[5u] + acc45;
            sums[6u] = sums[6u] + acc46;
            sums[7u] = sums[7u] + acc47;
            blocks38 = blocks38 + 1u;
            if ((blocks38 & 31u) == 0u) {
              sums[8u] = sums[8u] + sums[0u];
              sums[0u] = 0.0f;
              sums[9u] = sums[9u] + sums[1u];
              sums[1u] = 0.0f;
              sums[10u] = sums[10u] + sums[2u];
              sums[2u] = 0.0f;
              sums[11u] = sums[11u] + sums[3u];
              sums[3u] = 0.0f;
              sums[12u] = sums[12u] + sums[4u];
              sums[4u] = 0.0f;
              sums[13u] = sums[13u] + sums[5u];
              sums[5u] = 0.0f;
              sums[14u] = sums[14u] + sums[6u];
              sums[6u] = 0.0f;
              sums[15u] = sums[15u] + sums[7u];
              sums[7u] = 0.0f;
              if ((blocks38 & 1023u) == 0u) {
                sums[16u] = sums[16u] + sums[8u];
                sums[8u] = 0.0f;
                sums[17u] = sums[17u] + sums[9u];
                sums[9u] = 0.0f;
                sums[18u] = sums[18u] + sums[10u];
                sums[10u] = 0.0f;
                sums[19u] = sums[19u] + sums[11u];
                sums[11u] = 0.0f;
                sums[20u] = sums[20u] + sums[12u];
                sums[12u] = 0.0f;
                sums[21u] = sums[21u] + sums[13u];
                sums[13u] = 0.0f;
                sums[22u] = sums[22u] + sums[14u];
                sums[14u] = 0.0f;
                sums[23u] = sums[23u] + sums[15u];
                sums[15u] = 0.0f;
                if ((blocks38 & 32767u) == 0u) {
                  sums[24u] = sums[24u] + sums[16u];
                  sums[16u] = 0.0f;
                  sums[25u] = sums[25u] + sums[17u];
                  sums[17u] = 0.0f;
                  sums[26u] = sums[26u] + sums[18u];
                  sums[18u] = 0.0f;
                  sums[27u] = sums[27u] + sums[19u];
                  sums[19u] = 0.0f;
                  sums[28u] = sums[28u] + sums[20u];
                  sums[20u] = 0.0f;
                  sums[29u] = sums[29u] + sums[21u];
                  sums[21u] = 0.0f;
                  sums[30u] = sums[30u] + sums[22u];
                  sums[22u] = 0.0f;
                  sums[31u] = sums[31u] + sums[23u];
                  sums[23u] = 0.0f;
                }
              }
            }
            continuing {
              i39 += 8u;
              break if i39 >= uniforms.depth;
            }
          }
        }
      }
      let rows61 = last12 - row9 + 1u;
      for (var i62 = 0u; i62 < rows61; i62 += 1u) {
        let row63 = row9 + i62;
        let g64 = group[row63];
        if (col3 < uniforms.width) {
          y[row63 * uniforms.width + col3] = sums[i62 * 2u + 24u] + (sums[i62 * 2u + 16u] + (sums[i62 * 2u + 8u] + sums[i62 * 2u]));
        }
        if (c4 < uniforms.width) {
          y[row63 * uniforms.width + c4] = sums[i62 * 2u + 25u] + (sums[i62 * 2u + 17u] + (sums[i62 * 2u + 9u] + sums[i62 * 2u + 1u]));
        }
      }
    }
  }
}
