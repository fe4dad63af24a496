// JSON as others wrote it: parsed with limits, and read through typed getters whose errors name the
// file and the field.
//
//     const Json json = ParseJsonFile(path);
//     const JsonObject config(json, "config.json");
//     const int64_t hidden_size = config.PositiveInt("hidden_size");
//
// throws  config.json: field 'hidden_size' is "abc" (string), expected a positive integer
//
// A field that is null counts as absent, as it does in transformers.

#ifndef CARAT_BASE_JSON_H_
#define CARAT_BASE_JSON_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/error.h"

namespace carat {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 64;

// Parses `text`; `where` names it in errors. Nesting deeper than kMaxJsonDepth, a key given twice
// in one object and bytes that are not UTF-8 are refused.
Json ParseJson(std::string_view text, std::string_view where);

// The same for a file, which errors name by its file name.
Json ParseJsonFile(const std::filesystem::path& path);

// A view of one JSON object; the Json must outlive it.
class JsonObject {
 public:
  JsonObject(const Json& json, std::string file);
  JsonObject(Json&&, std::string) = delete;

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  const Json* Find(std::string_view name) const;  // nullptr if absent or null

  int64_t Int(std::string_view name) const;
  int64_t PositiveInt(std::string_view name) const;
  double Float(std::string_view name) const;
  double PositiveFloat(std::string_view name) const;
  bool Bool(std::string_view name) const;
  std::string String(std::string_view name) const;
  std::vector<std::string> Strings(std::string_view name) const;
  std::vector<int64_t> Ints(std::string_view name) const;  // a list, or one integer
  JsonObject Object(std::string_view name) const;

  std::optional<int64_t> OptionalInt(std::string_view name) const;
  std::optional<int64_t> OptionalPositiveInt(std::string_view name) const;
  std::optional<double> OptionalFloat(std::string_view name) const;
  std::optional<double> OptionalPositiveFloat(std::string_view name) const;
  std::optional<bool> OptionalBool(std::string_view name) const;
  std::optional<std::string> OptionalString(std::string_view name) const;
  std::optional<JsonObject> OptionalObject(std::string_view name) const;

  const Json& json() const { return *json_; }
  const std::string& file() const { return file_; }

  // "config.json: field 'text_config.head_dim'", to begin a message with.
  std::string Where(std::string_view name) const;

  // "config.json: field 'head_dim' is 7, expected <expected>".
  Error Wrong(std::string_view name, std::string_view expected) const;

 private:
  const Json& Required(std::string_view name) const;

  const Json* json_;
  std::string file_;
  std::string prefix_;  // "text_config.", for an object inside an object
};

}  // namespace carat

#endif  // CARAT_BASE_JSON_H_
