#include "carat/base/json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "carat/base/file.h"

namespace carat {
namespace {

constexpr size_t kMaxQuotedBytes = 60;

// "[json.exception.parse_error.101] parse error at line 1, ..." without the bracket.
std::string_view WithoutTag(std::string_view what) {
  const size_t end = what.find("] ");
  return what.starts_with('[') && end != std::string_view::npos ? what.substr(end + 2) : what;
}

// Refuses what nlohmann::json would take: nesting without bound, and keys given twice, of which it
// keeps the last. A pass of its own over the text, since the library's parse with a callback takes
// time that is quadratic in the length of a list of objects.
class StrictnessCheck : public nlohmann::json_sax<Json> {
 public:
  explicit StrictnessCheck(std::string_view where) : where_(where) {}

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(size_t /*size*/) override { return Enter(); }
  bool start_array(size_t /*size*/) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }

  bool key(string_t& key) override {
    if (keys_.back().insert(key).second) return true;
    throw Error("{}: key '{}' is given twice in one object", where_, key);
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const Json::exception& error) override {
    throw Error("{}: is not JSON: {}", where_, WithoutTag(error.what()));
  }

 private:
  bool Enter() {
    keys_.emplace_back();
    if (keys_.size() <= kMaxJsonDepth) return true;
    throw Error("{}: is nested more than {} levels deep", where_, kMaxJsonDepth);
  }

  bool Leave() {
    keys_.pop_back();
    return true;
  }

  std::string_view where_;
  std::vector<std::unordered_set<std::string>> keys_;  // of the objects and lists around
};

// A value as it stands in the file, cut where it is long, with its type.
std::string Describe(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMaxQuotedBytes) text = text.substr(0, kMaxQuotedBytes) + "...";
  return value.is_string() ? text + " (string)" : text;
}

// The value as int64, or nothing if it is not an integer that fits.
std::optional<int64_t> AsInt(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  return std::nullopt;
}

}  // namespace

Json ParseJson(std::string_view text, std::string_view where) {
  StrictnessCheck check(where);
  Json::sax_parse(text, &check);
  return Json::parse(text);
}

Json ParseJsonFile(const std::filesystem::path& path) {
  return ParseJson(ReadTextFile(path), path.filename().string());
}

JsonObject::JsonObject(const Json& json, std::string file) : json_(&json), file_(std::move(file)) {
  if (!json.is_object()) throw Error("{}: is {}, expected an object", file_, Describe(json));
}

const Json* JsonObject::Find(std::string_view name) const {
  const auto field = json_->find(name);
  return field == json_->end() || field->is_null() ? nullptr : &*field;
}

const Json& JsonObject::Required(std::string_view name) const {
  const Json* value = Find(name);
  if (value == nullptr) throw Error("{} is missing", Where(name));
  return *value;
}

std::string JsonObject::Where(std::string_view name) const {
  return fmt::format("{}: field '{}{}'", file_, prefix_, name);
}

Error JsonObject::Wrong(std::string_view name, std::string_view expected) const {
  const Json* value = Find(name);
  return Error("{} is {}, expected {}", Where(name),
               value == nullptr ? "missing" : Describe(*value), expected);
}

int64_t JsonObject::Int(std::string_view name) const {
  const std::optional<int64_t> number = AsInt(Required(name));
  if (!number) throw Wrong(name, "an integer");
  return *number;
}

int64_t JsonObject::PositiveInt(std::string_view name) const {
  const std::optional<int64_t> number = AsInt(Required(name));
  if (!number || *number <= 0) throw Wrong(name, "a positive integer");
  return *number;
}

double JsonObject::Float(std::string_view name) const {
  if (!Required(name).is_number()) throw Wrong(name, "a number");
  return Required(name).get<double>();
}

double JsonObject::PositiveFloat(std::string_view name) const {
  if (!Required(name).is_number() || !(Float(name) > 0)) throw Wrong(name, "a positive number");
  // Models compute in f32.
  if (!std::isnormal(static_cast<float>(Float(name)))) {
    throw Wrong(name, "a positive number between 1.2e-38 and 3.4e38");
  }
  return Float(name);
}

bool JsonObject::Bool(std::string_view name) const {
  if (!Required(name).is_boolean()) throw Wrong(name, "true or false");
  return Required(name).get<bool>();
}

std::string JsonObject::String(std::string_view name) const {
  if (!Required(name).is_string()) throw Wrong(name, "a string");
  return Required(name).get<std::string>();
}

std::vector<std::string> JsonObject::Strings(std::string_view name) const {
  const Json& list = Required(name);
  std::vector<std::string> strings;
  for (const Json& value : list) {
    if (!list.is_array() || !value.is_string()) throw Wrong(name, "a list of strings");
    strings.push_back(value.get<std::string>());
  }
  return strings;
}

std::vector<int64_t> JsonObject::Ints(std::string_view name) const {
  const Json& list = Required(name);
  if (!list.is_array()) return {Int(name)};
  std::vector<int64_t> numbers;
  for (const Json& value : list) {
    const std::optional<int64_t> number = AsInt(value);
    if (!number) throw Error("{} holds {}, expected integers", Where(name), Describe(value));
    numbers.push_back(*number);
  }
  return numbers;
}

JsonObject JsonObject::Object(std::string_view name) const {
  if (!Required(name).is_object()) throw Wrong(name, "an object");
  JsonObject object(Required(name), file_);
  object.prefix_ = fmt::format("{}{}.", prefix_, name);
  return object;
}

std::optional<int64_t> JsonObject::OptionalInt(std::string_view name) const {
  return Has(name) ? std::optional(Int(name)) : std::nullopt;
}

std::optional<int64_t> JsonObject::OptionalPositiveInt(std::string_view name) const {
  return Has(name) ? std::optional(PositiveInt(name)) : std::nullopt;
}

std::optional<double> JsonObject::OptionalFloat(std::string_view name) const {
  return Has(name) ? std::optional(Float(name)) : std::nullopt;
}

std::optional<double> JsonObject::OptionalPositiveFloat(std::string_view name) const {
  return Has(name) ? std::optional(PositiveFloat(name)) : std::nullopt;
}

std::optional<bool> JsonObject::OptionalBool(std::string_view name) const {
  return Has(name) ? std::optional(Bool(name)) : std::nullopt;
}

std::optional<std::string> JsonObject::OptionalString(std::string_view name) const {
  return Has(name) ? std::optional(String(name)) : std::nullopt;
}

std::optional<JsonObject> JsonObject::OptionalObject(std::string_view name) const {
  return Has(name) ? std::optional(Object(name)) : std::nullopt;
}

}  // namespace carat
