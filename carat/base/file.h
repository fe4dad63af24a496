// Files: reading whole, mapping, writing.

#ifndef CARAT_BASE_FILE_H_
#define CARAT_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carat {

// A read-only mapping of a whole file. Pages come into memory when they are first read and stay
// until DropPages or the end; a reader of something large drops what it has used.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  // Gives the memory of the pages that `range` (part of bytes()) begins in or covers back, so that
  // dropping one range after the other drops everything. Reading there again reads the file.
  void DropPages(std::span<const std::byte> range) const;

 private:
  void Unmap();

  std::filesystem::path path_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

inline constexpr size_t kMaxTextFileBytes = size_t{64} << 20;

// The file's bytes; a file longer than `max_bytes` is refused.
std::string ReadTextFile(const std::filesystem::path& path, size_t max_bytes = kMaxTextFileBytes);

// Writes a file front to back through a buffer. Every failure (a full disk, no permission) is an
// Error that names the file and the reason.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;

  void Write(std::span<const std::byte> bytes);
  void Write(std::string_view text);

  // Overwrites bytes that were written before: a header whose hash is known only at the end.
  void WriteAt(uint64_t offset, std::span<const std::byte> bytes);

  // Writes what is buffered and makes it durable. A writer destroyed without Close leaves a file
  // that nobody should read.
  void Close();

  uint64_t bytes_written() const { return bytes_written_; }

 private:
  void Flush();

  std::filesystem::path path_;
  int file_ = -1;
  std::vector<std::byte> buffer_;
  uint64_t bytes_written_ = 0;
};

}  // namespace carat

#endif  // CARAT_BASE_FILE_H_
