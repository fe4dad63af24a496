// Row operations against their formulas in double, in place too, and never past the end of a row.

#include "carat/kernels/cpu/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {
namespace {

// Three roundings and, in sums, a few more.
constexpr double kRowTolerance = 1e-6;
constexpr float kGuard = 12345.0f;

std::vector<float> RandomRow(int64_t width, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> row(width);
  for (float& x : row) x = normal(random);
  return row;
}

double Gelu(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

double Rms(const float* x, int64_t width, double eps) {
  double sum = 0;
  for (int64_t i = 0; i < width; ++i) sum += static_cast<double>(x[i]) * x[i];
  return std::sqrt(sum / static_cast<double>(width) + eps);
}

// Runs kernel(out) with `out` beginning as `initial`, then compares with expected(i) and looks for
// writes past the end.
void ExpectRow(const std::string& what, const std::vector<float>& initial,
               const std::function<void(float*)>& kernel,
               const std::function<double(int64_t)>& expected) {
  std::vector<float> out = initial;
  out.insert(out.end(), 16, kGuard);
  kernel(out.data());
  for (int64_t i = 0; i < static_cast<int64_t>(initial.size()); ++i) {
    ASSERT_NEAR(out[i], expected(i), kRowTolerance * (1 + std::abs(expected(i))))
        << what << " at " << i;
  }
  for (size_t i = initial.size(); i < out.size(); ++i)
    ASSERT_EQ(out[i], kGuard) << what << " wrote past the end";
}

using RowTest = std::function<void(const RowKernels& kernels, const std::vector<float>& a,
                                   const std::vector<float>& b)>;

// Calls test with two random rows of every width, for every set.
void ForEveryWidth(const RowTest& test) {
  for (const SequenceKernelTable* table : PlainSequenceKernels()) {
    for (const RowKernels& kernels : table->rows) {
      SCOPED_TRACE(std::string(table->name) + ", width " + std::to_string(kernels.width));
      test(kernels, RandomRow(kernels.width, 1), RandomRow(kernels.width, 2));
    }
  }
}

TEST(RowsTest, RmsNormDividesByTheRootMeanSquare) {
  ForEveryWidth([](const RowKernels& kernels, const std::vector<float>& x,
                   const std::vector<float>& w) {
    const double rms = Rms(x.data(), kernels.width, 0.01);
    for (float offset : {0.0f, 1.0f}) {
      const auto expected = [&](int64_t i) { return x[i] / rms * (w[i] + offset); };
      ExpectRow(
          "rms_norm", std::vector<float>(x.size()),
          [&](float* out) { kernels.rms_norm(x.data(), w.data(), 0.01f, out, offset); }, expected);
      ExpectRow(
          "rms_norm in place", x,
          [&](float* out) { kernels.rms_norm(out, w.data(), 0.01f, out, offset); }, expected);
    }
  });
}

TEST(RowsTest, RmsNormHeadsTreatsEachHeadAlone) {
  ForEveryWidth([](const RowKernels& kernels, const std::vector<float>& w,
                   const std::vector<float>&) {
    const int64_t width = kernels.width;
    const std::vector<float> x = RandomRow(3 * width, 3);
    ExpectRow(
        "rms_norm_heads", x,
        [&](float* out) { kernels.rms_norm_heads(out, w.data(), 1e-6f, out, 0.0f); },
        [&](int64_t i) { return x[i] / Rms(&x[i / width * width], width, 1e-6) * w[i % width]; });
  });
}

TEST(RowsTest, RmsNormOfZerosIsZero) {
  ForEveryWidth(
      [](const RowKernels& kernels, const std::vector<float>& w, const std::vector<float>&) {
        ExpectRow(
            "rms_norm", std::vector<float>(kernels.width),
            [&](float* out) { kernels.rms_norm(out, w.data(), 1e-6f, out, 1.0f); },
            [](int64_t) { return 0.0; });
      });
}

TEST(RowsTest, ElementwiseOperationsMatchTheirFormulas) {
  ForEveryWidth(
      [](const RowKernels& kernels, const std::vector<float>& a, const std::vector<float>& b) {
        ExpectRow(
            "add", a, [&](float* out) { kernels.add(out, b.data(), out); },
            [&](int64_t i) { return static_cast<double>(a[i]) + b[i]; });
        ExpectRow(
            "mul", a, [&](float* out) { kernels.mul(out, b.data(), out); },
            [&](int64_t i) { return static_cast<double>(a[i]) * b[i]; });
        ExpectRow(
            "gelu_tanh", a, [&](float* out) { kernels.gelu_tanh(out, out); },
            [&](int64_t i) { return Gelu(a[i]); });
        ExpectRow(
            "softcap", a, [&](float* out) { kernels.softcap(out, 0.7f, out); },
            [&](int64_t i) { return 0.7f * std::tanh(a[i] / static_cast<double>(0.7f)); });
      });
}

// A set in intrinsics and its plain twin.
void ExpectSameRows(const SequenceKernelTable& native, const SequenceKernelTable& plain) {
  ASSERT_EQ(native.rows.size(), plain.rows.size());
  for (size_t k = 0; k < native.rows.size(); ++k) {
    const int64_t width = native.rows[k].width;
    const std::vector<float> x = RandomRow(3 * width, 4);
    const std::vector<float> w = RandomRow(width, 5);
    const auto results = [&](const RowKernels& kernels) {
      std::vector<float> all;
      const auto collect = [&](int64_t count, const std::function<void(float*)>& kernel) {
        std::vector<float> out = x;
        kernel(out.data());
        all.insert(all.end(), out.begin(), out.begin() + count);
      };
      collect(width, [&](float* out) { kernels.rms_norm(out, w.data(), 1e-6f, out, 1.0f); });
      collect(3 * width,
              [&](float* out) { kernels.rms_norm_heads(out, w.data(), 1e-6f, out, 0.0f); });
      collect(width, [&](float* out) { kernels.gelu_tanh(out, out); });
      collect(width, [&](float* out) { kernels.softcap(out, 2.0f, out); });
      if (kernels.rope != nullptr)
        collect(3 * width, [&](float* out) { kernels.rope(out, w.data()); });
      return all;
    };
    EXPECT_EQ(results(native.rows[k]), results(plain.rows[k])) << "width " << width;
  }
}

TEST(RowsTest, NativeSetsGiveTheBitsOfTheirPlainTwins) {
  for (const NativeSequenceKernels& set : RunnableNativeSequenceKernels()) {
    SCOPED_TRACE(set.native->name);
    ExpectSameRows(*set.native, *set.plain);
  }
}

}  // namespace
}  // namespace carat::cpu
