#include "carat/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "carat/base/error.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

constexpr size_t kWriteBufferBytes = size_t{1} << 20;

Error CannotWrite(const fs::path& path, int error_number) {
  return Error("{}: cannot write: {}", path.string(), SystemMessage(error_number));
}

// Opens a regular file for reading and tells its size.
std::pair<int, size_t> OpenForReading(const fs::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) throw Error("{}: cannot open: {}", path.string(), SystemMessage(errno));
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    throw Error("{}: is {}, expected a file", path.string(),
                S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
  }
  return {file, static_cast<size_t>(status.st_size)};
}

void WriteFully(int file, std::span<const std::byte> bytes, uint64_t offset, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw CannotWrite(path, count < 0 ? errno : ENOSPC);
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  const auto [file, size] = OpenForReading(path);
  if (size > 0) {  // an empty mapping is not allowed, and not needed
    void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    const int error_number = errno;
    if (address == MAP_FAILED) {
      close(file);
      throw Error("{}: cannot map: {}", path.string(), SystemMessage(error_number));
    }
    data_ = static_cast<std::byte*>(address);
    size_ = size;
  }
  close(file);
}

MappedFile::~MappedFile() { Unmap(); }

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    Unmap();
    path_ = std::move(other.path_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void MappedFile::Unmap() {
  if (size_ > 0) munmap(data_, size_);
}

void MappedFile::DropPages(std::span<const std::byte> range) const {
  // The page that the range ends in stays: a reader from front to back goes on there.
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<size_t>(range.data() - data_);
  const size_t begin = offset / page * page;
  const size_t end = (offset + range.size()) / page * page;
  if (begin < end) madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

std::string ReadTextFile(const fs::path& path, size_t max_bytes) {
  const auto [file, size] = OpenForReading(path);
  std::string text(std::min(size, max_bytes), '\0');
  size_t filled = 0;
  while (size <= max_bytes && filled < text.size()) {
    const ssize_t count = read(file, text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    filled += static_cast<size_t>(count);
  }
  const int error_number = errno;
  close(file);
  if (size > max_bytes) {
    throw Error("{}: is {} bytes long, at most {} are expected", path.string(), size, max_bytes);
  }
  if (filled < text.size()) {
    throw Error("{}: cannot read: {}", path.string(), SystemMessage(error_number));
  }
  return text;
}

FileWriter::FileWriter(const fs::path& path)
    : path_(path),
      file_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                 S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)) {
  if (file_ < 0) throw CannotWrite(path, errno);
  buffer_.reserve(kWriteBufferBytes);
}

FileWriter::~FileWriter() {
  if (file_ >= 0) close(file_);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      buffer_(std::move(other.buffer_)),
      bytes_written_(other.bytes_written_) {}

void FileWriter::Write(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kWriteBufferBytes) Flush();
  if (bytes.size() > kWriteBufferBytes) {
    WriteFully(file_, bytes, bytes_written_, path_);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  bytes_written_ += bytes.size();
}

void FileWriter::Write(std::string_view text) { Write(std::as_bytes(std::span(text))); }

void FileWriter::WriteAt(uint64_t offset, std::span<const std::byte> bytes) {
  Flush();
  WriteFully(file_, bytes, offset, path_);
}

void FileWriter::Flush() {
  WriteFully(file_, buffer_, bytes_written_ - buffer_.size(), path_);
  buffer_.clear();
}

void FileWriter::Close() {
  Flush();
  // Some file systems report a full disk only here.
  if (fsync(file_) != 0 && errno != EINVAL) throw CannotWrite(path_, errno);
  if (close(std::exchange(file_, -1)) != 0) throw CannotWrite(path_, errno);
}

}  // namespace carat
