#include "carat/base/own_file.h"

#include <dlfcn.h>
#include <link.h>

#include "carat/base/error.h"

namespace carat {

std::filesystem::path OwnFile() {
  Dl_info info{};
  void* map = nullptr;
  // info.dli_fname would not do: of the program it is argv[0], which need not be a path.
  const bool found =
      dladdr1(reinterpret_cast<const void*>(&OwnFile), &info, &map, RTLD_DL_LINKMAP) != 0;
  const char* library = found ? static_cast<const link_map*>(map)->l_name : "";
  const std::filesystem::path path = *library != '\0' ? library : "/proc/self/exe";
  std::error_code error;
  std::filesystem::path file = std::filesystem::canonical(path, error);
  if (error)
    throw Error("{}: cannot find the file Carat runs from: {}", path.string(), error.message());
  return file;
}

}  // namespace carat
