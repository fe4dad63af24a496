// Memory that whole runs take, on a checkpoint of Gemma 3 270M's true shapes.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using tests::CaratResult;
using tests::RunCarat;

constexpr int64_t kContext = 8192;

CaratResult MustRun(const std::vector<std::string>& arguments) {
  CaratResult result = RunCarat(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return result;
}

// Of one sequence of kContext tokens.
int64_t KvBytes(const nlohmann::json& inspected) {
  for (const auto& row : inspected.at("kv")) {
    if (row.at("tokens") == kContext) return row.at("bytes");
  }
  return 0;
}

TEST(MemorySlow, StaysWithinThePromisesFor270M) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
  GTEST_SKIP() << "sanitizers take memory of their own";
#endif
  const tests::TemporaryFolder folder;
  const std::string checkpoint = folder / "gemma-3-270m";
  const std::string dist = folder / "dist";
  MustRun({"fixture", "gemma-3-270m", "-o", checkpoint});
  const auto checkpoint_bytes =
      static_cast<int64_t>(fs::file_size(fs::path(checkpoint) / "model.safetensors"));
  EXPECT_LT(MustRun({"compile", checkpoint, "-o", dist}).peak_bytes, checkpoint_bytes);

  const CaratResult decoding =
      MustRun({"bench", dist, "--json", "--repetitions", "1", "--prompt-tokens", "32",
               "--gen-tokens", "32", "--depth", std::to_string(kContext - 64)});
  const auto inspected = nlohmann::json::parse(MustRun({"inspect", dist, "--json"}).output);
  const auto weights_bytes = static_cast<int64_t>(fs::file_size(fs::path(dist) / "weights.bin"));
  EXPECT_LT(static_cast<double>(decoding.peak_bytes),
            1.3 * static_cast<double>(weights_bytes + KvBytes(inspected)));
}

}  // namespace
}  // namespace carat
