// Attention against the formula in double, and against itself under everything that must not
// matter: chunks, threads, neighbours in the step, where in memory the cache lies, what is beyond
// the window.

#include "carat/kernels/cpu/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tests/kernels/attention_harness.h"
#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {
namespace {

// A sum of n products in f32 errs by some sqrt(n) * 2^-24 of the size of its terms; with 256 dims
// and unit normal data, scores of size 1 (they are scaled) and outputs below 4, errors stay well
// below this.
constexpr double kTolerance = 5e-6;

// Splitting keys or not adds up in another order, nothing else.
constexpr double kOrderTolerance = 2e-6;

float Scale(const AttentionKernels& kernels) {
  return 1.0f / std::sqrt(static_cast<float>(kernels.shape.head_dim));
}

// softmax(scale * q k^T) v of one query, all heads, as written.
std::vector<double> ExpectedRow(const AttentionKernels& kernels, const AttentionOptions& options,
                                const SequenceData& data, int64_t position) {
  const AttentionShape& shape = kernels.shape;
  const int64_t dim = shape.head_dim;
  const int64_t oldest =
      options.window > 0 ? std::max<int64_t>(0, position - options.window + 1) : 0;
  std::vector<double> row(shape.num_heads * dim);
  for (int64_t head = 0; head < shape.num_heads; ++head) {
    const float* q = &data.q[(position * shape.num_heads + head) * dim];
    const auto kv = [&](const std::vector<float>& from, int64_t j) {
      return &from[(j * shape.num_kv_heads + head / shape.group()) * dim];
    };
    std::vector<double> p;
    for (int64_t j = oldest; j <= position; ++j) {
      double score = options.scale * std::inner_product(q, q + dim, kv(data.k, j), 0.0);
      if (options.softcap > 0) score = options.softcap * std::tanh(score / options.softcap);
      p.push_back(score);
    }
    const double max = *std::max_element(p.begin(), p.end());
    for (double& x : p) x = std::exp(x - max);
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (int64_t j = oldest; j <= position; ++j) {
      for (int64_t d = 0; d < dim; ++d)
        row[head * dim + d] += p[j - oldest] / sum * kv(data.v, j)[d];
    }
  }
  return row;
}

// |a - b|, and infinity where either is NaN: a comparison with NaN is false and would hide it.
double ErrorOf(double a, double b) {
  const double error = std::abs(a - b);
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

// Compares `out`, the rows of positions from `start` on, with the formula.
void ExpectMatchesFormula(const AttentionKernels& kernels, const AttentionOptions& options,
                          const SequenceData& data, int64_t start, const std::vector<float>& out) {
  const int64_t dims = kernels.shape.num_heads * kernels.shape.head_dim;
  double worst = 0;
  int64_t worst_position = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(out.size()) / dims; ++i) {
    const std::vector<double> expected = ExpectedRow(kernels, options, data, start + i);
    for (int64_t d = 0; d < dims; ++d) {
      const double error = ErrorOf(out[i * dims + d], expected[d]);
      if (error > worst) {
        worst = error;
        worst_position = start + i;
      }
    }
  }
  EXPECT_LE(worst, kTolerance) << "at position " << worst_position;
}

void ExpectNear(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, ErrorOf(a[i], b[i]));
  }
  EXPECT_LE(worst, tolerance);
}

std::string Describe(const AttentionKernels& kernels, const AttentionOptions& options) {
  const AttentionShape& s = kernels.shape;
  return std::to_string(s.num_heads) + "/" + std::to_string(s.num_kv_heads) + " heads of " +
         std::to_string(s.head_dim) + ", " + std::to_string(kernels.element_bytes) +
         " bytes, window " + std::to_string(options.window);
}

const AttentionKernels& FirstKernels() { return PlainAvx2SequenceKernels().attentions[0]; }
// Small and quick: 3 heads of 20 dims.
const AttentionKernels& SmallKernels() { return PlainAvx2SequenceKernels().attentions[1]; }

// Windows: none, the smallest, within a group, exactly pages, a page and a bit. Chunks: a long one
// amid pages, single tokens, few (split keys), then many again.
TEST(AttentionTest, MatchesTheFormula) {
  for (const SequenceKernelTable* table : PlainSequenceKernels()) {
    for (const AttentionKernels& kernels : table->attentions) {
      const SequenceData data(kernels, 170, 1);
      for (int64_t window : {0, 1, 5, 64, 100}) {
        const AttentionOptions options = {Scale(kernels), window};
        SCOPED_TRACE(table->name + (", " + Describe(kernels, options)));
        AttentionLayer layer(kernels, options, 1, 170);
        const std::vector<float> out = layer.RunChunks(data, 0, {75, 1, 1, 3, 8, 50, 1, 31});
        ExpectMatchesFormula(kernels, options, data, 0, out);
      }
    }
  }
}

