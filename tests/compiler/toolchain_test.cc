#include "carat/compiler/toolchain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "carat/base/error.h"
#include "carat/compiler/subprocess.h"
#include "tests/support/temporary_folder.h"

namespace carat::compiler {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

// Sets an environment variable as long as it lives.
class ScopedEnvironment {
 public:
  ScopedEnvironment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ~ScopedEnvironment() {
    if (old_) {
      setenv(name_, old_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  ScopedEnvironment(const ScopedEnvironment&) = delete;
  ScopedEnvironment& operator=(const ScopedEnvironment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> old_;
};

void WriteScript(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << "#!/bin/sh\n" << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

TEST(ToolchainTest, CxxComesFirst) {
  const tests::TemporaryFolder folder;
  WriteScript(folder / "mine",
              "if [ \"$1\" = --version ]; then echo mine 1.0; else exec g++ \"$@\"; fi\n");
  const ScopedEnvironment cxx("CXX", (folder / "mine").string());
  const Toolchain toolchain = FindToolchain();
  EXPECT_EQ(toolchain.command.front(), (folder / "mine").string());
  EXPECT_EQ(toolchain.version, "mine 1.0");
}

TEST(ToolchainTest, AnExplicitCxxThatCannotCompileIsRefused) {
  const tests::TemporaryFolder folder;
  WriteScript(folder / "old", "if [ \"$1\" = --version ]; then echo old; else exit 1; fi\n");
  const ScopedEnvironment cxx("CXX", (folder / "old").string());
  EXPECT_THAT([] { FindToolchain(); }, ThrowsMessage<Error>(HasSubstr("CXX is '")));
}

TEST(ToolchainTest, ACompilerThatMakesNothingIsRefused) {
  const ScopedEnvironment cxx("CXX", "true");
  EXPECT_THAT([] { FindToolchain(); }, ThrowsMessage<Error>(HasSubstr("without a result")));
}

TEST(ToolchainTest, ATemporaryFolderThatIsNotThereIsNamed) {
  const ScopedEnvironment tmpdir("TMPDIR", "/proc/none");
  EXPECT_THAT([] { FindToolchain(); }, ThrowsMessage<Error>(HasSubstr("TMPDIR is '/proc/none'")));
}

TEST(ToolchainTest, NoCompilerIsAnErrorThatSaysHowToGetOne) {
  const tests::TemporaryFolder empty;
  const ScopedEnvironment path("PATH", empty.path().string());
  const ScopedEnvironment cxx("CXX", "");
  EXPECT_THAT([] { FindToolchain(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("apt-get install g++"), HasSubstr("ziglang"),
                                         HasSubstr("clang++: not found"))));
}

TEST(ToolchainTest, ZigOfTheHostsPythonComesBeforeThatOfPython3) {
  const tests::TemporaryFolder folder;
  WriteScript(
      folder / "my python",
      "[ \"$1 $2 $3\" = '-m ziglang c++' ] && shift 3 || exit 1\n"
      "if [ \"$1\" = --version ]; then echo zig 1.0; else PATH=$REAL_PATH g++ \"$@\"; fi\n");
  const ScopedEnvironment real_path("REAL_PATH", std::getenv("PATH"));
  const ScopedEnvironment path("PATH", folder.path().string());
  const ScopedEnvironment cxx("CXX", "");
  const std::string python = (folder / "my python").string();
  const ScopedEnvironment host("CARAT_PYTHON", python);
  EXPECT_THAT(FindToolchain().command, ElementsAre(python, "-m", "ziglang", "c++"));
}

TEST(ToolchainTest, ZigIsKnownByItsName) {
  EXPECT_TRUE((Toolchain{{"/opt/zig-0.15/zig", "c++"}, ""}.IsZig()));
  EXPECT_TRUE((Toolchain{{"python3", "-m", "ziglang", "c++"}, ""}.IsZig()));
  EXPECT_FALSE((Toolchain{{"/home/zig/bin/g++"}, ""}.IsZig()));
}

TEST(ToolchainTest, WithoutACompilerTheHostsPythonIsToldToInstallOne) {
  const tests::TemporaryFolder empty;
  const ScopedEnvironment path("PATH", empty.path().string());
  const ScopedEnvironment cxx("CXX", "");
  const ScopedEnvironment host("CARAT_PYTHON", "/opt/env/bin/python");
  EXPECT_THAT(
      [] { FindToolchain(); },
      ThrowsMessage<Error>(AllOf(HasSubstr("python3 -m ziglang c++: not found"),
                                 HasSubstr("'/opt/env/bin/python -m pip install ziglang'"))));
}

TEST(ToolchainTest, AFailedCompilationShowsTheCompilersWords) {
  const tests::TemporaryFolder folder;
  std::ofstream(folder / "wrong.cc") << "int f() { return nowhere; }\n";
  EXPECT_THAT(
      [&] {
        CompileSharedLibrary(FindToolchain(), {.source = folder / "wrong.cc",
                                               .output = folder / "wrong.so",
                                               .include_directory = folder.path(),
                                               .target_name = "generic",
                                               .target_flags = "",
                                               .tvm_ffi_library = "-lm"});
      },
      ThrowsMessage<Error>(
          AllOf(HasSubstr("nowhere"), HasSubstr("--target generic"), Not(HasSubstr("\n")))));
}

TEST(SubprocessTest, OutputAndExitCodeComeBack) {
  const ProcessResult result = RunProcess({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(SubprocessTest, AProgramThatIsNotThereGives127) {
  EXPECT_EQ(RunProcess({"carat-no-such-program"}).exit_code, 127);
}

TEST(SubprocessTest, DeathByASignalIsReported) {
  EXPECT_EQ(RunProcess({"sh", "-c", "kill -9 $$"}).exit_code, 128 + 9);
}

}  // namespace
}  // namespace carat::compiler
