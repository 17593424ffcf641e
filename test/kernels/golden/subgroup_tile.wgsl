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
      let short11 = end10 - row9 < 2u;
      if (short11) {
        let few12 = min(end10, row9 + 1u);
        for (var i13 = row9; i13 < few12; i13 += 1u) {
          let g14 = group[i13];
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
          var blocks25 = 0u;
          {
            var i26 = 0u;
            loop {
              let at27 = min(i26 + subgroup_lane, uniforms.depth - 1u);
              let x28 = x[i13 * uniforms.depth + at27];
              let left29 = min(uniforms.depth - i26, uniforms.n8);
              {
                var i30 = 0u;
                loop {
                  let v31 = w[(g14 * uniforms.width + c5) * uniforms.depth + (i26 + i30)];
                  let v32 = w[(g14 * uniforms.width + c6) * uniforms.depth + (i26 + i30)];
                  let v33 = subgroupShuffle(x28, i30);
                  acc15 = acc15 + v33.x * v31.x + v33.y * v31.y + v33.z * v31.z + v33.w * v31.w;
                  acc16 = acc16 + v33.x * v32.x + v33.y * v32.y + v33.z * v32.z + v33.w * v32.w;
                  continuing {
                    i30 += 1u;
                    break if i30 >= left29;
                  }
                }
              }
              acc17 = acc17 + acc15;
              acc15 = 0.0f;
              acc18 = acc18 + acc16;
              acc16 = 0.0f;
              blocks25 = blocks25 + 1u;
              if ((blocks25 & 31u) == 0u) {
                acc19 = acc19 + acc17;
                acc17 = 0.0f;
                acc20 = acc20 + acc18;
                acc18 = 0.0f;
                if ((blocks25 & 1023u) == 0u) {
                  acc21 = acc21 + acc19;
                  acc19 = 0.0f;
                  acc22 = acc22 + acc20;
                  acc20 = 0.0f;
                  if ((blocks25 & 32767u) == 0u) {
                    acc23 = acc23 + acc21;
                    acc21 = 0.0f;
                    acc24 = acc24 + acc22;
                    acc22 = 0.0f;
                  }
                }
              }
              continuing {
                i26 += 8u;
                break if i26 >= uniforms.depth;
              }
            }
          }
          if (col3 < uniforms.width) {
            y[i13 * uniforms.width + col3] = acc23 + (acc21 + (acc19 + (acc17 + acc15)));
          }
          if (c4 < uniforms.width) {
            y[i13 * uniforms.width + c4] = acc24 + (acc22 + (acc20 + (acc18 + acc16)));
          }
        }
      } else {
        let last34 = end10 - 1u;
        let r35 = min(row9 + 1u, last34);
        let r36 = min(row9 + 2u, last34);
        let r37 = min(row9 + 3u, last34);
        let g38 = group[row9];
        let g39 = group[r35];
        let g40 = group[r36];
        let g41 = group[r37];
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
        var blocks42 = 0u;
        {
          var i43 = 0u;
          loop {
            var acc44 = 0.0f;
            var acc45 = 0.0f;
            var acc46 = 0.0f;
            var acc47 = 0.0f;
            var acc48 = 0.0f;
            var acc49 = 0.0f;
            var acc50 = 0.0f;
            var acc51 = 0.0f;
            let at52 = min(i43 + subgroup_lane, uniforms.depth - 1u);
            let x53 = x[row9 * uniforms.depth + at52];
            let x54 = x[r35 * uniforms.depth + at52];
            let x55 = x[r36 * uniforms.depth + at52];
            let x56 = x[r37 * uniforms.depth + at52];
            let left57 = min(uniforms.depth - i43, uniforms.n8);
            {
              var i58 = 0u;
              loop {
                let v59 = w[(g38 * uniforms.width + c5) * uniforms.depth + (i43 + i58)];
                let v60 = w[(g38 * uniforms.width + c6) * uniforms.depth + (i43 + i58)];
                let v61 = subgroupShuffle(x53, i58);
                acc44 = acc44 + v61.x * v59.x + v61.y * v59.y + v61.z * v59.z + v61.w * v59.w;
                acc45 = acc45 + v61.x * v60.x + v61.y * v60.y + v61.z * v60.z + v61.w * v60.w;
                let v62 = subgroupShuffle(x54, i58);
                acc46 = acc46 + v62.x * v59.x + v62.y * v59.y + v62.z * v59.z + v62.w * v59.w;
                acc47 = acc47 + v62.x * v60.x + v62.y * v60.y + v62.z * v60.z + v62.w * v60.w;
                let v63 = subgroupShuffle(x55, i58);
                acc48 = acc48 + v63.x * v59.x + v63.y * v59.y + v63.z * v59.z + v63.w * v59.w;
                acc49 = acc49 + v63.x * v60.x + v63.y * v60.y + v63.z * v60.z + v63.w * v60.w;
                let v64 = subgroupShuffle(x56, i58);
                acc50 = acc50 + v64.x * v59.x + v64.y * v59.y + v64.z * v59.z + v64.w * v59.w;
                acc51 = acc51 + v64.x * v60.x + v64.y * v60.y + v64.z * v60.z + v64.w * v60.w;
                continuing {
                  i58 += 1u;
                  break if i58 >= left57;
                }
              }
            }
            sums[0u] = sums[0u] + acc44;
            sums[1u] = sums[1u] + acc45;
            sums[2u] = sums[2u] + acc46;
            sums[3u] = sums[3u] + acc47;
            sums[4u] = sums[4u] + acc48;
            sums[5u] = sums[5u] + acc49;
            sums[6u] = sums[6u] + acc50;
            sums[7u] = sums[7u] + acc51;
            blocks42 = blocks42 + 1u;
            if ((blocks42 & 31u) == 0u) {
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
              if ((blocks42 & 1023u) == 0u) {
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
                if ((blocks42 & 32767u) == 0u) {
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
              i43 += 8u;
              break if i43 >= uniforms.depth;
            }
          }
        }
        let rows65 = last34 - row9 + 1u;
        for (var i66 = 0u; i66 < rows65; i66 += 1u) {
          let row67 = row9 + i66;
          let g68 = group[row67];
          if (col3 < uniforms.width) {
            y[row67 * uniforms.width + col3] = sums[i66 * 2u + 24u] + (sums[i66 * 2u + 16u] + (sums[i66 * 2u + 8u] + sums[i66 * 2u]));
          }
          if (c4 < uniforms.width) {
            y[row67 * uniforms.width + c4] = sums[i66 * 2u + 25u] + (sums[i66 * 2u + 17u] + (sums[i66 * 2u + 9u] + sums[i66 * 2u + 1u]));
          }
        }
      }
    }
  }
}
