struct Uniforms {
  n0: u32,
  n1: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn main() {
  var acc0 = 0.0f;
  var acc1 = 0.0f;
  var acc2 = 0.0f;
  var acc3 = 0.0f;
  var acc4 = 0.0f;
  var acc5 = 0.0f;
  var blocks6 = 0u;
  var terms7 = 0u;
  for (var i8 = 0u; i8 < uniforms.n0; i8 += 1u) {
    {
      var i9 = 0u;
      loop {
        acc0 = acc0 + x[i8 * uniforms.n1 + i9];
        terms7 = terms7 + 1u;
        if ((terms7 & 15u) == 0u) {
          acc1 = acc1 + acc0;
          acc0 = 0.0f;
          blocks6 = blocks6 + 1u;
          if ((blocks6 & 15u) == 0u) {
            acc2 = acc2 + acc1;
            acc1 = 0.0f;
            if ((blocks6 & 255u) == 0u) {
              acc3 = acc3 + acc2;
              acc2 = 0.0f;
              if ((blocks6 & 4095u) == 0u) {
                acc4 = acc4 + acc3;
                acc3 = 0.0f;
                if ((blocks6 & 65535u) == 0u) {
                  acc5 = acc5 + acc4;
                  acc4 = 0.0f;
                }
              }
            }
          }
        }
        continuing {
          i9 += 1u;
          break if i9 >= uniforms.n1;
        }
      }
    }
  }
  y[0u] = acc5 + (acc4 + (acc3 + (acc2 + (acc1 + acc0))));
}
