#include "carat/server/request_path.h"

#include <algorithm>
#include <charconv>

namespace carat::server {
namespace {

std::optional<std::string> DecodePercent(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned char value = 0;
    const char* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() < 2 || error != std::errc() || rest != end) return {};
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

bool IsForbidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || c == '\\';
}

bool HasDotSegment(std::string_view path) {
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, slash);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

}  // namespace

std::optional<std::string> DecodeRequestPath(std::string_view target) {
  std::optional<std::string> path = DecodePercent(target.substr(0, target.find_first_of("?#")));
  if (!path || !path->starts_with('/')) return {};
  if (std::ranges::any_of(*path, IsForbidden) || HasDotSegment(*path)) return {};
  return path;
}

}  // namespace carat::server
