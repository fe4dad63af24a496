// How fast attention runs on the shapes of Gemma 3 270M: 4 query heads, 1 KV head, head_dim 256,
// f16 cache.
//
//   Prefill/512/0     512 tokens at position 0: GFMA/s of q k^T and p v together, counting visible
//   keys only Decode/8192       one token at that depth: GB/s of K and V read. The layers take
//   turns, 128 MiB in all, so that
//                     no cache holds them, as in a model, whose weights pass through in between.

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "carat/kernels/cpu/attention.h"
#include "carat/kernels/cpu/simd/avx2.h"

namespace carat::cpu {
namespace {

constexpr AttentionShape kShape = {4, 1, 256};
constexpr int64_t kQDims = kShape.num_heads * kShape.head_dim;
constexpr float kScale = 0.0625f;

// A cache of several layers of random K and V, for one sequence.
class Cache {
 public:
  Cache(int64_t tokens, int64_t num_layers)
      : num_pages_(tokens / kPageTokens + 1),
        page_bytes_(KvPageBytes(kShape.num_kv_heads, kShape.head_dim, sizeof(uint16_t))),
        bytes_(num_pages_ * num_layers * page_bytes_),
        num_layers_(num_layers) {
    for (int64_t page = 0; page < num_pages_; ++page)
      page_table_.push_back(static_cast<int32_t>(page));
    std::mt19937 random(1);
    auto* elements = reinterpret_cast<uint16_t*>(bytes_.data());
    for (size_t i = 0; i < bytes_.size() / 2; ++i) {
      elements[i] =
          static_cast<uint16_t>(0x3000 + (random() & 0x8bff));  // 0.125 to 0.5, either sign
    }
  }

  PagedKv Layer(int64_t layer) {
    return {bytes_.data(), num_layers_ * page_bytes_, layer * page_bytes_, page_table_.data(),
            num_pages_};
  }

 private:
  int64_t num_pages_;
  int64_t page_bytes_;
  std::vector<uint8_t> bytes_;
  std::vector<int32_t> page_table_;
  int64_t num_layers_;
};

// What the threads of one run share.
struct Run {
  Run(int64_t num_queries, int64_t tokens, int64_t num_layers, int num_threads)
      : cache(tokens, num_layers),
        barrier(num_threads),
        q(num_queries * kQDims, 0.25f),
        out(num_queries * kQDims),
        shared(AttentionSharedBytes(kShape, 1)) {}

  Cache cache;
  Barrier barrier;
  std::vector<float> q;
  std::vector<float> out;
  std::vector<uint8_t> shared;
};
std::unique_ptr<Run> run;

void SetRate(benchmark::State& state, const char* name, double per_iteration) {
  if (state.thread_index() != 0) return;  // the counters of the threads are added up
  const double total = per_iteration * 1e-9 * static_cast<double>(state.iterations());
  state.counters[name] = benchmark::Counter(total, benchmark::Counter::kIsRate);
}

void Attend(benchmark::State& state, const Sequence& sequence, int64_t window, int64_t num_layers) {
  const Team team = {state.thread_index(), state.threads(), &run->barrier};
  std::vector<uint8_t> thread_scratch(AttentionThreadBytes(kShape));
  const AttentionOptions options = {kScale, window};
  int64_t layer = 0;
  for (auto _ : state) {
    const PagedKv kv = run->cache.Layer(layer++ % num_layers);
    Attention<Avx2, uint16_t, kShape>(team, {&sequence, 1}, kv, options, run->q.data(), kQDims,
                                      run->out.data(), kQDims,
                                      {run->shared.data(), thread_scratch.data()});
    team.Sync();
  }
}

// Prefill/tokens/first position/window

void SetUpPrefill(const benchmark::State& state) {
  run = std::make_unique<Run>(state.range(0), state.range(1) + state.range(0), 1, state.threads());
}

void Prefill(benchmark::State& state) {
  const int32_t count = static_cast<int32_t>(state.range(0));
  const int32_t start = static_cast<int32_t>(state.range(1));
  const int64_t window = state.range(2);
  Attend(state, {0, start, count}, window, 1);
  double keys = 0;
  for (int64_t i = start; i < start + count; ++i) {
    keys += static_cast<double>(window > 0 ? std::min(window, i + 1) : i + 1);
  }
  SetRate(state, "GFMA/s", keys * kQDims * 2);
}

// Decode/position/window

int64_t NumDecodeLayers(int64_t depth) {
  return (int64_t{128} << 20) / ((depth + 1) * kShape.head_dim * 4);
}

void SetUpDecode(const benchmark::State& state) {
  const int64_t depth = state.range(0);
  run = std::make_unique<Run>(1, depth + 1, NumDecodeLayers(depth), state.threads());
}

void Decode(benchmark::State& state) {
  const int32_t depth = static_cast<int32_t>(state.range(0));
  const int64_t window = state.range(1);
  const int64_t keys = window > 0 ? std::min<int64_t>(window, depth + 1) : depth + 1;
  Attend(state, {0, depth, 1}, window, NumDecodeLayers(depth));
  SetRate(state, "GB/s", static_cast<double>(keys * kShape.head_dim * 4));
}

// The numbers of iterations are given: threads that meet at barriers must not disagree about them.
BENCHMARK(Prefill)
    ->Args({512, 0, 0})
    ->Args({512, 0, 512})
    ->Args({512, 7680, 0})
    ->Setup(SetUpPrefill)
    ->ThreadRange(1, 2)
    ->Iterations(20)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(Decode)
    ->Args({8192, 0})
    ->Args({2048, 512})
    ->Args({32767, 0})
    ->Setup(SetUpDecode)
    ->ThreadRange(1, 2)
    ->Iterations(400)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace carat::cpu

BENCHMARK_MAIN();
