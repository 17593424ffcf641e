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
        var acc52 = 0.0f;
        var acc53 = 0.0f;
        var acc54 = 0.0f;
        var acc55 = 0.0f;
        var acc56 = 0.0f;
        var acc57 = 0.0f;
        var acc58 = 0.0f;
        var acc59 = 0.0f;
        var acc60 = 0.0f;
        var acc61 = 0.0f;
        var acc62 = 0.0f;
        var acc63 = 0.0f;
        var acc64 = 0.0f;
        var acc65 = 0.0f;
        var acc66 = 0.0f;
        var acc67 = 0.0f;
        var acc68 = 0.0f;
        var acc69 = 0.0f;
        var acc70 = 0.0f;
        var acc71 = 0.0f;
        var acc72 = 0.0f;
        var acc73 = 0.0f;
        var acc74 = 0.0f;
        var acc75 = 0.0f;
        var acc76 = 0.0f;
        var acc77 = 0.0f;
        var acc78 = 0.0f;
        var acc79 = 0.0f;
        var acc80 = 0.0f;
        var acc81 = 0.0f;
        var blocks82 = 0u;
        {
          var i83 = 0u;
          loop {
            let at84 = min(i83 + subgroup_lane, uniforms.depth - 1u);
            let x85 = x[row9 * uniforms.depth + at84];
            let x86 = x[r35 * uniforms.depth + at84];
            let x87 = x[r36 * uniforms.depth + at84];
            let x88 = x[r37 * uniforms.depth + at84];
            let left89 = min(uniforms.depth - i83, uniforms.n8);
            {
              var i90 = 0u;
              loop {
                let v91 = w[(g38 * uniforms.width + c5) * uniforms.depth + (i83 + i90)];
                let v92 = w[(g38 * uniforms.width + c6) * uniforms.depth + (i83 + i90)];
                let v93 = subgroupShuffle(x85, i90);
                acc42 = acc42 + v93.x * v91.x + v93.y * v91.y + v93.z * v91.z + v93.w * v91.w;
                acc43 = acc43 + v93.x * v92.x + v93.y * v92.y + v93.z * v92.z + v93.w * v92.w;
                let v94 = subgroupShuffle(x86, i90);
                acc44 = acc44 + v94.x * v91.x + v94.y * v91.y + v94.z * v91.z + v94.w * v91.w;
                acc45 = acc45 + v94.x * v92.x + v94.y * v92.y + v94.z * v92.z + v94.w * v92.w;
                let v95 = subgroupShuffle(x87, i90);
                acc46 = acc46 + v95.x * v91.x + v95.y * v91.y + v95.z * v91.z + v95.w * v91.w;
                acc47 = acc47 + v95.x * v92.x + v95.y * v92.y + v95.z * v92.z + v95.w * v92.w;
                let v96 = subgroupShuffle(x88, i90);
                acc48 = acc48 + v96.x * v91.x + v96.y * v91.y + v96.z * v91.z + v96.w * v91.w;
                acc49 = acc49 + v96.x * v92.x + v96.y * v92.y + v96.z * v92.z + v96.w * v92.w;
                continuing {
                  i90 += 1u;
                  break if i90 >= left89;
                }
              }
            }
            acc50 = acc50 + acc42;
            acc42 = 0.0f;
            acc51 = acc51 + acc43;
            acc43 = 0.0f;
            acc52 = acc52 + acc44;
            acc44 = 0.0f;
            acc53 = acc53 + acc45;
            acc45 = 0.0f;
            acc54 = acc54 + acc46;
            acc46 = 0.0f;
            acc55 = acc55 + acc47;
            acc47 = 0.0f;
            acc56 = acc56 + acc48;
            acc48 = 0.0f;
            acc57 = acc57 + acc49;
            acc49 = 0.0f;
            blocks82 = blocks82 + 1u;
            if ((blocks82 & 31u) == 0u) {
              acc58 = acc58 + acc50;
              acc50 = 0.0f;
              acc59 = acc59 + acc51;
              acc51 = 0.0f;
              acc60 = acc60 + acc52;
              acc52 = 0.0f;
              acc61 = acc61 + acc53;
              acc53 = 0.0f;
              acc62 = acc62 + acc54;
              acc54 = 0.0f;
              acc63 = acc63 + acc55;
              acc55 = 0.0f;
              acc64 = acc64 + acc56;
              acc56 = 0.0f;
              acc65 = acc65 + acc57;
              acc57 = 0.0f;
              if ((blocks82 & 1023u) == 0u) {
                acc66 = acc66 + acc58;
                acc58 = 0.0f;
                acc67 = acc67 + acc59;
                acc59 = 0.0f;
                acc68 = acc68 + acc60;
                acc60 = 0.0f;
                acc69 = acc69 + acc61;
                acc61 = 0.0f;
                acc70 = acc70 + acc62;
                acc62 = 0.0f;
                acc71 = acc71 + acc63;
                acc63 = 0.0f;
                acc72 = acc72 + acc64;
                acc64 = 0.0f;
                acc73 = acc73 + acc65;
                acc65 = 0.0f;
                if ((blocks82 & 32767u) == 0u) {
                  acc74 = acc74 + acc66;
                  acc66 = 0.0f;
                  acc75 = acc75 + acc67;
                  acc67 = 0.0f;
                  acc76 = acc76 + acc68;
                  acc68 = 0.0f;
                  acc77 = acc77 + acc69;
                  acc69 = 0.0f;
                  acc78 = acc78 + acc70;
                  acc70 = 0.0f;
                  acc79 = acc79 + acc71;
                  acc71 = 0.0f;
                  acc80 = acc80 + acc72;
                  acc72 = 0.0f;
                  acc81 = acc81 + acc73;
                  acc73 = 0.0f;
                }
              }
            }
            continuing {
              i83 += 8u;
              break if i83 >= uniforms.depth;
            }
          }
        }
        let g97 = group[row9];
        if (col3 < uniforms.width) {
          y[row9 * uniforms.width + col3] = acc74 + (acc66 + (acc58 + (acc50 + acc42)));
        }
        if (c4 < uniforms.width) {
          y[row9 * uniforms.width + c4] = acc75 + (acc67 + (acc59 + (acc51 + acc43)));
        }
        if (row9 + 1u <= last34) {
          let g98 = group[row9 + 1u];
          if (col3 < uniforms.width) {
            y[(row9 + 1u) * uniforms.width + col3] = acc76 + (acc68 + (acc60 + (acc52 + acc44)));
          }
          if (c4 < uniforms.width) {
            y[(row9 + 1u) * uniforms.width + c4] = acc77 + (acc69 + (acc61 + (acc53 + acc45)));
          }
        }
        if (row9 + 2u <= last34) {
          let g99 = group[row9 + 2u];
          if (col3 < uniforms.width) {
            y[(row9 + 2u) * uniforms.width + col3] = acc78 + (acc70 + (acc62 + (acc54 + acc46)));
          }
          if (c4 < uniforms.width) {
            y[(row9 + 2u) * uniforms.width + c4] = acc79 + (acc71 + (acc63 + (acc55 + acc47)));
          }
        }
        if (row9 + 3u <= last34) {
          let g100 = group[row9 + 3u];
          if (col3 < uniforms.width) {
            y[(row9 + 3u) * uniforms.width + col3] = acc80 + (acc72 + (acc64 + (acc56 + acc48)));
          }
          if (c4 < uniforms.width) {
            y[(row9 + 3u) * uniforms.width + c4] = acc81 + (acc73 + (acc65 + (acc57 + acc49)));
          }
        }
      }
    }
  }
}
