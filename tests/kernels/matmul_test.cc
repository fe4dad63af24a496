#include "carat/kernels/cpu/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/weight_samples.h"

namespace carat::cpu {
namespace {

constexpr int64_t kTokenCounts[] = {0, 1, 2, 5, 6, 7, 13, 64};
constexpr int64_t kPadding = 5;  // floats behind each row of outputs, which nobody may touch
constexpr float kUntouched = -12345.0f;

bool IsQuantized(FormatId format) { return format == FormatId::kQ4_0 || format == FormatId::kQ8_0; }

// n rows of activations as the format wants them, and the values they stand for.
struct Activations {
  std::vector<uint8_t> bytes;
  std::vector<float> values;  // [n, cols]
};

Activations MakeActivations(const KernelTable& set, FormatId format, const std::vector<float>& x,
                            int64_t n, int64_t cols) {
  Activations activations{{}, x};
  if (!IsQuantized(format)) {
    activations.bytes.resize(x.size() * sizeof(float));
    std::copy_n(reinterpret_cast<const uint8_t*>(x.data()), activations.bytes.size(),
                activations.bytes.begin());
    return activations;
  }
  activations.bytes.resize(n * QuantizedRowBytes(cols));
  for (int64_t token = 0; token < n; ++token) {
    uint8_t* row = &activations.bytes[token * QuantizedRowBytes(cols)];
    set.quantize_row(&x[token * cols], cols, row);
    for (int64_t k = 0; k < cols; ++k) {
      activations.values[token * cols + k] =
          QuantizedValues(row)[k] * QuantizedScale(row, cols, k / 32);
    }
  }
  return activations;
}

// W x in double, and the sum of the magnitudes of its terms: what rounding errors are relative to.
struct Exact {
  double sum = 0;
  double magnitude = 0;
};

Exact Dot(const WeightSample& weights, int64_t row, const Activations& x, int64_t token) {
  Exact exact;
  for (int64_t k = 0; k < weights.cols; ++k) {
    const double term = static_cast<double>(weights.values[row * weights.cols + k]) *
                        x.values[token * weights.cols + k];
    exact.sum += term;
    exact.magnitude += std::fabs(term);
  }
  return exact;
}

// Runs the threads of a team one after another (MatMul has no barrier) and checks that no two of
// them write the same output. Returns [n, rows + kPadding].
template <class Run>
std::vector<float> RunTeam(int num_threads, int64_t n, int64_t rows, Run run) {
  std::vector<float> merged(n * (rows + kPadding), kUntouched);
  for (int thread = 0; thread < num_threads; ++thread) {
    std::vector<float> own(merged.size(), kUntouched);
    run(Team{thread, num_threads, nullptr}, own.data(), rows + kPadding);
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i] == kUntouched) continue;
      EXPECT_EQ(merged[i], kUntouched) << "written by two threads";
      merged[i] = own[i];
    }
  }
  for (int64_t token = 0; token < n; ++token) {
    for (int64_t row = 0; row < rows + kPadding; ++row) {
      const float value = merged[token * (rows + kPadding) + row];
      EXPECT_EQ(row < rows, value != kUntouched) << "token " << token << " row " << row;
    }
  }
  return merged;
}