TEST(AttentionTest, SoftcapMatchesTheFormula) {
  for (const AttentionKernels& kernels : PlainAvx2SequenceKernels().attentions) {
    const SequenceData data(kernels, 80, 2);
    const AttentionOptions options = {1.0f, 0, 2.5f};  // unscaled, so that the cap bites
    SCOPED_TRACE(Describe(kernels, options));
    AttentionLayer layer(kernels, options, 2, 80);
    ExpectMatchesFormula(kernels, options, data, 0, layer.RunChunks(data, 0, {70, 1, 9}));
  }
}

TEST(AttentionTest, HugeScoresDoNotOverflow) {
  const AttentionKernels& kernels = SmallKernels();
  const SequenceData data(kernels, 70, 3);
  const AttentionOptions options = {1e4f};
  AttentionLayer layer(kernels, options, 1, 70);
  const std::vector<float> out = layer.RunChunks(data, 0, {69, 1});
  EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](float x) { return std::abs(x) < 8; }));
}

TEST(AttentionTest, ChunkedPrefillIsOneShotPrefillBitForBit) {
  for (int64_t window : {0, 50, 128}) {
    const AttentionKernels& kernels = FirstKernels();
    const SequenceData data(kernels, 200, 4);
    const AttentionOptions options = {Scale(kernels), window};
    SCOPED_TRACE(Describe(kernels, options));
    AttentionLayer one_shot(kernels, options, 1, 200);
    AttentionLayer chunked(kernels, options, 1, 200);
    EXPECT_EQ(one_shot.RunChunks(data, 0, {200}), chunked.RunChunks(data, 0, {64, 9, 55, 72}));
  }
}

TEST(AttentionTest, DecodingEqualsPrefill) {
  for (const AttentionKernels& kernels : PlainAvx2SequenceKernels().attentions) {
    for (int64_t window : {0, 33}) {
      const SequenceData data(kernels, 130, 5);
      const AttentionOptions options = {Scale(kernels), window};
      SCOPED_TRACE(Describe(kernels, options));
      AttentionLayer prefill(kernels, options, 1, 130);
      AttentionLayer decode(kernels, options, 1, 130);
      ExpectNear(prefill.RunChunks(data, 0, {130}),
                 decode.RunChunks(data, 0, std::vector<int32_t>(130, 1)), kOrderTolerance);
    }
  }
}

// At 2500 tokens a range of keys is more than one page; 1, 3 and 8 queries are cut into 32, 10 and
// 4 ranges.
TEST(AttentionTest, FewQueriesFarIntoTheContextMatchTheFormula) {
  const AttentionKernels& kernels = SmallKernels();
  const SequenceData data(kernels, 2512, 6);
  const AttentionOptions options = {Scale(kernels)};
  AttentionLayer layer(kernels, options, 3, 2512);
  layer.Store({{&data, 0, 0, 2500}});
  ExpectMatchesFormula(kernels, options, data, 2500, layer.RunChunks(data, 2500, {1, 3, 8}));
}

// Changes one key and value and looks at the query 100 tokens on: nothing changes, in any bit, or
// something does.
TEST(AttentionTest, SlidingLayersSeeExactlyTheWindow) {
  const AttentionKernels& kernels = SmallKernels();
  const int64_t dims = kernels.shape.num_kv_heads * kernels.shape.head_dim;
  const int64_t q_dims = kernels.shape.num_heads * kernels.shape.head_dim;
  const AttentionOptions options = {Scale(kernels), 100};
  const SequenceData data(kernels, 300, 7);
  for (const std::vector<int32_t>& chunks :
       {std::vector<int32_t>{300}, {150, 150}, {199, 1, 100}, {198, 3, 99}}) {
    SCOPED_TRACE("first chunk " + std::to_string(chunks[0]));
    AttentionLayer layer(kernels, options, 1, 300);
    const std::vector<float> before = layer.RunChunks(data, 0, chunks);
    SequenceData changed = data;
    for (int64_t d = 0; d < dims; ++d) {
      changed.k[100 * dims + d] += 1.0f;
      changed.v[100 * dims + d] += 1.0f;
    }
    AttentionLayer changed_layer(kernels, options, 1, 300);
    const std::vector<float> after = changed_layer.RunChunks(changed, 0, chunks);
    for (int64_t position = 0; position < 300; ++position) {
      const bool same =
          std::equal(before.begin() + position * q_dims, before.begin() + (position + 1) * q_dims,
                     after.begin() + position * q_dims);
      EXPECT_EQ(same, position < 100 || position >= 200) << "position " << position;
    }
  }
}

TEST(AttentionTest, RingsWrapAroundForSeveralWindows) {
  const AttentionKernels& kernels = SmallKernels();
  const SequenceData data(kernels, 1000, 8);
  for (int64_t window : {1, 64, 100}) {
    for (int64_t slack : {0, 40}) {
      const AttentionOptions options = {Scale(kernels), window};
      SCOPED_TRACE(Describe(kernels, options) + ", slack " + std::to_string(slack));
      AttentionLayer layer(kernels, options, 2, 1000, 1, slack);
      std::vector<int32_t> chunks(200, 1);
      for (int32_t chunk : {2, 300, 7, 64, 1, 1, 128, 30, 1, 66}) chunks.push_back(chunk);
      chunks.insert(chunks.end(), 200, 1);
      ExpectMatchesFormula(kernels, options, data, 0, layer.RunChunks(data, 0, chunks));
    }
  }
}

