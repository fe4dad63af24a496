#include "carat/compiler/resolve_model.h"

#include "carat/base/error.h"
#include "carat/compiler/model_cache.h"
#include "carat/library/dist_folder.h"
#include "carat/model/model_source.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

void CheckQuantization(const fs::path& dist_folder, const std::string& wanted) {
  const std::string compiled_with = library::ReadDistFolder(dist_folder).metadata.quantization;
  if (compiled_with == wanted) return;
  throw Error(
      "{}: compiled with {}, not with {}; leave --quantization out, or give the model it was "
      "compiled from",
      dist_folder.string(), compiled_with, wanted);
}

// A compiled folder may be named by its library.
fs::path WithoutLibraryName(const fs::path& path) {
  if (path.extension() != ".so") return path;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const bool is_its_library =
      library::IsDistFolder(folder) && library::ReadDistConfig(folder).library == path.filename();
  return is_its_library ? folder : path;
}

Error NoTokenizer(const fs::path& model) {
  return Error(
      "{}: has no tokenizer.json, so there is no text; put the one the model was published with "
      "into the folder, or work on token ids: 'carat logits' and 'carat bench' do",
      model.string());
}

}  // namespace

fs::path ResolveModel(const fs::path& path, const std::optional<std::string>& quantization,
                      const CompileProgress& progress) {
  const fs::path model = WithoutLibraryName(path);
  if (library::IsDistFolder(model)) {
    if (quantization) CheckQuantization(model, *quantization);
    return model;
  }
  return CompiledInCache(*model::ModelSource::Open(model), quantization.value_or(""), progress);
}

fs::path ResolveTextModel(const fs::path& path, const CompileProgress& progress) {
  const fs::path model = WithoutLibraryName(path);
  if (!library::IsDistFolder(model)) {
    const auto source = model::ModelSource::Open(model);
    if (!source->HasTokenizer()) throw NoTokenizer(source->path());
  } else if (!fs::exists(model / "tokenizer.json")) {
    throw NoTokenizer(model);
  }
  return ResolveModel(model, {}, progress);
}

}  // namespace carat::compiler
