// A group of 32 weights of MLC's q4f16_1 and q4f32_1: levels 0 to 14 in four words, eight a word from
// the lowest bits up, and one scale: w = (level - 7) * scale.

fn levels_minus_7(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u)) - 7.0;
}
