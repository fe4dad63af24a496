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
// All little-endian. Opening compares sizes and the header's hash only; Verify() reads all of it.

#ifndef CARAT_LIBRARY_WEIGHTS_FILE_H_
#define CARAT_LIBRARY_WEIGHTS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "carat/base/file.h"

namespace carat::library {

inline constexpr int64_t kWeightAlignment = 64;
inline constexpr int64_t kWeightsHeaderBytes = 64;

// A 64-bit hash of a stream of bytes, for telling files apart (not for security). Splitting the
// stream differently does not change it.
class WeightsHash {
 public:
  void Append(std::span<const std::byte> bytes);
  uint64_t Digest() const;

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15u;
  uint64_t num_bytes_ = 0;
  std::byte pending_[8] = {};  // num_bytes_ % 8 of them are not hashed yet
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
