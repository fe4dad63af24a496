#include "carat/cli/shell_quoted.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "carat/base/printable.h"

namespace carat::cli {
namespace {

constexpr std::string_view kSafe =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:,@%";

// '...', with each ' as '\''.
std::string SingleQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + '\'';
}

// $'...', byte by byte but for plain ASCII.
std::string EscapeQuoted(std::string_view text) {
  std::string quoted = "$'";
  for (const char c : text) {
    if (kSafe.find(c) != std::string_view::npos || c == ' ') {
      quoted += c;
    } else {
      fmt::format_to(std::back_inserter(quoted), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return quoted + '\'';
}

}  // namespace

std::string ShellQuoted(const std::filesystem::path& path) {
  std::string text = path.string();
  if (text.starts_with('-')) text.insert(0, "./");  // no flag
  if (Printable(text) != text) return EscapeQuoted(text);
  if (text.empty() || text.find_first_not_of(kSafe) != std::string::npos) return SingleQuoted(text);
  return text;
}

}  // namespace carat::cli
