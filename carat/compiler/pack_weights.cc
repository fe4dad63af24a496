#include "carat/compiler/pack_weights.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/kernels/cpu/pack.h"
#include "carat/quantization/weight_format.h"

namespace carat::compiler {
namespace {

using quantization::WeightFormat;

constexpr int64_t kTilesPerSlab = 64;  // 1024 rows: some MB as f32

// GeluMulStore takes its two parts from tiles in turns.
static_assert(graph::kInterleaveRows == cpu::kTileRows);

// The source rows of tile `tile`: up to 16 of them, in one or more pieces.
struct RowPiece {
  const graph::SourceTensor* tensor;
  int64_t first_row;
  int64_t num_rows;
};

std::vector<RowPiece> RowsOfTile(const graph::Weight& weight, int64_t tile) {
  std::vector<RowPiece> pieces;
  if (weight.arrangement == graph::Arrangement::kInterleave) {
    const auto num_parts = static_cast<int64_t>(weight.parts.size());
    const graph::SourceTensor& part = weight.parts[tile % num_parts];
    const int64_t first = tile / num_parts * cpu::kTileRows;
    pieces.push_back({&part, first, std::min(cpu::kTileRows, part.rows - first)});
    return pieces;
  }
  int64_t begin = tile * cpu::kTileRows;
  int64_t wanted = cpu::kTileRows;
  for (const graph::SourceTensor& part : weight.parts) {
    if (begin < part.rows && wanted > 0) {
      const int64_t count = std::min(wanted, part.rows - begin);
      pieces.push_back({&part, begin, count});
      wanted -= count;
      begin = 0;
    } else {
      begin -= part.rows;
    }
  }
  return pieces;
}

int64_t NumTilesOf(const graph::Weight& weight) {
  if (weight.arrangement == graph::Arrangement::kInterleave) {
    return static_cast<int64_t>(weight.parts.size()) * cpu::NumTiles(weight.parts.front().rows);
  }
  return cpu::NumTiles(weight.rows());
}

// Calls fn with the kernels' tag for the format.
template <class Fn>
auto WithFormat(WeightFormat format, Fn&& fn) {
  switch (format) {
    case WeightFormat::kF32:
      return fn(cpu::F32{});
    case WeightFormat::kF16:
      return fn(cpu::F16{});
    case WeightFormat::kBF16:
      return fn(cpu::BF16{});
    case WeightFormat::kQ4_0:
      return fn(cpu::Q4_0{});
    case WeightFormat::kQ8_0:
      return fn(cpu::Q8_0{});
  }
  throw Error("unknown weight format");
}

int64_t TileBytes(const graph::Weight& weight) {
  return WithFormat(weight.format, [&](auto format) {
    return static_cast<int64_t>(decltype(format)::TileBytes(weight.cols()));
  });
}

// One thread's part of packing: tiles of one weight, with buffers it keeps.
class TilePacker {
 public:
  TilePacker(const checkpoint::Checkpoint& checkpoint, const graph::Weight& weight)
      : checkpoint_(checkpoint),
        weight_(weight),
        row_bytes_(quantization::RowBytes(weight.format, weight.cols())),
        values_(cpu::kTileRows * weight.cols()),
        rows_(cpu::kTileRows * row_bytes_) {}

  void Pack(int64_t tile, std::byte* out) {
    const int64_t cols = weight_.cols();
    int64_t num_rows = 0;
    for (const RowPiece& piece : RowsOfTile(weight_, tile)) {
      const checkpoint::TensorInfo& tensor =
          checkpoint_.Require(piece.tensor->name, piece.tensor->rows, piece.tensor->cols);
      checkpoint_.ReadRowsAs(weight_.format, tensor, piece.first_row, piece.num_rows,
                             weight_.offset, std::span(values_.data(), piece.num_rows * cols),
                             rows_.data() + num_rows * row_bytes_);
      num_rows += piece.num_rows;
    }
    WithFormat(weight_.format, [&](auto format) {
      cpu::PackTile<decltype(format)>(reinterpret_cast<const uint8_t*>(rows_.data()), num_rows,
                                      cols, reinterpret_cast<uint8_t*>(out));
    });
  }

