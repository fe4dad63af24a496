// `carat compile` as its users see it when something is wrong: one line, exit code 1, and no folder
// that looks finished.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using tests::CaratOptions;
using tests::CaratResult;
using tests::DemoCheckpoint;
using tests::IsOneLine;
using tests::RunCarat;
using tests::TemporaryFolder;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

// A copy of the demo checkpoint to damage, and an empty folder to compile it into.
class Compile : public ::testing::Test {
 protected:
  Compile() {
    fs::copy(DemoCheckpoint(), model());
    fs::create_directory(output_parent());
  }

  fs::path model() const { return folder_ / "model"; }
  fs::path output_parent() const { return folder_ / "output"; }
  fs::path output() const { return output_parent() / "dist"; }

  CaratResult Run(std::vector<std::string> flags = {}, const CaratOptions& options = {}) const {
    std::vector<std::string> arguments = {"compile", model().string(), "-o", output().string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunCarat(arguments, options);
  }

  void ExpectRefused(const CaratResult& result, const std::string& reason) const {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, AllOf(StartsWith("carat: "), HasSubstr(reason)));
    EXPECT_THAT(NamesIn(output_parent()), IsEmpty());
  }

  void EditConfig(const std::function<void(json&)>& edit) const {
    json config = json::parse(ReadFile(model() / "config.json"));
    edit(config);
    WriteFile(model() / "config.json", config.dump());
  }

  void EditTokenizer(const std::function<void(json&)>& edit) const {
    json tokenizer = json::parse(ReadFile(model() / "tokenizer.json"));
    edit(tokenizer);
    WriteFile(model() / "tokenizer.json", tokenizer.dump());
  }

  // Changes the safetensors header and keeps the data.
  void EditTensors(const std::function<void(json&)>& edit) const {
    const fs::path path = model() / "model.safetensors";
    const std::string file = ReadFile(path);
    uint64_t size = 0;
    std::memcpy(&size, file.data(), sizeof(size));
    json header = json::parse(file.substr(sizeof(size), size));
    edit(header);
    const std::string text = header.dump();
    const uint64_t new_size = text.size();
    std::string edited(sizeof(new_size), '\0');
    std::memcpy(edited.data(), &new_size, sizeof(new_size));
    WriteFile(path, edited + text + file.substr(sizeof(size) + size));
  }

  // A C++ compiler that works, except that it runs `script` instead of compiling a model.
  CaratOptions WithCompiler(const std::string& script) const {
    const fs::path path = folder_ / "c++";
    WriteFile(path,
              "#!/bin/sh\ncase \"$*\" in *-O3*) " + script + ";; *) exec g++ \"$@\";; esac\n");
    fs::permissions(path, fs::perms::owner_all);
    return {.environment = {{"CXX", path.string()}}};
  }

  const TemporaryFolder folder_;
};

TEST_F(Compile, RefusesWhatIsNoModelFolder) {
  fs::remove(model() / "config.json");
  ExpectRefused(Run(), "config.json");
  EXPECT_EQ(RunCarat({"compile", (folder_ / "nowhere").string()}).exit_code, 1);
}

TEST_F(Compile, RefusesBrokenJson) {
  for (const std::string text : {"", "{", "[]", "{\"architectures\": 3}", "\xff\xfe"}) {
    WriteFile(model() / "config.json", text);
    ExpectRefused(Run(), "config.json");
  }
}

TEST_F(Compile, RefusesAnUnknownArchitecture) {
  EditConfig([](json& config) { config["architectures"] = {"LlamaForCausalLM"}; });
  ExpectRefused(Run(), "LlamaForCausalLM");
}

TEST_F(Compile, NamesTheFieldOfTheWrongType) {
  EditConfig([](json& config) { config["hidden_size"] = "abc"; });
  ExpectRefused(Run(), "hidden_size");
  EditConfig([](json& config) { config["hidden_size"] = -128; });
  ExpectRefused(Run(), "hidden_size");
}

TEST_F(Compile, NamesTheTensorWhoseShapeIsNotTheConfigs) {
  EditConfig([](json& config) { config["intermediate_size"] = 480; });
  ExpectRefused(Run(), "mlp.");
}

TEST_F(Compile, NamesTheMissingTensor) {
  EditTensors([](json& header) {
    const std::string name = "model.layers.3.self_attn.q_norm.weight";
    header["spare"] = header[name];
    header.erase(name);
  });
  ExpectRefused(Run(), "layers.3.self_attn.q_norm");
}

TEST_F(Compile, RefusesTensorsThatReachBeyondTheFile) {
  EditTensors([](json& header) {
    header["model.norm.weight"]["data_offsets"] = {uint64_t{1} << 60, (uint64_t{1} << 60) + 256};
  });
  ExpectRefused(Run(), "model.norm.weight");
}

TEST_F(Compile, RefusesTensorsThatOverlap) {
  EditTensors([](json& header) {
    header["model.norm.weight"]["data_offsets"] =
        header["model.layers.0.input_layernorm.weight"]["data_offsets"];
  });
  ExpectRefused(Run(), "model.safetensors");
}

TEST_F(Compile, RefusesATypeItCannotRead) {
  EditTensors([](json& header) { header["model.norm.weight"]["dtype"] = "I64"; });
  ExpectRefused(Run(), "model.norm.weight");
}

