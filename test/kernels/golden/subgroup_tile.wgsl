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
        if (end10 - row9 < 3u) {
          let r35 = min(row9 + 1u, last34);
          let g36 = group[row9];
          let g37 = group[r35];
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
          var blocks38 = 0u;
          {
            var i39 = 0u;
            loop {
              var acc40 = 0.0f;
              var acc41 = 0.0f;
              var acc42 = 0.0f;
              var acc43 = 0.0f;
              let at44 = min(i39 + subgroup_lane, uniforms.depth - 1u);
              let x45 = x[row9 * uniforms.depth + at44];
              let x46 = x[r35 * uniforms.depth + at44];
              let left47 = min(uniforms.depth - i39, uniforms.n8);
              {
                var i48 = 0u;
                loop {
                  let v49 = w[(g36 * uniforms.width + c5) * uniforms.depth + (i39 + i48)];
                  let v50 = w[(g36 * uniforms.width + c6) * uniforms.depth + (i39 + i48)];
                  let v51 = subgroupShuffle(x45, i48);
                  acc40 = acc40 + v51.x * v49.x + v51.y * v49.y + v51.z * v49.z + v51.w * v49.w;
                  acc41 = acc41 + v51.x * v50.x + v51.y * v50.y + v51.z * v50.z + v51.w * v50.w;
                  let v52 = subgroupShuffle(x46, i48);
                  acc42 = acc42 + v52.x * v49.x + v52.y * v49.y + v52.z * v49.z + v52.w * v49.w;
                  acc43 = acc43 + v52.x * v50.x + v52.y * v50.y + v52.z * v50.z + v52.w * v50.w;
                  continuing {
                    i48 += 1u;
                    break if i48 >= left47;
                  }
                }
              }
              sums[0u] = sums[0u] + acc40;
              sums[1u] = sums[1u] + acc41;
              sums[2u] = sums[2u] + acc42;
              sums[3u] = sums[3u] + acc43;
              blocks38 = blocks38 + 1u;
              if ((blocks38 & 31u) == 0u) {
                sums[4u] = sums[4u] + sums[0u];
                sums[0u] = 0.0f;
                sums[5u] = sums[5u] + sums[1u];
                sums[1u] = 0.0f;
                sums[6u] = sums[6u] + sums[2u];
                sums[2u] = 0.0f;
                sums[7u] = sums[7u] + sums[3u];
                sums[3u] = 0.0f;
                if ((blocks38 & 1023u) == 0u) {
                  sums[8u] = sums[8u] + sums[4u];
                  sums[4u] = 0.0f;
                  sums[9u] = sums[9u] + sums[5u];
                  sums[5u] = 0.0f;
                  sums[10u] = sums[10u] + sums[6u];
                  sums[6u] = 0.0f;
                  sums[11u] = sums[11u] + sums[7u];
                  sums[7u] = 0.0f;
                  if ((blocks38 & 32767u) == 0u) {
                    sums[12u] = sums[12u] + sums[8u];
                    sums[8u] = 0.0f;
                    sums[13u] = sums[13u] + sums[9u];
                    sums[9u] = 0.0f;
                    sums[14u] = sums[14u] + sums[10u];
                    sums[10u] = 0.0f;
                    sums[15u] = sums[15u] + sums[11u];
                    sums[11u] = 0.0f;
                  }
                }
              }
              continuing {
                i39 += 8u;
                break if i39 >= uniforms.depth;
              }
            }
          }
          let rows53 = last34 - row9 + 1u;
          for (var i54 = 0u; i54 < rows53; i54 += 1u) {
            let row55 = row9 + i54;
            let g56 = group[row55];
            if (col3 < uniforms.width) {
              y[row55 * uniforms.width + col3] = sums[i54 * 2u + 12u] + (sums[i54 * 2u + 8u] + (sums[i54 * 2u + 4u] + sums[i54 * 2u]));
            }
            if (c4 < uniforms.width) {
              y[row55 * uniforms.width + c4] = sums[i54 * 2u + 13u] + (sums[i54 * 2u + 9u] + (sums[i54 * 2u + 5u] + sums[i54 * 2u + 1u]));
            }
          }
        } else {
          let r57 = min(row9 + 1u, last34);
          let r58 = min(row9 + 2u, last34);
          let r59 = min(row9 + 3u, last34);
          let g60 = group[row9];
          let g61 = group[r57];
          let g62 = group[r58];
          let g63 = group[r59];
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
          var blocks64 = 0u;
          {
            var i65 = 0u;
            loop {
              var acc66 = 0.0f;
              var acc67 = 0.0f;
              var acc68 = 0.0f;
              var acc69 = 0.0f;
              var acc70 = 0.0f;
              var acc71 = 0.0f;
              var acc72 = 0.0f;
              var acc73 = 0.0f;
              let at74 = min(i65 + subgroup_lane, uniforms.depth - 1u);
              let x75 = x[row9 * uniforms.depth + at74];
              let x76 = x[r57 * uniforms.depth + at74];
              let x77 = x[r58 * uniforms.depth + at74];
              let x78 = x[r59 * uniforms.depth + at74];
              let left79 = min(uniforms.depth - i65, uniforms.n8);
              {
                var i80 = 0u;
                loop {
                  let v81 = w[(g60 * uniforms.width + c5) * uniforms.depth + (i65 + i80)];
                  let v82 = w[(g60 * uniforms.width + c6) * uniforms.depth + (i65 + i80)];
                  let v83 = subgroupShuffle(x75, i80);
                  acc66 = acc66 + v83.x * v81.x + v83.y * v81.y + v83.z * v81.z + v83.w * v81.w;
                  acc67 = acc67 + v83.x * v82.x + v83.y * v82.y + v83.z * v82.z + v83.w * v82.w;
                  let v84 = subgroupShuffle(x76, i80);
                  acc68 = acc68 + v84.x * v81.x + v84.y * v81.y + v84.z * v81.z + v84.w * v81.w;
                  acc69 = acc69 + v84.x * v82.x + v84.y * v82.y + v84.z * v82.z + v84.w * v82.w;
                  let v85 = subgroupShuffle(x77, i80);
                  acc70 = acc70 + v85.x * v81.x + v85.y * v81.y + v85.z * v81.z + v85.w * v81.w;
                  acc71 = acc71 + v85.x * v82.x + v85.y * v82.y + v85.z * v82.z + v85.w * v82.w;
                  let v86 = subgroupShuffle(x78, i80);
                  acc72 = acc72 + v86.x * v81.x + v86.y * v81.y + v86.z * v81.z + v86.w * v81.w;
                  acc73 = acc73 + v86.x * v82.x + v86.y * v82.y + v86.z * v82.z + v86.w * v82.w;
                  continuing {
                    i80 += 1u;
                    break if i80 >= left79;
                  }
                }
              }
              sums[0u] = sums[0u] + acc66;
              sums[1u] = sums[1u] + acc67;
              sums[2u] = sums[2u] + acc68;
              sums[3u] = sums[3u] + acc69;
              sums[4u] = sums[4u] + acc70;
              sums[5u] = sums[5u] + acc71;
              sums[6u] = sums[6u] + acc72;
              sums[7u] = sums[7u] + acc73;
              blocks64 = blocks64 + 1u;
              if ((blocks64 & 31u) == 0u) {
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
                if ((blocks64 & 1023u) == 0u) {
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
                  if ((blocks64 & 32767u) == 0u) {
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
                i65 += 8u;
                break if i65 >= uniforms.depth;
              }
            }
          }
          let rows87 = last34 - row9 + 1u;
          for (var i88 = 0u; i88 < rows87; i88 += 1u) {
            let row89 = row9 + i88;
            let g90 = group[row89];
            if (col3 < uniforms.width) {
              y[row89 * uniforms.width + col3] = sums[i88 * 2u + 24u] + (sums[i88 * 2u + 16u] + (sums[i88 * 2u + 8u] + sums[i88 * 2u]));
            }
            if (c4 < uniforms.width) {
              y[row89 * uniforms.width + c4] = sums[i88 * 2u + 25u] + (sums[i88 * 2u + 17u] + (sums[i88 * 2u + 9u] + sums[i88 * 2u + 1u]));
            }
          }
        }
      }
    }
  }
}
