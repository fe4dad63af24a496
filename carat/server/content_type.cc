#include "carat/server/content_type.h"

namespace carat::server {

std::string_view ContentType(std::string_view file_name) {
  struct Type {
    std::string_view suffix;
    std::string_view content_type;
  };
  static constexpr Type kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},
  };
  for (const Type& type : kTypes) {
    if (file_name.ends_with(type.suffix)) return type.content_type;
  }
  return "application/octet-stream";
}

}  // namespace carat::server