class MatMulOfEverySet : public testing::TestWithParam<const KernelTable*> {
 protected:
  // Calls test(matrix kernels, seed) for every format and shape.
  template <class Test>
  void ForEachMatrix(Test test) {
    for (int i = 0; i < GetParam()->num_matrices; ++i) {
      const MatrixKernels& matrix = GetParam()->matrices[i];
      SCOPED_TRACE(testing::Message()
                   << GetParam()->name << ", format " << static_cast<int>(matrix.format) << ", "
                   << matrix.rows << " x " << matrix.cols);
      test(matrix, static_cast<uint32_t>(i));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Sets, MatMulOfEverySet, testing::ValuesIn(RunnableSets()),
                         [](const auto& info) { return "Set" + std::to_string(info.index); });

TEST_P(MatMulOfEverySet, AgreesWithDoublePrecision) {
  ForEachMatrix([&](const MatrixKernels& matrix, uint32_t seed) {
    const WeightSample weights = MakeWeights(matrix.format, matrix.rows, matrix.cols, seed);
    const Tiles tiles = PackSample(weights);
    for (const int64_t n : kTokenCounts) {
      const auto x = MakeActivations(*GetParam(), matrix.format,
                                     RandomFloats(n * matrix.cols, seed), n, matrix.cols);
      const auto out = RunTeam(1, n, matrix.rows, [&](const Team& team, float* o, int64_t stride) {
        matrix.store(team, tiles.data(), x.bytes.data(), n, o, stride);
      });
      for (int64_t token = 0; token < n; ++token) {
        for (int64_t row = 0; row < matrix.rows; ++row) {
          const Exact exact = Dot(weights, row, x, token);
          ASSERT_NEAR(out[token * (matrix.rows + kPadding) + row], exact.sum,
                      2e-6 * exact.magnitude + 1e-30);
        }
      }
    }
  });
}

// With scales of 1 and small integers there is nothing to round.
TEST_P(MatMulOfEverySet, IntegersAreExact) {
  ForEachMatrix([&](const MatrixKernels& matrix, uint32_t seed) {
    constexpr int64_t kTokens = 7;
    const WeightSample weights =
        MakeWeights(matrix.format, matrix.rows, matrix.cols, seed, Scales::kUnit);
    const Tiles tiles = PackSample(weights);
    std::vector<float> values = RandomFloats(kTokens * matrix.cols, seed);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = i % 32 == 0 ? 127.0f : std::round(values[i] * 40.0f);
      values[i] = std::min(127.0f, std::max(-127.0f, values[i]));
    }
    const auto x = MakeActivations(*GetParam(), matrix.format, values, kTokens, matrix.cols);
    ASSERT_EQ(x.values, values);
    const auto out =
        RunTeam(1, kTokens, matrix.rows, [&](const Team& team, float* o, int64_t stride) {
          matrix.store(team, tiles.data(), x.bytes.data(), kTokens, o, stride);
        });
    for (int64_t token = 0; token < kTokens; ++token) {
      for (int64_t row = 0; row < matrix.rows; ++row) {
        ASSERT_EQ(out[token * (matrix.rows + kPadding) + row], Dot(weights, row, x, token).sum);
      }
    }
  });
}

TEST_P(MatMulOfEverySet, GateAndUpBecomeGeluTimesUp) {
  ForEachMatrix([&](const MatrixKernels& matrix, uint32_t seed) {
    constexpr int64_t kTokens = 13;
    const WeightSample gate = MakeWeights(matrix.format, matrix.rows, matrix.cols, 2 * seed);
    const WeightSample up = MakeWeights(matrix.format, matrix.rows, matrix.cols, 2 * seed + 1);
    const auto x = MakeActivations(*GetParam(), matrix.format,
                                   RandomFloats(kTokens * matrix.cols, seed), kTokens, matrix.cols);
    const Tiles tiles = PackInTurns(gate, up);
    const auto out =
        RunTeam(1, kTokens, matrix.rows, [&](const Team& team, float* o, int64_t stride) {
          matrix.gelu_mul_store(team, tiles.data(), x.bytes.data(), kTokens, o, stride);
        });
    // The same sums by way of Store, then GELU and product on their own.
    const auto product = [&](const WeightSample& weights) {
      const Tiles own = PackSample(weights);
      return RunTeam(1, kTokens, matrix.rows, [&](const Team& team, float* o, int64_t stride) {
        matrix.store(team, own.data(), x.bytes.data(), kTokens, o, stride);
      });
    };
    std::vector<float> g = product(gate);
    const std::vector<float> u = product(up);
    g.resize((g.size() + 15) / 16 * 16);
    GetParam()->gelu_tanh(g.data(), g.size(), g.data());
    for (int64_t token = 0; token < kTokens; ++token) {
      for (int64_t row = 0; row < matrix.rows; ++row) {
        const int64_t at = token * (matrix.rows + kPadding) + row;
        ASSERT_EQ(out[at], g[at] * u[at]);
      }
    }
  });
}

TEST_P(MatMulOfEverySet, AnyNumberOfThreadsGivesTheSameBits) {
  ForEachMatrix([&](const MatrixKernels& matrix, uint32_t seed) {
    const Tiles tiles = PackSample(MakeWeights(matrix.format, matrix.rows, matrix.cols, seed));
    for (const int64_t n : {0, 1, 7, 64}) {
      const auto x = MakeActivations(*GetParam(), matrix.format,
                                     RandomFloats(n * matrix.cols, seed), n, matrix.cols);
      const auto run = [&](const Team& team, float* o, int64_t stride) {
        matrix.store(team, tiles.data(), x.bytes.data(), n, o, stride);
      };
      const auto expected = RunTeam(1, n, matrix.rows, run);
      for (const int num_threads : {2, 3, 8, 64}) {
        ASSERT_EQ(RunTeam(num_threads, n, matrix.rows, run), expected) << num_threads;
      }
    }
  });
}

// The widths differ, the order of additions does not.
TEST(MatMul, AllSetsGiveTheSameBits) {
  constexpr int64_t kTokens = 13;
  for (int i = 0; i < GenericKernels().num_matrices; ++i) {
    const MatrixKernels& first = GenericKernels().matrices[i];
    const Tiles tiles = PackSample(MakeWeights(first.format, first.rows, first.cols, i));
    const std::vector<float> values = RandomFloats(kTokens * first.cols, i);
    const auto run_set = [&](const KernelTable& set) {
      const auto x = MakeActivations(set, first.format, values, kTokens, first.cols);
      return RunTeam(1, kTokens, first.rows, [&](const Team& team, float* o, int64_t stride) {
        set.matrices[i].store(team, tiles.data(), x.bytes.data(), kTokens, o, stride);
      });
    };
    const std::vector<float> expected = run_set(GenericKernels());
    for (const KernelTable* set : RunnableSets()) {
      EXPECT_EQ(run_set(*set), expected) << set->name << ", matrix " << i;
    }
  }
}

TEST(SplitIntoPanels, PanelsCoverTheTokensAndFitTheCache) {
  for (int64_t n = 0; n < 700; n += n < 40 ? 1 : 37) {
    for (const int64_t row_bytes : {64, 832, 2560, 100000}) {
      for (const int64_t num_tiles : {1, 3, 40, 16384}) {
        for (const int64_t num_threads : {1, 2, 64}) {
          const Panels panels = SplitIntoPanels(n, row_bytes, 4, num_tiles, num_threads);
          ASSERT_EQ(panels.tokens % 4, 0);
          ASSERT_GE(panels.tokens * panels.count, n);
          ASSERT_LT(panels.tokens * (panels.count - 1), std::max<int64_t>(n, 1));
          ASSERT_LE(panels.tokens * row_bytes, kPanelBytes + 4 * row_bytes);
        }
      }
    }
  }
}

TEST(SplitIntoPanels, ManyTokensGiveEveryThreadEnoughToDo) {
  const Panels panels = SplitIntoPanels(512, 832, 4, 40, 64);
  EXPECT_GE(panels.count * 40, 4 * 64);
}

}  // namespace
}  // namespace carat::cpu
