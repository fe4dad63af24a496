#include "carat/server/host_names.h"

#include <algorithm>
#include <string>

namespace carat::server {
namespace {

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool IsPort(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "[::1]:80" -> "::1", "localhost:80" -> "localhost"; "" if it is malformed.
std::string_view WithoutPort(std::string_view host) {
  std::string_view name;
  std::string_view rest;
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos) return {};
    name = host.substr(1, end - 1);
    rest = host.substr(end + 1);
  } else {
    name = host.substr(0, host.find(':'));
    rest = host.substr(name.size());
  }
  if (!rest.empty() && (rest.front() != ':' || !IsPort(rest.substr(1)))) return {};
  return name;
}

}  // namespace

bool IsOwnHost(std::string_view host, std::string_view listening_host) {
  const std::string name = LowerCase(WithoutPort(host));
  return name == "localhost" || name == "127.0.0.1" || name == "::1" ||
         (!name.empty() && name == LowerCase(listening_host));
}

}  // namespace carat::server
