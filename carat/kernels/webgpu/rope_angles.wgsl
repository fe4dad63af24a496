// Cosine and sine of a position's angle, position * frequency, without the loss of a float's digits
// that sin() of large arguments has, and the same on every GPU.
//
// The frequency is in turns a position, as a fraction of 2^64: its high and low 32 bits. The product
// with the position, modulo 2^32, is exact in its upper word up to the carry of the lower one:
//
//     turns = position * high + floor(position * low / 2^32)   (mod 2^32)
//
// An eighth turn to either side of the nearest quarter remains for the polynomials, Taylor's, whose
// error is below 2^-24 there.

fn rope_angle(position: u32, frequency: vec2<u32>) -> vec2<f32> {
  // floor(position * low / 2^32) by halves of 16 bits; positions are below 2^24.
  let low_product = position * (frequency.y & 0xffffu);
  let low_carry = (low_product >> 16u) + ((position & 0xffffu) * (frequency.y >> 16u));
  let high_carry = ((position >> 16u) * (frequency.y >> 16u)) + (low_carry >> 16u);
  let turns = position * frequency.x + high_carry;

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
