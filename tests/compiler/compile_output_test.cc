#include "carat/compiler/compile_output.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "carat/base/file.h"
#include "carat/library/dist_folder.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"
#include "tests/library/example_metadata.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

std::set<std::string> NamesIn(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

void WriteCompiled(const CompileOutput& output) {
  const auto write = [&](std::string_view name, const std::string& text) {
    FileWriter file(output.path() / name);
    file.Write(text);
    file.Close();
  };
  write(output.library(), "library");
  write("weights.bin", "weights");
  library::DistConfig config;
  config.library = output.library();
  config.metadata = tests::ExampleMetadata();
  write("carat-config.json", library::ToJsonText(config));
}

TEST(CompileOutput, AFolderIsTheCompiledModelsAlone) {
  const TemporaryFolder folder;
  CompileOutput output(folder / "dist");
  EXPECT_EQ(output.library(), "model.so");
  output.WriteModelFile("config.json", "{}");
  WriteCompiled(output);
  EXPECT_EQ(NamesIn(folder.path()).count("dist"), 0u);
  output.Commit();
  EXPECT_EQ(NamesIn(folder / "dist"),
            (std::set<std::string>{"carat-config.json", "config.json", "model.so", "weights.bin"}));
}

TEST(CompileOutput, ALibrarysNameLeavesTheRestOfItsFolderAlone) {
  const TemporaryFolder folder;
  WriteText(folder, "mlc-chat-config.json", "{}");
  WriteText(folder, "tokenizer.json", "tokenizer");
  CompileOutput output(folder / "gemma.so");
  output.WriteModelFile("tokenizer.json", "tokenizer");
  output.WriteModelFile("tokenizer_config.json", "config");
  output.WriteModelFile("config.json", "{}");
  WriteCompiled(output);
  output.Commit();
  EXPECT_EQ(NamesIn(folder.path()),
            (std::set<std::string>{"carat-config.json", "gemma.so", "mlc-chat-config.json",
                                   "tokenizer.json", "tokenizer_config.json", "weights.bin"}));
  EXPECT_EQ(library::ReadDistFolder(folder.path()).library, "gemma.so");
}

TEST(CompileOutput, WithoutCommitNothingIsLeft) {
  const TemporaryFolder folder;
  for (const char* name : {"dist", "gemma.so"}) {
    CompileOutput output(folder / name);
    WriteCompiled(output);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(CompileOutput, TheTokenizerOfAnotherModelIsNotOverwritten) {
  const TemporaryFolder folder;
  WriteText(folder, "tokenizer.json", "another");
  CompileOutput output(folder / "gemma.so");
  EXPECT_ERROR((output.WriteModelFile("tokenizer.json", "this"), 0),
               "has the tokenizer.json of another model");
}

TEST(CompileOutput, OneCompiledModelAFolder) {
  const TemporaryFolder folder;
  {
    CompileOutput output(folder / "a.so");
    WriteCompiled(output);
    output.Commit();
  }
  EXPECT_ERROR(CompileOutput(folder / "b.so"), "holds the compiled model a.so already");
  CompileOutput again(folder / "a.so");
  WriteCompiled(again);
  again.Commit();
  EXPECT_EQ(library::ReadDistFolder(folder.path()).library, "a.so");
}

TEST(CompileOutput, AFolderNamedLikeALibraryIsRefused) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "model.so");
  EXPECT_ERROR(CompileOutput(folder / "model.so"), "model.so: is a folder");
}

}  // namespace
}  // namespace carat::compiler
