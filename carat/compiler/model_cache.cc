#include "carat/compiler/model_cache.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/own_file.h"
#include "carat/library/cpu_features.h"
#include "carat/library/dist_folder.h"
#include "carat/library/weights_file.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

fs::path CacheFolder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
    return fs::path(cache) / "carat";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return fs::path(home) / ".cache" / "carat";
  }
  throw Error(
      "no place to keep the compiled model: neither XDG_CACHE_HOME nor HOME is set; run "
      "'carat compile' and give its output folder instead");
}

std::string Hash(std::string_view text) {
  library::WeightsHash hash;
  hash.Append(std::as_bytes(std::span(text)));
  return library::HashToHex(hash.Digest());
}

// Changes whenever the file does.
std::string Fingerprint(const fs::directory_entry& file) {
  return fmt::format("{} {} {}", file.path().filename().string(), file.file_size(),
                     file.last_write_time().time_since_epoch().count());
}

// Of what compiles: another build of the same version may compile otherwise.
std::string ProgramFingerprint() { return Fingerprint(fs::directory_entry(OwnFile())); }

// Of the files of a folder, or of one file.
std::string ModelFingerprint(const fs::path& model) {
  if (fs::is_regular_file(model)) return Hash(Fingerprint(fs::directory_entry(model)));
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(model)) {
    if (entry.is_regular_file()) files.push_back(Fingerprint(entry));
  }
  std::ranges::sort(files);
  return Hash(fmt::format("{}", fmt::join(files, "\n")));
}

// What earlier states of the same model were compiled to.
void RemoveOlder(const fs::path& cache, const std::string& prefix, const fs::path& current) {
  for (const fs::directory_entry& entry : fs::directory_iterator(cache)) {
    const std::string name = entry.path().filename().string();
    // What another process is writing just now has a longer name, and is its to clean up.
    if (name.starts_with(prefix) && name.size() == current.filename().string().size() &&
        entry.path() != current) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }
}

// False too if something of it is missing or damaged: then it is compiled again.
bool IsComplete(const fs::path& dist_folder) {
  if (!library::IsDistFolder(dist_folder)) return false;
  try {
    library::ReadDistFolder(dist_folder);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

fs::path CompiledInCache(const model::ModelSource& model, const std::string& quantization,
                         const CompileProgress& progress) {
  const fs::path cache = CacheFolder();
  const fs::path path = fs::canonical(model.path());
  const std::string prefix = fmt::format(
      "{}-{}-",
      library::DistFolderName(model.Name(), quantization.empty() ? "default" : quantization, "cpu"),
      Hash(fmt::format("{} {} {}", path.string(), ProgramFingerprint(),
                       library::BestTarget().name)));
  const fs::path output = cache / (prefix + ModelFingerprint(path));
  if (IsComplete(output)) return output;

  std::error_code error;
  fs::create_directories(cache, error);
  if (error) throw Error("{}: cannot be made: {}", cache.string(), error.message());
  CompileOptions options;
  options.model = path;
  options.quantization = quantization;
  options.output = output;
  Compile(options, progress);
  RemoveOlder(cache, prefix, output);
  return output;
}

}  // namespace carat::compiler
