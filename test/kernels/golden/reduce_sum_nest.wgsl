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
  var blocks5 = 0u;
  var terms6 = 0u;
  for (var i7 = 0u; i7 < uniforms.n0; i7 += 1u) {
    {
      var i8 = 0u;
      loop {
        acc0 = acc0 + x[i7 * uniforms.n1 + i8];
        terms6 = terms6 + 1u;
        if ((terms6 & 31u) == 0u) {
          acc1 = acc1 + acc0;
          acc0 = 0.0f;
          blocks5 = blocks5 + 1u;
          if ((blocks5 & 31u) == 0u) {
            acc2 = acc2 + acc1;
            acc1 = 0.0f;
            if ((blocks5 & 1023u) == 0u) {
              acc3 = acc3 + acc2;
              acc2 = 0.0f;
              if ((blocks5 & 32767u) == 0u) {
                acc4 = acc4 + acc3;
                acc3 = 0.0f;
              }
            }
          }
        }
        continuing {
          i8 += 1u;
          break if i8 >= uniforms.n1;
        }
      }
    }
  }
  y[0u] = acc4 + (acc3 + (acc2 + (acc1 + acc0)));
}
