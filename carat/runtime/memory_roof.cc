#include "carat/runtime/memory_roof.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>

#include "carat/library/cpu_features.h"
#include "carat/runtime/reservation.h"

namespace carat::runtime {

namespace {

// As wide as the widest registers; a machine with narrower ones loads it in parts.
using Vector = uint64_t __attribute__((vector_size(64)));

// Four independent sums keep enough loads in flight.
constexpr size_t kUnroll = 4;
constexpr size_t kStepBytes = kUnroll * sizeof(Vector);

[[gnu::always_inline]] inline uint64_t SumBody(const std::byte* data, size_t num_bytes) {
  Vector sums[kUnroll] = {};
  for (size_t i = 0; i + kStepBytes <= num_bytes; i += kStepBytes) {
    for (size_t j = 0; j < kUnroll; ++j) {
      Vector value;
      std::memcpy(&value, data + i + j * sizeof(Vector), sizeof(value));
      sums[j] += value;
    }
  }
  const Vector sum = sums[0] + sums[1] + sums[2] + sums[3];
  uint64_t total = 0;
  for (size_t lane = 0; lane < sizeof(Vector) / sizeof(uint64_t); ++lane) total += sum[lane];
  return total;
}

using Sum = uint64_t (*)(const std::byte* data, size_t num_bytes);

uint64_t SumPlain(const std::byte* data, size_t num_bytes) { return SumBody(data, num_bytes); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] uint64_t SumAvx2(const std::byte* data, size_t num_bytes) {
  return SumBody(data, num_bytes);
}

[[gnu::target("avx512f")]] uint64_t SumAvx512(const std::byte* data, size_t num_bytes) {
  return SumBody(data, num_bytes);
}

Sum ChooseSum() {
  const auto& features = library::DetectCpuFeatures();
  const auto has = [&features](const char* name) {
    return std::ranges::find(features, name) != features.end();
  };
  if (has("avx512f")) return SumAvx512;
  return has("avx2") ? SumAvx2 : SumPlain;
}
#else
Sum ChooseSum() { return SumPlain; }
#endif

}  // namespace

double MeasureReadBandwidth(ThreadPool& pool, size_t num_bytes) {
  constexpr int kRounds = 9;
  const size_t part = num_bytes / pool.num_threads() / kStepBytes * kStepBytes;
  const Reservation buffer(part * pool.num_threads(), "measuring memory bandwidth",
                           "free some memory");
  madvise(buffer.bytes().data(), buffer.bytes().size(), MADV_HUGEPAGE);  // a wish
  const auto part_of = [&](int thread) { return buffer.bytes().subspan(thread * part, part); };
  // Written by the thread that will read it: memory of its own node, and real pages (untouched ones
  // all read the same zero page).
  pool.Run([&](int thread) { std::ranges::fill(part_of(thread), std::byte{1}); });

  const Sum sum = ChooseSum();
  std::atomic<uint64_t> total = 0;  // keeps the reads alive
  double best_seconds = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    pool.Run([&](int thread) {
      const std::span<std::byte> mine = part_of(thread);
      total.fetch_add(sum(mine.data(), mine.size()), std::memory_order_relaxed);
    });
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (round == 0 || elapsed.count() < best_seconds) best_seconds = elapsed.count();
  }
  return static_cast<double>(buffer.bytes().size()) / best_seconds;
}

}  // namespace carat::runtime