TEST_F(Compile, RefusesATruncatedCheckpoint) {
  const fs::path weights = model() / "model.safetensors";
  const uintmax_t size = fs::file_size(weights);
  for (const uintmax_t length : {size - 1, size / 2, uintmax_t{100}, uintmax_t{7}, uintmax_t{0}}) {
    fs::resize_file(weights, length);
    ExpectRefused(Run(), "model.safetensors");
  }
}

TEST_F(Compile, RefusesAHeaderLongerThanTheFile) {
  std::string file = ReadFile(model() / "model.safetensors");
  file.replace(0, 8, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
  WriteFile(model() / "model.safetensors", file);
  ExpectRefused(Run(), "model.safetensors");
}

TEST_F(Compile, NamesTheMissingShard) {
  fs::remove(model() / "model.safetensors");
  WriteFile(model() / "model.safetensors.index.json",
            R"({"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}})");
  ExpectRefused(Run(), "model-00001-of-00002.safetensors");
}

TEST_F(Compile, NamesTheTensorThatBlocksOf32CannotHoldAndAFormatThatCan) {
  EditConfig([](json& config) {
    config["num_attention_heads"] = 2;
    config["head_dim"] = 24;
  });
  EditTensors([](json& header) {
    for (auto& [name, tensor] : header.items()) {
      if (name.ends_with("o_proj.weight")) tensor["shape"] = {128, 48};
    }
  });
  const CaratResult result = Run();
  ExpectRefused(result, "o_proj");
  EXPECT_THAT(result.errors, HasSubstr("q0f16"));
}

TEST_F(Compile, RefusesUnknownNamesAndListsTheKnownOnes) {
  ExpectRefused(Run({"--quantization", "q3"}), "q4_0");
  ExpectRefused(Run({"--target", "z80"}), "x86-64-v3");
  ExpectRefused(Run({"--device", "toaster"}), "cpu");
  ExpectRefused(Run({"--opt", "O9"}), "O3");
  ExpectRefused(Run({"--overrides", "no_such_field=1"}), "no_such_field");
}

TEST_F(Compile, RefusesATokenizerOfAnotherModel) {
  EditTokenizer([](json& tokenizer) { tokenizer["model"]["vocab"]["<one too many>"] = 4'000'000; });
  ExpectRefused(Run(), "tokenizer.json");
}

TEST_F(Compile, RefusesATokenizerItCannotRead) {
  WriteFile(model() / "tokenizer.json", "{}");
  ExpectRefused(Run(), "tokenizer.json");
}

TEST_F(Compile, RefusesABrokenChatTemplate) {
  WriteFile(model() / "chat_template.jinja", "{% for message in %}");
  ExpectRefused(Run(), "chat_template.jinja");
}

TEST_F(Compile, RefusesADumpIntoTheOutputFolder) {
  ExpectRefused(Run({"--debug-dump", (output() / "dump").string()}), "--debug-dump");
}

TEST_F(Compile, PromisesNoChatWithoutATokenizer) {
  fs::remove(model() / "tokenizer.json");
  const CaratResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Next: carat bench"));
}

TEST_F(Compile, LeavesAFolderThatIsNotItsOwnAlone) {
  fs::create_directory(output());
  WriteFile(output() / "thesis.txt", "years of work");
  EXPECT_EQ(Run().exit_code, 1);
  EXPECT_EQ(ReadFile(output() / "thesis.txt"), "years of work");
  EXPECT_EQ(NamesIn(output_parent()).size(), 1);
}

TEST_F(Compile, SaysWhereItCannotWrite) {
  const auto result = RunCarat({"compile", model().string(), "-o", "/proc/carat/dist"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("/proc/carat"));
}

TEST_F(Compile, AFullDiskLeavesNothingBehind) {
  ExpectRefused(Run({}, {.max_file_bytes = 100'000}), "weights.bin");
}

TEST_F(Compile, ExplainsAMissingCompiler) {
  ExpectRefused(Run({}, {.environment = {{"PATH", "/nonexistent"}, {"CXX", ""}}}),
                "apt-get install g++");
}

TEST_F(Compile, ShowsWhatTheCompilerSaid) {
  const auto result = Run({}, WithCompiler("echo 'out of registers' >&2; exit 3"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("out of registers"));
  EXPECT_THAT(NamesIn(output_parent()), IsEmpty());
}

TEST_F(Compile, CtrlCLeavesNothingBehind) {
  const fs::path started = folder_ / "started";
  CaratOptions options = WithCompiler("touch " + started.string() + "; exec sleep 100");
  options.signal = SIGINT;
  options.signal_when = started;
  const auto result = Run({}, options);
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_THAT(NamesIn(output_parent()), IsEmpty());
}

TEST_F(Compile, WhatAKilledCompilationLeftIsRemovedByTheNext) {
  const fs::path started = folder_ / "started";
  CaratOptions options = WithCompiler("touch " + started.string() + "; exec sleep 1");
  options.signal = SIGKILL;
  options.signal_when = started;
  EXPECT_EQ(Run({}, options).exit_code, 128 + SIGKILL);
  EXPECT_FALSE(fs::exists(output()));

  const auto next = Run();
  EXPECT_EQ(next.exit_code, 0) << next.errors;
  EXPECT_THAT(NamesIn(output_parent()), ::testing::ElementsAre("dist"));
}

}  // namespace
}  // namespace carat
