// JSON as Carat hands it out: to standard output, which may be a terminal as well as a program, and
// to hosts of the FFI.

#ifndef CARAT_BASE_ASCII_JSON_H_
#define CARAT_BASE_ASCII_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

namespace carat {

// Names that files bring are escaped, so that a terminal only shows them, and bytes that are not
// UTF-8 replaced, which a path may have and JSON may not.
template <typename Json>
std::string AsciiJson(const Json& json) {
  return json.dump(2, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + '\n';
}

}  // namespace carat

#endif  // CARAT_BASE_ASCII_JSON_H_
