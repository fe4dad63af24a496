// The folder of --debug-dump, into which compilations write what each step makes.

#ifndef CARAT_COMPILER_DEBUG_DUMP_H_
#define CARAT_COMPILER_DEBUG_DUMP_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "carat/graph/graph.h"

namespace carat::compiler {

class DebugDump {
 public:
  // An empty path: nothing is written.
  explicit DebugDump(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Makes the folder, which may not lie in `output`, a folder that is replaced as a whole. Throws
  // Error if it does, or cannot be made.
  void MakeFolder(const std::filesystem::path& output) const;

  void Write(const std::string& name, std::string_view text) const;

  // Takes graphs as RunPasses hands them out: "03-merge_linears.graph".
  void WriteGraph(std::string_view pass, const graph::Graph& graph);

  // The next step's number: "07".
  std::string NextNumber();

 private:
  std::filesystem::path folder_;
  int step_ = 0;
};

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_DEBUG_DUMP_H_
