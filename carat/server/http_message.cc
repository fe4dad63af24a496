#include "carat/server/http_message.h"

#include <algorithm>

namespace carat::server {
namespace {

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, LowerAscii, LowerAscii);
}

}  // namespace

std::string_view HttpRequest::Field(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields, [name](const HttpField& field) { return EqualIgnoringCase(field.name, name); });
  return found == fields.end() ? std::string_view() : found->value;
}

HttpResponse PlainResponse(int status, std::string_view message) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .body = std::string(message) + "\n"};
}

}  // namespace carat::server
