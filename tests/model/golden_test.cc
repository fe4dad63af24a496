// The reference interpreter against logits that Hugging Face transformers computed in float32
// (tests/data/goldens/make.py), whatever way the tokens are fed.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carat/base/npy.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/reference.h"
#include "carat/model/architecture.h"
#include "carat/model/checkpoint_weights.h"
#include "carat/model/config.h"
#include "tests/support/npy_matrix.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;

// What the project promises is 1e-3; the reference is held to what it measures, times two: the rest
// is the rounding of transformers' own float32 sums.
constexpr float kBound = 2e-4F;

fs::path SourceDir() { return CARAT_SOURCE_DIR; }

std::vector<std::string> GoldenCases() {
  std::vector<std::string> cases;
  for (const auto& entry : fs::directory_iterator(SourceDir() / "tests/data/goldens")) {
    if (entry.is_directory()) cases.push_back(entry.path().filename());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

struct Golden {
  std::vector<TokenId> tokens;
  std::vector<int32_t> rows;  // the positions that logits has a row for
  tests::FloatMatrix logits;
};

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const fs::path folder = SourceDir() / "tests/data/goldens" / GetParam();
    golden_.tokens = ReadNpyInt32(folder / "tokens.npy");
    golden_.rows = ReadNpyInt32(folder / "rows.npy");
    golden_.logits = tests::ReadNpyFloat32(folder / "logits.npy");
    ASSERT_EQ(golden_.logits.rows, static_cast<int64_t>(golden_.rows.size()));

    // The demo case has its checkpoint in models/demo.
    const fs::path model =
        fs::exists(folder / "config.json") ? folder : SourceDir() / "models/demo";
    const auto checkpoint = checkpoint::Checkpoint::Open(model);
    ModelConfig config = LoadModelConfig(model);
    ResolveWeightNames(checkpoint, config);
    graph_ = BuildGraph(config);
    reference_.emplace(graph_, CheckpointWeights(checkpoint));
  }

  // Feeds the tokens `chunk` at a time and compares every golden row.
  void CompareInChunksOf(int64_t chunk) {
    const auto num_tokens = static_cast<int64_t>(golden_.tokens.size());
    float max_error = 0;
    size_t compared = 0;
    for (int64_t begin = 0; begin < num_tokens; begin += chunk) {
      const int64_t size = std::min(chunk, num_tokens - begin);
      std::vector<int32_t> rows;
      for (const int32_t row : golden_.rows) {
        if (row >= begin && row < begin + size) rows.push_back(static_cast<int32_t>(row - begin));
      }
      const std::span<const TokenId> tokens = std::span(golden_.tokens).subspan(begin, size);
      const std::vector<float> logits = reference_->Forward(tokens, rows);
      max_error = std::max(max_error, MaxError(logits, compared));
      compared += rows.size();
    }
    EXPECT_EQ(compared, golden_.rows.size());
    EXPECT_LT(max_error, kBound);
    RecordProperty("max_error", std::to_string(max_error));
    std::cout << "  " << GetParam() << ", " << chunk << " at a time: max error " << max_error
              << "\n";
  }

  Golden golden_;
  graph::Graph graph_;
  std::optional<graph::Reference> reference_;

 private:
  // Golden rows are ascending, so each call's logits continue the last one's.
  float MaxError(const std::vector<float>& logits, size_t first_golden_row) const {
    const float* expected =
        golden_.logits.values.data() + first_golden_row * static_cast<size_t>(golden_.logits.cols);
    float max_error = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      if (std::isnan(logits[i])) return std::numeric_limits<float>::infinity();
      max_error = std::max(max_error, std::fabs(logits[i] - expected[i]));
    }
    return max_error;
  }
};

TEST_P(GoldenTest, AllTokensAtOnce) {
  CompareInChunksOf(static_cast<int64_t>(golden_.tokens.size()));
}

TEST_P(GoldenTest, InChunks) {
  // Chunks that end inside windows, and one that is longer than the smallest window.
  CompareInChunksOf(23);
}

TEST_P(GoldenTest, TokenByToken) { CompareInChunksOf(1); }

TEST_P(GoldenTest, ASecondSequenceStartsAfresh) {
  const std::vector<int32_t> last_row = {3};
  const std::span<const TokenId> tokens = std::span(golden_.tokens).first(4);
  const std::vector<float> first = reference_->Forward(tokens, last_row);
  EXPECT_NE(reference_->Forward(tokens, last_row), first);
  reference_->Reset();
  EXPECT_EQ(reference_->Forward(tokens, last_row), first);
}

INSTANTIATE_TEST_SUITE_P(Goldens, GoldenTest, ::testing::ValuesIn(GoldenCases()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace carat::model
