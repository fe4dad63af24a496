#ifndef CARAT_COMPILER_COMPILE_OUTPUT_H_
#define CARAT_COMPILER_COMPILE_OUTPUT_H_

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/output_directory.h"
#include "carat/base/temporary_path.h"

namespace carat::compiler {

// Where a compilation goes. Files are written into path(), and Commit puts them in their place;
// without it nothing is left of them.
//
//     -o FOLDER    the folder is the compiled model's alone, and is replaced as a whole
//     -o FILE.so   as mlc_llm has it: the library gets that name, and what belongs to it lies in
//                  the same folder, which is there already and may be the model's own.
//                  carat-config.json comes last: a folder without it is not a compiled model.
class CompileOutput {
 public:
  // Throws Error if nothing can be written there, or if something would be lost.
  explicit CompileOutput(const std::filesystem::path& output);

  // The folder that `output` leads to, as the user spelled it.
  static std::filesystem::path FolderOf(const std::filesystem::path& output);

  const std::filesystem::path& path() const;
  const std::filesystem::path& folder() const { return folder_; }  // where files are in the end
  const std::string& library() const { return library_; }          // the file's name

  // Writes one of library::kModelFiles. In a folder with other files, one that is there already
  // must say the same, and is left as it is. config.json would make such a folder another kind of
  // model, and what generation_config.json says is in carat-config.json: both are left out there.
  void WriteModelFile(std::string_view name, std::string_view text);

  void Commit();  // nothing is written after it

 private:
  void CommitFiles();

  std::string library_;
  std::filesystem::path folder_;
  std::unique_ptr<OutputDirectory> directory_;  // -o FOLDER
  std::unique_ptr<TemporaryPath> temporary_;    // -o FILE.so
};

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_COMPILE_OUTPUT_H_