 private:
  const checkpoint::Checkpoint& checkpoint_;
  const graph::Weight& weight_;
  size_t row_bytes_;
  std::vector<float> values_;
  std::vector<std::byte> rows_;
};

// Packs tiles [first, first + count) into `out` on all cores.
void PackSlab(std::vector<TilePacker>& packers, int64_t first, int64_t count, int64_t tile_bytes,
              std::byte* out) {
  const auto num_threads = static_cast<int64_t>(packers.size());
  std::vector<std::exception_ptr> failures(num_threads);
  const auto work = [&](int64_t thread) {
    try {
      for (int64_t i = thread; i < count; i += num_threads) {
        packers[thread].Pack(first + i, out + i * tile_bytes);
      }
    } catch (...) {
      failures[thread] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int64_t thread = 1; thread < num_threads; ++thread) threads.emplace_back(work, thread);
    work(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

void PackMatrix(const checkpoint::Checkpoint& checkpoint, const graph::Weight& weight,
                library::WeightsWriter& writer, const std::function<void(int64_t)>& advance) {
  const int64_t num_tiles = NumTilesOf(weight);
  const int64_t tile_bytes = TileBytes(weight);
  const int64_t num_threads =
      std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, std::min<int64_t>(num_tiles, 16));
  std::vector<TilePacker> packers(num_threads, TilePacker(checkpoint, weight));
  std::vector<std::byte> slab(std::min(num_tiles, kTilesPerSlab) * tile_bytes);
  for (int64_t first = 0; first < num_tiles; first += kTilesPerSlab) {
    ThrowIfInterrupted();
    const int64_t count = std::min(kTilesPerSlab, num_tiles - first);
    PackSlab(packers, first, count, tile_bytes, slab.data());
    writer.Append({slab.data(), static_cast<size_t>(count * tile_bytes)});
    advance(count * tile_bytes);
  }
}

void PackVector(const checkpoint::Checkpoint& checkpoint, const graph::Weight& weight,
                library::WeightsWriter& writer) {
  const graph::SourceTensor& source = weight.parts.front();
  std::vector<float> values =
      checkpoint.Read(checkpoint.Require(source.name, source.rows, source.cols));
  for (float& value : values) value += weight.offset;
  writer.Append(std::as_bytes(std::span(values)));
}

}  // namespace

int64_t PackedBytes(const graph::Weight& weight) {
  if (weight.is_vector()) return weight.cols() * static_cast<int64_t>(sizeof(float));
  return NumTilesOf(weight) * TileBytes(weight);
}

std::vector<library::PackedWeight> PlanWeights(std::span<const graph::Weight> weights) {
  std::vector<library::PackedWeight> plan;
  int64_t offset = library::kWeightsHeaderBytes;
  for (const graph::Weight& weight : weights) {
    const int64_t num_bytes = PackedBytes(weight);
    plan.push_back({weight, weight.is_vector() ? "vector" : "tiles", offset, num_bytes});
    offset = cpu::RoundUp(offset + num_bytes, library::kWeightAlignment);
  }
  return plan;
}

void PackWeights(const checkpoint::Checkpoint& checkpoint,
                 std::span<const library::PackedWeight> plan, library::WeightsWriter& writer,
                 const ProgressCallback& progress) {
  int64_t total = 0;
  for (const library::PackedWeight& packed : plan) total += packed.num_bytes;
  int64_t done = 0;
  const auto advance = [&](int64_t num_bytes) {
    done += num_bytes;
    if (progress) progress(done, total);
  };
  for (const library::PackedWeight& packed : plan) {
    if (writer.BeginWeight() != packed.offset) {
      throw Error("weight '{}' does not begin where it was planned", packed.weight.name);
    }
    if (packed.weight.is_vector()) {
      PackVector(checkpoint, packed.weight, writer);
      advance(packed.num_bytes);
    } else {
      PackMatrix(checkpoint, packed.weight, writer, advance);
    }
  }
}

}  // namespace carat::compiler
