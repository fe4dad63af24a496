#include "carat/checkpoint/gguf_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "carat/base/file.h"
#include "tests/base/expect_error.h"
#include "tests/checkpoint/gguf_bytes.h"
#include "tests/support/temporary_folder.h"

namespace carat::checkpoint {
namespace {

using quantization::GgmlType;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const std::vector<GgufTensorSpec> kTensors = {{"norm", GgmlType::kF32, {2}},
                                              {"empty", GgmlType::kF16, {0, 4}},
                                              {"matrix", GgmlType::kQ4_0, {2, 32}}};

TEST(GgufWriter, WritesWhatTheParserReads) {
  const tests::TemporaryFolder folder;
  GgufMetadata metadata;
  metadata.AddString("general.architecture", "gemma3");
  metadata.AddUint32("gemma3.block_count", 18);
  metadata.AddFloat32("gemma3.rope.freq_base", 1e6F);
  metadata.AddBool("yes", true);
  metadata.AddStrings("strings", std::vector<std::string>{"a", "", "bc"});
  metadata.AddFloat32s("floats", std::vector<float>{0.5F});
  metadata.AddInt32s("ints", std::vector<int32_t>{-1, 2});
  GgufWriter writer(folder / "model.gguf", metadata, kTensors);
  const std::string norm = "12345678";
  const std::string matrix = std::string(18, 'a') + std::string(18, 'b');
  writer.Write(Bytes(norm.substr(0, 3)));
  writer.Write(Bytes(norm.substr(3) + matrix.substr(0, 5)));
  writer.Write(Bytes(matrix.substr(5)));
  writer.Close();

  const MappedFile file(folder / "model.gguf");
  const Gguf gguf = Gguf::Parse(file.bytes(), "model.gguf");
  EXPECT_EQ(gguf.String("general.architecture"), "gemma3");
  EXPECT_EQ(gguf.Int("gemma3.block_count"), 18);
  EXPECT_EQ(gguf.Float("gemma3.rope.freq_base"), 1e6);
  EXPECT_TRUE(gguf.Bool("yes"));
  EXPECT_EQ(gguf.Strings("strings"), (std::vector<std::string_view>{"a", "", "bc"}));
  EXPECT_EQ(gguf.Floats("floats"), std::vector<double>{0.5});
  EXPECT_EQ(gguf.Ints("ints"), (std::vector<int64_t>{-1, 2}));
  ASSERT_EQ(gguf.tensors().size(), 3u);
  EXPECT_EQ(AsText(gguf.FindTensor("norm")->bytes), norm);
  EXPECT_EQ(AsText(gguf.FindTensor("matrix")->bytes), matrix);
  EXPECT_EQ(gguf.FindTensor("matrix")->shape, (std::vector<int64_t>{2, 32}));
  EXPECT_EQ(gguf.FindTensor("matrix")->type, GgmlType::kQ4_0);
}

// ggml demands offsets that follow each other at the alignment, and padding after the last one.
TEST(GgufWriter, LaysTensorsOutAsGgmlDemands) {
  const tests::TemporaryFolder folder;
  GgufWriter writer(folder / "model.gguf", {}, kTensors);
  writer.Write(Bytes(std::string(8 + 36, 'x')));
  writer.Close();
  const std::string expected = GgufBytes()
                                   .Tensor("norm", {2}, 0, 0)
                                   .Tensor("empty", {4, 0}, 1, 32)
                                   .Tensor("matrix", {32, 2}, 2, 32)
                                   .Build(std::string(8, 'x') + std::string(24, '\0') +
                                          std::string(36, 'x') + std::string(28, '\0'));
  EXPECT_EQ(ReadTextFile(folder / "model.gguf"), expected);
}

TEST(GgufWriter, RefusesDataOfAnotherLengthThanAnnounced) {
  const tests::TemporaryFolder folder;
  {
    GgufWriter writer(folder / "short.gguf", {}, kTensors);
    writer.Write(Bytes(std::string(43, 'x')));
    EXPECT_ERROR(writer.Close(), "short.gguf: the data of 2 tensors was written", "announces 3");
  }
  GgufWriter writer(folder / "long.gguf", {}, kTensors);
  EXPECT_ERROR(writer.Write(Bytes(std::string(45, 'x'))), "long.gguf: 1 more bytes");
}

}  // namespace
}  // namespace carat::checkpoint
