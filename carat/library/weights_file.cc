#include "carat/library/weights_file.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "carat/base/error.h"

namespace carat::library {

namespace {

static_assert(std::endian::native == std::endian::little, "weights.bin is little-endian");

constexpr char kMagic[8] = {'C', 'A', 'R', 'A', 'T', 'W', 'T', 'S'};
constexpr uint32_t kFormatVersion = 2;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t zero;
  uint64_t hash;
  uint64_t num_bytes;
  uint8_t reserved[32];
};
static_assert(sizeof(Header) == kWeightsHeaderBytes);

// One step: the product spreads a word upwards, the shift brings the upper half down again.
uint64_t Mix(uint64_t state, uint64_t word) {
  state = (state ^ word) * 0xff51afd7ed558ccdu;
  return state ^ (state >> 32);
}

}  // namespace

void WeightsHash::MixBlock(Lanes& lanes, const std::byte* block) {
  Lanes words;
  std::memcpy(words.data(), block, kBlockBytes);
  for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = Mix(lanes[lane], words[lane]);
}

void WeightsHash::Append(std::span<const std::byte> bytes) {
  const size_t num_pending = num_bytes_ % kBlockBytes;
  num_bytes_ += bytes.size();
  if (num_pending > 0) {
    const size_t taken = std::min(kBlockBytes - num_pending, bytes.size());
    std::copy_n(bytes.begin(), taken, pending_.begin() + num_pending);
    bytes = bytes.subspan(taken);
    if (num_pending + taken < kBlockBytes) return;
    MixBlock(lanes_, pending_.data());
  }
  Lanes lanes = lanes_;  // in registers: `bytes` might alias members
  for (; bytes.size() >= kBlockBytes; bytes = bytes.subspan(kBlockBytes)) {
    MixBlock(lanes, bytes.data());
  }
  lanes_ = lanes;
  std::ranges::copy(bytes, pending_.begin());
}

uint64_t WeightsHash::Digest() const {
  std::array<std::byte, kBlockBytes> last = {};
  std::copy_n(pending_.begin(), num_bytes_ % kBlockBytes, last.begin());
  Lanes lanes = lanes_;
  MixBlock(lanes, last.data());
  uint64_t digest = num_bytes_;
  for (const uint64_t lane : lanes) digest = Mix(digest, lane);
  return digest;
}

std::string HashToHex(uint64_t hash) { return fmt::format("{:016x}", hash); }

WeightsWriter::WeightsWriter(const std::filesystem::path& path) : file_(path) {
  const std::vector<std::byte> no_header(kWeightsHeaderBytes);
  file_.Write(no_header);
}

int64_t WeightsWriter::BeginWeight() {
  PadToAlignment();
  return num_bytes();
}

void WeightsWriter::Append(std::span<const std::byte> bytes) {
  hash_.Append(bytes);
  file_.Write(bytes);
}

uint64_t WeightsWriter::Finish() {
  PadToAlignment();
  const uint64_t hash = hash_.Digest();
  Header header = {};
  std::copy_n(kMagic, sizeof(kMagic), header.magic);
  header.version = kFormatVersion;
  header.hash = hash;
  header.num_bytes = file_.bytes_written();
  file_.WriteAt(0, std::as_bytes(std::span(&header, 1)));
  file_.Close();
  return hash;
}

void WeightsWriter::PadToAlignment() {
  static constexpr std::byte kZeros[kWeightAlignment] = {};
  const int64_t excess = num_bytes() % kWeightAlignment;
  if (excess > 0) Append(std::span(kZeros).first(kWeightAlignment - excess));
}

WeightsFile::WeightsFile(const std::filesystem::path& path) : file_(path) {
  const std::string name = path.string();
  const std::span<const std::byte> bytes = file_.bytes();
  Header header = {};
  if (bytes.size() >= sizeof(header)) std::memcpy(&header, bytes.data(), sizeof(header));
  if (!std::ranges::equal(header.magic, kMagic)) {
    throw Error(
        "{}: not a weights file of Carat ({} bytes, no CARATWTS header); compile the model again",
        name, bytes.size());
  }
  if (header.version != kFormatVersion) {
    throw Error("{}: format version {}, but this Carat reads version {}; compile the model again",
                name, header.version, kFormatVersion);
  }
  if (header.num_bytes != bytes.size()) {
    throw Error("{}: {} bytes, but its header says {}: the file is {}; compile or copy it again",
                name, bytes.size(), header.num_bytes,
                bytes.size() < header.num_bytes ? "truncated" : "too long");
  }
  hash_ = HashToHex(header.hash);
}

void WeightsFile::Verify() const {
  // A wish: read from the disk in large pieces, not page by page as they are needed.
  madvise(std::bit_cast<void*>(bytes().data()), bytes().size(), MADV_WILLNEED);
  WeightsHash hash;
  hash.Append(bytes().subspan(kWeightsHeaderBytes));
  const std::string actual = HashToHex(hash.Digest());
  if (actual != hash_) {
    throw Error(
        "{}: damaged: its contents hash to {}, its header says {}; compile or copy it again",
        file_.path().string(), actual, hash_);
  }
}

}  // namespace carat::library
