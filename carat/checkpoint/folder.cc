#include "carat/checkpoint/folder.h"

#include <system_error>

#include "carat/base/error.h"

namespace carat::checkpoint {

namespace {

namespace fs = std::filesystem;

fs::file_type TypeOf(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::none) {
    throw Error("{}: cannot be looked at: {}", path.string(), error.message());
  }
  return type;
}

std::string_view WhatIs(fs::file_type type) {
  switch (type) {
    case fs::file_type::not_found:
      return "does not exist";
    case fs::file_type::regular:
      return "is a file";
    case fs::file_type::fifo:
      return "is a pipe";
    case fs::file_type::socket:
      return "is a socket";
    default:
      return "is a device";
  }
}

}  // namespace

void CheckIsFolder(const fs::path& path, std::string_view expected) {
  const fs::file_type type = TypeOf(path);
  if (type != fs::file_type::directory) {
    throw Error("{}: {}, expected {}", path.string(), WhatIs(type), expected);
  }
}

bool Has(const fs::path& folder, std::string_view name) {
  return TypeOf(folder / name) != fs::file_type::not_found;
}

bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos &&
         std::filesystem::path(name).filename() == name;
}

}  // namespace carat::checkpoint
