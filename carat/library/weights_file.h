// weights.bin: a header of 64 bytes, then the packed weights, each at a multiple of 64 bytes, in
// the form the kernels read them, so that the file is mapped and used in place.
//
//     0   char[8]  magic "CARATWTS"
//     8   u32      format version
//     12  u32      zero
//     16  u64      hash of everything after the header
//     24  u64      bytes of the file, header included
//     32  u8[32]   zero
//
// All little-endian. Opening checks the header and the size; Verify() reads everything.

#ifndef CARAT_LIBRARY_WEIGHTS_FILE_H_
#define CARAT_LIBRARY_WEIGHTS_FILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "carat/base/file.h"

namespace carat::library {

inline constexpr int64_t kWeightAlignment = 64;
inline constexpr int64_t kWeightsHeaderBytes = 64;

// A 64-bit hash of a stream of bytes, for telling files apart and finding damage (not for
// security). Splitting the stream differently does not change it.
//
// Word i of the stream goes to lane i % 8. One lane alone would wait for its own multiplication in
// every step; eight keep up with memory, so that every load can afford to read all weights.
class WeightsHash {
 public:
  void Append(std::span<const std::byte> bytes);
  uint64_t Digest() const;

 private:
  static constexpr size_t kLanes = 8;
  static constexpr size_t kBlockBytes = kLanes * sizeof(uint64_t);
  using Lanes = std::array<uint64_t, kLanes>;

  static void MixBlock(Lanes& lanes, const std::byte* block);

  Lanes lanes_ = {1, 2, 3, 4, 5, 6, 7, 8};  // anything, as long as they differ
  uint64_t num_bytes_ = 0;
  std::array<std::byte, kBlockBytes> pending_ = {};  // num_bytes_ % 64 of them are not hashed yet
};

// 16 hex digits, as metadata's weights_hash has it.
std::string HashToHex(uint64_t hash);

// Writes weights.bin front to back; only what is appended is in memory.
//
//   WeightsWriter writer(path);
//   for (...) { int64_t offset = writer.BeginWeight(); writer.Append(tile); ... }
//   writer.Finish();  // the header comes last: an unfinished file is not valid
class WeightsWriter {
 public:
  explicit WeightsWriter(const std::filesystem::path& path);

  // Pads to the alignment and returns the offset (from the start of the file) of the weight that
  // the next Append calls make.
  int64_t BeginWeight();

  void Append(std::span<const std::byte> bytes);

  // Bytes written so far, header included.
  int64_t num_bytes() const { return static_cast<int64_t>(file_.bytes_written()); }

  // Pads to the alignment, writes the header and closes. Returns the hash.
  uint64_t Finish();

 private:
  void PadToAlignment();

  FileWriter file_;
  WeightsHash hash_;
};

// A mapped weights.bin whose header is sound. Throws Error for a file that is missing, not a
// weights file, of another format version, or shorter or longer than its header says.
class WeightsFile {
 public:
  explicit WeightsFile(const std::filesystem::path& path);

  std::span<const std::byte> bytes() const { return file_.bytes(); }  // header included
  const std::string& hash() const { return hash_; }                   // 16 hex digits

  // Reads the whole file; throws Error if its contents are not what the header's hash says.
  void Verify() const;

 private:
  MappedFile file_;
  std::string hash_;
};

}  // namespace carat::library

#endif  // CARAT_LIBRARY_WEIGHTS_FILE_H_
