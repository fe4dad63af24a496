// Cosine and sine of a position's angle, position * frequency, without the loss of a float's digits
// that sin() of large arguments has, and the same on every GPU.
//
// The frequency is in turns a position, as a fraction of 2^64: its high and low 32 bits. The product
// with the position, modulo 2^32, is the angle in fractions of 2^32 of a turn:
//
//     turns = position * high + floor(position * low / 2^32)   (mod 2^32)
//
// An eighth turn to either side of the nearest quarter remains for the polynomials, Taylor's, whose
// error is below 2^-24 there.

// floor(a * b / 2^32), by halves of 16 bits.
fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let mixed_1 = (a & 0xffffu) * (b >> 16u);
  let mixed_2 = (a >> 16u) * (b & 0xffffu);
  let carry = ((low >> 16u) + (mixed_1 & 0xffffu) + (mixed_2 & 0xffffu)) >> 16u;
  return (a >> 16u) * (b >> 16u) + (mixed_1 >> 16u) + (mixed_2 >> 16u) + carry;
}

fn rope_angle(position: u32, frequency: vec2<u32>) -> vec2<f32> {
  let turns = position * frequency.x + high_product(position, frequency.y);

  let quarter = ((turns + 0x20000000u) >> 30u) & 3u;
  let rest = bitcast<i32>(turns - (quarter << 30u));
  let x = f32(rest) * 1.4629180792671596e-9;  // 2 pi / 2^32
  let y = x * x;
  let sine = x * (1.0 + y * (-1.0 / 6.0 + y * (1.0 / 120.0 + y * (-1.0 / 5040.0 + y / 362880.0))));
  let cosine = 1.0 + y * (-0.5 + y * (1.0 / 24.0 + y * (-1.0 / 720.0 + y / 40320.0)));
  switch (quarter) {
    case 0u: { return vec2<f32>(cosine, sine); }
    case 1u: { return vec2<f32>(-sine, cosine); }
    case 2u: { return vec2<f32>(-cosine, -sine); }
    default: { return vec2<f32>(sine, -cosine); }
  }
}