TEST(AttentionTest, RingsRollBackAsFarAsTheySay) {
  const AttentionKernels& kernels = SmallKernels();
  const int64_t window = 100;
  const int32_t slack = 40;
  const int64_t ring_tokens = RingPages(window, slack) * kPageTokens;
  int32_t rollback = slack;
  while (CanRollBack(ring_tokens, window, 200 + rollback + 1, 200)) ++rollback;
  ASSERT_GT(rollback, slack);
  const SequenceData data(kernels, 300, 9);
  const SequenceData rejected(kernels, 300, 10);
  const AttentionOptions options = {Scale(kernels), window};
  AttentionLayer fresh(kernels, options, 1, 300, 1, slack);
  AttentionLayer rolled_back(kernels, options, 1, 300, 1, slack);
  fresh.RunChunks(data, 0, {200});
  rolled_back.RunChunks(data, 0, {200});
  rolled_back.RunChunks(rejected, 200, std::vector<int32_t>(rollback, 1));
  EXPECT_EQ(fresh.RunChunks(data, 200, {1, 1, 3, 95}),
            rolled_back.RunChunks(data, 200, {1, 1, 3, 95}));
}

TEST(AttentionTest, SequencesOfAStepDoNotSeeEachOther) {
  const AttentionKernels& kernels = SmallKernels();
  for (int64_t window : {0, 70}) {
    const AttentionOptions options = {Scale(kernels), window};
    SCOPED_TRACE(Describe(kernels, options));
    std::vector<SequenceData> data;
    for (uint32_t seed = 20; seed < 24; ++seed) data.emplace_back(kernels, 300, seed);
    // A prompt, a decoded token far on, a short prompt amid a page, a few tokens; ring slots not in
    // order.
    const std::vector<StepPart> first = {
        {&data[1], 0, 0, 200}, {&data[2], 2, 0, 30}, {&data[3], 1, 0, 90}};
    const std::vector<StepPart> step = {
        {&data[0], 3, 0, 120}, {&data[1], 0, 200, 1}, {&data[2], 2, 30, 40}, {&data[3], 1, 90, 4}};
    AttentionLayer together(kernels, options, 3, 400, 4);
    together.Run(first);
    const std::vector<float> out = together.Run(step);
    std::vector<float> expected;
    for (const StepPart& part : step) {
      AttentionLayer alone(kernels, options, 1, 400, 4);
      if (part.start > 0) alone.Run({{part.data, part.slot, 0, part.start}});
      const std::vector<float> one = alone.Run({part});
      expected.insert(expected.end(), one.begin(), one.end());
    }
    EXPECT_EQ(out, expected);
  }
}

TEST(AttentionTest, ThreadCountsAgreeBitForBit) {
  for (const AttentionKernels& kernels : PlainAvx2SequenceKernels().attentions) {
    const SequenceData data(kernels, 150, 11);
    for (int64_t window : {0, 70}) {
      const AttentionOptions options = {Scale(kernels), window};
      SCOPED_TRACE(Describe(kernels, options));
      const std::vector<int32_t> chunks = {100, 1, 8, 41};
      AttentionLayer alone(kernels, options, 1, 150);
      const std::vector<float> expected = alone.RunChunks(data, 0, chunks);
      for (int num_threads : {2, 3, 5}) {
        AttentionLayer team(kernels, options, num_threads, 150);
        EXPECT_EQ(expected, team.RunChunks(data, 0, chunks)) << num_threads << " threads";
      }
    }
  }
}

// A set in intrinsics and its plain twin.
void ExpectSameBits(const SequenceKernelTable& native, const SequenceKernelTable& plain) {
  ASSERT_EQ(native.attentions.size(), plain.attentions.size());
  for (size_t i = 0; i < native.attentions.size(); ++i) {
    const AttentionKernels& kernels = native.attentions[i];
    const SequenceData data(kernels, 200, 12);
    for (float softcap : {0.0f, 5.0f}) {
      const AttentionOptions options = {Scale(kernels), 80, softcap};
      SCOPED_TRACE(Describe(kernels, options));
      AttentionLayer native_layer(kernels, options, 2, 200);
      AttentionLayer plain_layer(plain.attentions[i], options, 2, 200);
      const std::vector<int32_t> chunks = {150, 1, 4, 1, 44};
      EXPECT_EQ(native_layer.RunChunks(data, 0, chunks), plain_layer.RunChunks(data, 0, chunks));
    }
  }
}

TEST(AttentionTest, NativeSetsGiveTheBitsOfTheirPlainTwins) {
  for (const NativeSequenceKernels& set : RunnableNativeSequenceKernels()) {
    SCOPED_TRACE(set.native->name);
    ExpectSameBits(*set.native, *set.plain);
  }
}

}  // namespace
}  // namespace carat::cpu
