#include "carat/compiler/compile_output.h"

#include <system_error>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/checkpoint/folder.h"
#include "carat/library/dist_folder.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

bool IsLibrary(const fs::path& output) { return output.extension() == ".so"; }

// One compiled model a folder: two would share weights.bin.
void CheckHoldsNoOtherLibrary(const fs::path& folder, const std::string& library) {
  if (!library::IsDistFolder(folder)) return;
  const std::string other = library::ReadDistConfig(folder).library;
  if (other == library) return;
  throw Error("{}: holds the compiled model {} already; choose another folder, or remove its {}",
              folder.string(), other, library::kConfigFile);
}

void Move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw Error("{}: cannot write: {}", to.string(), error.message());
}

}  // namespace

fs::path CompileOutput::FolderOf(const fs::path& output) {
  if (!IsLibrary(output)) return output;
  return output.has_parent_path() ? output.parent_path() : ".";
}

CompileOutput::CompileOutput(const fs::path& output) {
  if (!IsLibrary(output)) {
    library_ = library::kLibraryFile;
    directory_ = std::make_unique<OutputDirectory>(output, library::kDistFiles);
    folder_ = directory_->target();
    return;
  }
  library_ = output.filename().string();
  folder_ = fs::absolute(output).parent_path();
  std::error_code error;
  if (fs::is_directory(output, error)) {
    throw Error("{}: is a folder; -o takes a folder without .so in its name, or a file",
                output.string());
  }
  checkpoint::CheckIsFolder(folder_, "the folder of the library");
  CheckHoldsNoOtherLibrary(folder_, library_);
  temporary_ = std::make_unique<TemporaryPath>(ResolveTarget(folder_ / library_),
                                               TemporaryPath::Kind::kFolder);
}

const fs::path& CompileOutput::path() const {
  return directory_ ? directory_->path() : temporary_->path();
}

void CompileOutput::WriteModelFile(std::string_view name, std::string_view text) {
  if (!directory_) {
    if (name == "config.json" || name == "generation_config.json") return;
    if (library::HasModelFile(folder_, name, text)) return;
  }
  WriteFileAtomically(path() / name, text);
}

void CompileOutput::Commit() { directory_ ? directory_->Commit() : CommitFiles(); }

void CompileOutput::CommitFiles() {
  std::error_code error;
  fs::remove(folder_ / library::kConfigFile, error);
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(path())) {
    names.push_back(entry.path().filename().string());
  }
  for (const std::string& name : names) {
    if (name != library::kConfigFile) Move(path() / name, folder_ / name);
  }
  Move(path() / library::kConfigFile, folder_ / library::kConfigFile);
  temporary_.reset();
}

}  // namespace carat::compiler
