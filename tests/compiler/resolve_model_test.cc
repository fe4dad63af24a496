// That a model is compiled into the cache, and once, is the business of tests/cli/generate_test.cc
// and tests/python/resolve_test.py, which have the time.

#include "carat/compiler/resolve_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "carat/base/error.h"
#include "carat/compiler/model_cache.h"
#include "tests/runtime/fake_model.h"
#include "tests/support/temporary_folder.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const fs::path kDemo = fs::path(CARAT_SOURCE_DIR) / "models" / "demo";

TEST(ResolveModel, ACompiledFolderIsItself) {
  const tests::FakeModelFolder folder;
  EXPECT_EQ(ResolveModel(folder.path()), folder.path());
  EXPECT_EQ(ResolveModel(folder.path() / library::kLibraryFile), folder.path());
  EXPECT_EQ(ResolveModel(folder.path(), folder.config().metadata.quantization), folder.path());
}

TEST(ResolveModel, ACompiledFolderHasOneQuantization) {
  const tests::FakeModelFolder folder;
  EXPECT_THAT([&] { ResolveModel(folder.path(), "q8_0"); },
              ThrowsMessage<Error>(HasSubstr(", not with q8_0; leave --quantization out")));
}

TEST(ResolveModel, RefusesWhatIsNoModel) {
  const tests::TemporaryFolder folder;
  EXPECT_THAT([&] { ResolveModel(folder.path()); },
              ThrowsMessage<Error>(HasSubstr(folder.path().string())));
}

TEST(ResolveModel, TextNeedsATokenizer) {
  const tests::FakeModelFolder compiled;
  EXPECT_THAT([&] { ResolveTextModel(compiled.path()); },
              ThrowsMessage<Error>(HasSubstr("has no tokenizer.json")));
  std::ofstream(compiled.path() / "tokenizer.json") << "{}";
  EXPECT_EQ(ResolveTextModel(compiled.path()), compiled.path());

  const tests::TemporaryFolder model;
  for (const char* name : {"config.json", "model.safetensors"}) {
    fs::copy(kDemo / name, model / name);
  }
  const auto progress = [](std::string_view, double) { FAIL() << "compiles"; };
  EXPECT_THAT([&] { ResolveTextModel(model.path(), progress); },
              ThrowsMessage<Error>(HasSubstr("has no tokenizer.json")));
}

TEST(ModelCache, NeedsAPlace) {
  for (const char* name : {"XDG_CACHE_HOME", "HOME"}) unsetenv(name);
  EXPECT_THAT([&] { CompiledInCache(*model::ModelSource::Open(kDemo), ""); },
              ThrowsMessage<Error>(HasSubstr("no place to keep the compiled model")));
}

}  // namespace
}  // namespace carat::compiler
