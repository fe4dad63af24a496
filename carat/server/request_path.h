// The path that a request names.

#ifndef CARAT_SERVER_REQUEST_PATH_H_
#define CARAT_SERVER_REQUEST_PATH_H_

#include <optional>
#include <string>
#include <string_view>

namespace carat::server {

// "/a%20b/c?d=e" -> "/a b/c". Nothing for what is no path of a file: one that does not begin with
// '/', a bad escape, control characters, '\', and the segments "." and "..", however they are
// spelt.
std::optional<std::string> DecodeRequestPath(std::string_view target);

}  // namespace carat::server

#endif  // CARAT_SERVER_REQUEST_PATH_H_
