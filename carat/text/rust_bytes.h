// What the Rust side hands out, owned: freed when it goes out of scope.

#ifndef CARAT_TEXT_RUST_BYTES_H_
#define CARAT_TEXT_RUST_BYTES_H_

#include <span>
#include <string_view>

#include "carat/text/carat_text.h"

namespace carat::text {

class RustBytes {
 public:
  RustBytes() = default;
  explicit RustBytes(CaratBytes bytes) : bytes_(bytes) {}
  RustBytes(const RustBytes&) = delete;
  RustBytes& operator=(const RustBytes&) = delete;
  ~RustBytes() {
    if (bytes_.data != nullptr) carat_bytes_free(bytes_);
  }

  CaratBytes* out() { return &bytes_; }
  std::string_view view() const { return {bytes_.data, bytes_.size}; }

 private:
  CaratBytes bytes_ = {nullptr, 0};
};

class RustTokens {
 public:
  RustTokens() = default;
  RustTokens(const RustTokens&) = delete;
  RustTokens& operator=(const RustTokens&) = delete;
  ~RustTokens() {
    if (tokens_.data != nullptr) carat_tokens_free(tokens_);
  }

  CaratTokens* out() { return &tokens_; }
  std::span<const uint32_t> view() const { return {tokens_.data, tokens_.size}; }

 private:
  CaratTokens tokens_ = {nullptr, 0};
};

}  // namespace carat::text

#endif  // CARAT_TEXT_RUST_BYTES_H_
