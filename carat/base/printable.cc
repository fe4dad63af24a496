#include "carat/base/printable.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace carat {
namespace {

// Some 25 lines of a terminal; longer than any message that has its values from a person.
constexpr size_t kHeadBytes = 1400;
constexpr size_t kTailBytes = 600;

constexpr std::string_view kEllipsis = "…";

struct Character {
  uint32_t code_point;
  size_t num_bytes;
};

// The character that `text`, not empty, begins with; nullopt if that is not UTF-8.
std::optional<Character> FirstCharacter(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return Character{lead, 1};
  const size_t num_bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < num_bytes) return std::nullopt;
  uint32_t code_point = lead & (0xff >> (num_bytes + 1));
  for (const char c : text.substr(1, num_bytes - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    code_point = code_point << 6 | (byte & 0x3f);
  }
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};  // by num_bytes
  const bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kLeast[num_bytes] || code_point > 0x10ffff || is_surrogate) return std::nullopt;
  return Character{code_point, num_bytes};
}

bool ActsOnTerminal(uint32_t code_point) {
  struct Range {
    uint32_t first, last;
  };
  constexpr std::array kRanges = {
      Range{0x00, 0x1f},     Range{0x7f, 0x9f},      // C0, DEL and C1
      Range{0x61c, 0x61c},   Range{0x200e, 0x200f},  // marks of direction
      Range{0x2028, 0x202e},                         // separators, embeddings and overrides
      Range{0x2066, 0x2069},                         // isolates
  };
  for (const auto& [first, last] : kRanges) {
    if (code_point >= first && code_point <= last) return true;
  }
  return false;
}

void AppendEscaped(uint32_t code_point, std::string& out) {
  if (code_point == '\n') {
    out += "\\n";
  } else if (code_point == '\r') {
    out += "\\r";
  } else if (code_point == '\t') {
    out += "\\t";
  } else if (code_point < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", code_point);
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", code_point);
  }
}

void AppendPrintable(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::optional<Character> character = FirstCharacter(text);
    const size_t num_bytes = character ? character->num_bytes : 1;
    if (!character) {
      const auto byte = static_cast<unsigned char>(text[0]);
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else if (ActsOnTerminal(character->code_point)) {
      AppendEscaped(character->code_point, out);
    } else {
      out += text.substr(0, num_bytes);
    }
    text.remove_prefix(num_bytes);
  }
}

// Where the UTF-8 character that has the byte at `at` begins: up to 3 bytes before.
size_t CharacterBoundary(std::string_view text, size_t at) {
  for (size_t back = 0; back < 4 && back <= at; ++back) {
    if ((static_cast<unsigned char>(text[at - back]) & 0xc0) != 0x80) return at - back;
  }
  return at;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  if (text.size() <= kHeadBytes + kTailBytes) {
    AppendPrintable(text, out);
  } else {
    AppendPrintable(text.substr(0, CharacterBoundary(text, kHeadBytes)), out);
    out += kEllipsis;
    AppendPrintable(text.substr(CharacterBoundary(text, text.size() - kTailBytes)), out);
  }
  return out;
}

}  // namespace carat
