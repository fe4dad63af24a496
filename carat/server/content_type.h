#ifndef CARAT_SERVER_CONTENT_TYPE_H_
#define CARAT_SERVER_CONTENT_TYPE_H_

#include <string_view>

namespace carat::server {

// The MIME type of a file by the end of its name; bytes of no known kind for any other.
std::string_view ContentType(std::string_view file_name);

}  // namespace carat::server

#endif  // CARAT_SERVER_CONTENT_TYPE_H_
