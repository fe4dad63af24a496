// Any text is a carat-config.json that survives being written and read again and whose weights lie
// inside their file, or an Error. It is taken for one of this version of Carat: what another
// version wrote is refused before anything else is read.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/library/dist_folder.h"
#include "carat/library/metadata.h"

namespace {

using carat::library::LibraryMetadata;

std::string OfThisVersion(std::string_view text) {
  carat::Json json = carat::ParseJson(text, "input");
  if (json.is_object() && json.contains("metadata") && json["metadata"].is_object()) {
    json["metadata"]["carat_version"] = CARAT_VERSION;
  }
  return json.dump();
}

void Load(std::string_view text) {
  const carat::library::DistConfig config =
      carat::library::ParseDistConfig(OfThisVersion(text), "input");
  const LibraryMetadata& metadata = config.metadata;
  const carat::library::DistConfig again =
      carat::library::ParseDistConfig(carat::library::ToJsonText(config), "what was written");
  if (!FirstDifference(metadata, again.metadata).empty()) std::abort();
  for (const carat::library::PackedWeight& packed : metadata.weights) {
    const carat::graph::Weight& weight = packed.weight;
    if (packed.offset + packed.num_bytes > metadata.weights_bytes) std::abort();
    if (weight.rows() * weight.cols() > 2 * packed.num_bytes) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    Load({reinterpret_cast<const char*>(data), size});
  } catch (const carat::Error&) {
  }
  return 0;
}
