// How fast MatMul runs on the matrices of Gemma 3 270M, by one and two threads.
//
//     Prefill<format, rows, cols>    512 tokens: GMAC/s, billions of multiply-adds a second
//     Decode<format>/tokens          one token or a small batch through a head of 94 MB, which no
//                                    cache holds: GB/s of weights read

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "carat/kernels/cpu/matmul.h"
#include "carat/kernels/cpu/simd/avx2.h"

namespace carat::cpu {
namespace {

// Weights, activations and outputs that the threads of one run share.
struct Run {
  Run(int64_t packed_bytes, int64_t n, int64_t rows, int64_t cols, int num_threads)
      : barrier(num_threads), weights(packed_bytes + kTileAlignment), x(n * cols), out(n * rows) {
    std::mt19937 random(1);
    // Any bytes are weights; these are no NaN or infinity as f16, bf16 or f32 either.
    for (uint8_t& byte : weights) byte = static_cast<uint8_t>(random() & 0x3f);
    std::uniform_real_distribution<float> distribution(-1.0f, 1.0f);
    for (float& value : x) value = distribution(random);
    quantized.resize(n * QuantizedRowBytes(cols));
    for (int64_t token = 0; token < n && cols % kBlockValues == 0; ++token) {
      QuantizeRow<Avx2>(&x[token * cols], cols, &quantized[token * QuantizedRowBytes(cols)]);
    }
  }

  const uint8_t* Tiles() const {
    const auto address = reinterpret_cast<uintptr_t>(weights.data());
    return weights.data() + (kTileAlignment - address % kTileAlignment) % kTileAlignment;
  }

  Barrier barrier;
  std::vector<uint8_t> weights;
  std::vector<float> x;
  std::vector<uint8_t> quantized;
  std::vector<float> out;
};
std::unique_ptr<Run> run;

template <class Format, int64_t kRows, int64_t kCols>
void Multiply(benchmark::State& state, int64_t n) {
  const Team team = {state.thread_index(), state.threads(), &run->barrier};
  const auto input = [] {
    if constexpr (kIsBlockFormat<Format>) {
      return QuantizedRows{run->quantized.data()};
    } else {
      return FloatRows{run->x.data(), kCols};
    }
  }();
  for (auto _ : state) {
    MatMul<Avx2, Format, kRows, kCols>(team, run->Tiles(), input, n, Store{run->out.data(), kRows});
    team.Sync();
  }
}

void SetRate(benchmark::State& state, const char* name, double per_iteration) {
  // Of each thread: the library divides the sum of the counters by the sum of the times.
  const double total = per_iteration * 1e-9 * static_cast<double>(state.iterations());
  state.counters[name] = benchmark::Counter(total, benchmark::Counter::kIsRate);
}

constexpr int64_t kPromptTokens = 512;

template <class Format, int64_t kRows, int64_t kCols>
void SetUpPrefill(const benchmark::State& state) {
  run = std::make_unique<Run>(PackedBytes<Format>(kRows, kCols), kPromptTokens, kRows, kCols,
                              state.threads());
}

template <class Format, int64_t kRows, int64_t kCols>
void Prefill(benchmark::State& state) {
  Multiply<Format, kRows, kCols>(state, kPromptTokens);
  SetRate(state, "GMAC/s", static_cast<double>(kRows * kCols * kPromptTokens));
}

constexpr int64_t kVocabSize = 262144;
constexpr int64_t kHiddenSize = 640;

// The size of the head in q4_0, whatever the format.
template <class Format>
constexpr int64_t kHeadRows =
    kVocabSize* Q4_0::TileBytes(kHiddenSize) / Format::TileBytes(kHiddenSize) / 64 * 64;

template <class Format>
void SetUpDecode(const benchmark::State& state) {
  run = std::make_unique<Run>(PackedBytes<Format>(kHeadRows<Format>, kHiddenSize), state.range(0),
                              kHeadRows<Format>, kHiddenSize, state.threads());
}

template <class Format>
void Decode(benchmark::State& state) {
  Multiply<Format, kHeadRows<Format>, kHiddenSize>(state, state.range(0));
  SetRate(state, "GB/s", static_cast<double>(PackedBytes<Format>(kHeadRows<Format>, kHiddenSize)));
}

void TearDown(const benchmark::State&) { run.reset(); }

#define CARAT_PREFILL(format, rows, cols)       \
  BENCHMARK(Prefill<format, rows, cols>)        \
      ->Setup(SetUpPrefill<format, rows, cols>) \
      ->Teardown(TearDown)                      \
      ->ThreadRange(1, 2)                       \
      ->UseRealTime()                           \
      ->Unit(benchmark::kMillisecond)

#define CARAT_DECODE(format)       \
  BENCHMARK(Decode<format>)        \
      ->Setup(SetUpDecode<format>) \
      ->Teardown(TearDown)         \
      ->Arg(1)                     \
      ->Arg(4)                     \
      ->ThreadRange(1, 2)          \
      ->UseRealTime()              \
      ->Unit(benchmark::kMillisecond)

CARAT_PREFILL(Q4_0, 1536, 640);
CARAT_PREFILL(Q4_0, 640, 1024);
CARAT_PREFILL(Q4_0, 640, 2048);
CARAT_PREFILL(Q8_0, 640, 2048);
CARAT_PREFILL(F32, 640, 2048);
CARAT_PREFILL(F16, 640, 2048);
CARAT_PREFILL(BF16, 640, 2048);
CARAT_DECODE(Q4_0);
CARAT_DECODE(Q8_0);
CARAT_DECODE(F32);
CARAT_DECODE(F16);
CARAT_DECODE(BF16);

}  // namespace
}  // namespace carat::cpu

BENCHMARK_MAIN();
