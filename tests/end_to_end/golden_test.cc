// The compiled library, unquantized, against logits that Hugging Face transformers computed in
// float32.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "carat/base/npy.h"
#include "tests/end_to_end/compiled_model.h"
#include "tests/support/npy_matrix.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

constexpr float kBound = 1e-3F;  // what the project promises

class CompiledGoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void CompareInChunksOf(int64_t chunk) {
    const fs::path folder = fs::path(CARAT_SOURCE_DIR) / "tests/data/goldens" / GetParam();
    const std::vector<TokenId> tokens = ReadNpyInt32(folder / "tokens.npy");
    const std::vector<int32_t> rows = ReadNpyInt32(folder / "rows.npy");
    const tests::FloatMatrix expected = tests::ReadNpyFloat32(folder / "logits.npy");
    const auto model =
        runtime::Model::Load(Compiled({.model = ModelFolder(GetParam()), .quantization = "q0f32"}));
    ASSERT_EQ(expected.cols, model->vocab_size());
    const std::vector<float> logits = AllLogits(model, tokens, chunk);
    float max_error = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = std::span(logits).subspan(rows[i] * expected.cols, expected.cols);
      max_error = std::max(max_error, MaxDifference(row, expected.Row(static_cast<int64_t>(i))));
    }
    std::cout << "  " << GetParam() << ", " << chunk << " at a time: max error " << max_error
              << "\n";
    EXPECT_LT(max_error, kBound);
  }
};

// The whole prompt in one call, as far as the prefill chunk reaches.
TEST_P(CompiledGoldenTest, AllTokensAtOnce) { CompareInChunksOf(1 << 20); }
TEST_P(CompiledGoldenTest, InChunks) { CompareInChunksOf(23); }
TEST_P(CompiledGoldenTest, TokenByToken) { CompareInChunksOf(1); }

std::vector<std::string> GoldenCases() {
  std::vector<std::string> cases;
  for (const auto& entry :
       fs::directory_iterator(fs::path(CARAT_SOURCE_DIR) / "tests/data/goldens")) {
    if (entry.is_directory()) cases.push_back(entry.path().filename());
  }
  std::ranges::sort(cases);
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Goldens, CompiledGoldenTest, ::testing::ValuesIn(GoldenCases()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace carat
