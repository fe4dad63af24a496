#include "carat/compiler/overrides.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace carat::compiler {
namespace {

constexpr std::string_view kForm =
    "expected \"key=value;key=value\", for example "
    "\"context_window_size=4096;prefill_chunk_size=256\"";

std::vector<std::pair<std::string, std::string>> Split(const std::string& list) {
  std::vector<std::pair<std::string, std::string>> entries;
  std::istringstream stream(list);
  for (std::string entry; std::getline(stream, entry, ';');) {
    if (entry.empty()) continue;
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == entry.size()) {
      throw Error("--overrides: '{}' is not key=value; {}", entry, kForm);
    }
    entries.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return entries;
}

// A number, true, false, null, a JSON list or object; anything else is a string.
Json ParseValue(const std::string& key, const std::string& text) {
  const std::string where = "--overrides: " + key;
  if (Json::accept(text)) return ParseJson(text, where);
  try {
    return ParseJson(Json(text).dump(), where);
  } catch (const Json::type_error&) {
    throw Error("{}: its value is not UTF-8", where);
  }
}

int64_t PositiveInt(const std::string& key, const Json& value) {
  if (!value.is_number_integer() || value.get<int64_t>() <= 0) {
    throw Error("--overrides: {} is {}, expected a positive integer", key, value.dump());
  }
  return value.get<int64_t>();
}

// The object that describes the language model: text_config of a multimodal model, else the top.
Json& TextConfig(Json& config) {
  const auto text_config = config.find("text_config");
  return text_config != config.end() && text_config->is_object() ? *text_config : config;
}

// The object of config.json that has the field.
Json* HolderOf(Json& config, const std::string& key) {
  if (Json& text = TextConfig(config); text.contains(key)) return &text;
  return config.contains(key) ? &config : nullptr;
}

}  // namespace

void ApplyOverrides(CompileOptions& options, Json& config) {
  if (!config.is_object()) throw Error("config.json: is no JSON object");
  for (const auto& [key, text] : Split(options.overrides)) {
    const Json value = ParseValue(key, text);
    if (key == "context_window_size") {
      options.context_window_size = PositiveInt(key, value);
    } else if (key == "sliding_window_size") {
      options.sliding_window_size = PositiveInt(key, value);
    } else if (key == "prefill_chunk_size") {
      options.prefill_chunk_size = PositiveInt(key, value);
    } else if (key == "max_batch_size") {
      options.max_batch_size = PositiveInt(key, value);
    } else if (key == "tensor_parallel_shards" || key == "pipeline_parallel_stages") {
      if (value != 1) throw Error("--overrides: {} is {}; Carat runs on one device", key, text);
    } else if (Json* holder = HolderOf(config, key)) {
      (*holder)[key] = value;
    } else {
      throw Error(
          "--overrides: '{}' is neither a compile option (context_window_size, "
          "sliding_window_size, "
          "prefill_chunk_size, max_batch_size) nor a field of config.json",
          key);
    }
  }
  if (options.sliding_window_size) {
    // A config may leave the field to its default.
    TextConfig(config)["sliding_window"] = *options.sliding_window_size;
  }
}

}  // namespace carat::compiler
