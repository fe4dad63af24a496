#include "carat/compiler/debug_dump.h"

#include <fmt/format.h>

#include <system_error>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/graph/printer.h"

namespace carat::compiler {

void DebugDump::MakeFolder(const std::filesystem::path& output) const {
  if (folder_.empty()) return;
  const std::filesystem::path inside =
      std::filesystem::weakly_canonical(folder_).lexically_relative(output);
  if (!inside.empty() && *inside.begin() != "..") {
    throw Error("--debug-dump {}: lies in the output folder, which is replaced as a whole",
                folder_.string());
  }
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw Error("--debug-dump {}: {}", folder_.string(), error.message());
}

void DebugDump::Write(const std::string& name, std::string_view text) const {
  if (!folder_.empty()) WriteFileAtomically(folder_ / name, text);
}

void DebugDump::WriteGraph(std::string_view pass, const graph::Graph& graph) {
  Write(fmt::format("{}-{}.graph", NextNumber(), pass), graph::PrintGraph(graph));
}

std::string DebugDump::NextNumber() { return fmt::format("{:02}", step_++); }

}  // namespace carat::compiler
