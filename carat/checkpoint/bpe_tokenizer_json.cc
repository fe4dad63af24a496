#include "carat/checkpoint/bpe_tokenizer_json.h"

#include <fmt/format.h>

#include <iterator>

namespace carat::checkpoint {
namespace {

Json Normalizer() {
  return {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSentencePieceSpace}};
}

Json PreTokenizer() {
  return {{"type", "Split"},
          {"pattern", {{"String", " "}}},
          {"behavior", "MergedWithPrevious"},
          {"invert", false}};
}

Json Decoder() {
  const Json spaces = {
      {"type", "Replace"}, {"pattern", {{"String", kSentencePieceSpace}}}, {"content", " "}};
  return {{"type", "Sequence"},
          {"decoders", Json::array({spaces, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}})}};
}

std::string JsonText(std::string_view text) { return Json(text).dump(); }

}  // namespace

void BpeTokenizerJson::AddToken(size_t id, std::string_view text) {
  fmt::format_to(std::back_inserter(vocabulary_), "{}{}:{}", vocabulary_.empty() ? "" : ",\n",
                 JsonText(text), id);
}

void BpeTokenizerJson::AddMerge(std::string_view left, std::string_view right) {
  fmt::format_to(std::back_inserter(merges_), "{}[{},{}]", merges_.empty() ? "" : ",\n",
                 JsonText(left), JsonText(right));
}

void BpeTokenizerJson::AddWholeToken(size_t id, std::string_view text, bool is_special) {
  added_tokens_.push_back({{"id", id},
                           {"content", text},
                           {"single_word", false},
                           {"lstrip", false},
                           {"rstrip", false},
                           {"normalized", false},
                           {"special", is_special}});
}

void BpeTokenizerJson::SetBos(size_t id, std::string_view text) {
  const std::string bos(text);
  const auto special = [&](int type) {
    return Json{{"SpecialToken", {{"id", bos}, {"type_id", type}}}};
  };
  const auto sequence = [](const char* name, int type) {
    return Json{{"Sequence", {{"id", name}, {"type_id", type}}}};
  };
  post_processor_ = {
      {"type", "TemplateProcessing"},
      {"single", Json::array({special(0), sequence("A", 0)})},
      {"pair", Json::array({special(0), sequence("A", 0), special(1), sequence("B", 1)})},
      {"special_tokens", {{bos, {{"id", bos}, {"ids", {id}}, {"tokens", {bos}}}}}}};
}

void BpeTokenizerJson::SetUnknown(std::string_view text) { unknown_ = text; }

std::string BpeTokenizerJson::Text() const {
  return fmt::format(
      R"({{"version": "1.0", "truncation": null, "padding": null, "added_tokens": {}, )"
      R"("normalizer": {}, "pre_tokenizer": {}, "post_processor": {}, "decoder": {}, )"
      R"("model": {{"type": "BPE", "dropout": null, "unk_token": {}, )"
      R"("continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true, )"
      "\"byte_fallback\": true, \"ignore_merges\": false,\n"
      "\"vocab\": {{{}}},\n\"merges\": [{}]}}}}\n",
      added_tokens_.dump(), Normalizer().dump(), PreTokenizer().dump(), post_processor_.dump(),
      Decoder().dump(), unknown_.dump(), vocabulary_, merges_);
}

}  // namespace carat::checkpoint
