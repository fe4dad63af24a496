#ifndef CARAT_BASE_OWN_FILE_H_
#define CARAT_BASE_OWN_FILE_H_

#include <filesystem>

namespace carat {

// The file this code was loaded from: the program, or the shared library (libcarat.so) where Carat
// is part of another program, such as Python.
std::filesystem::path OwnFile();

}  // namespace carat

#endif  // CARAT_BASE_OWN_FILE_H_
