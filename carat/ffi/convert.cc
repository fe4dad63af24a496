// Models in other formats. Options are those of the commands, in snake_case.
//
// carat.convert_weight(options: {config, quantization, output, source}, progress, warn)
// carat.gen_config(options: {config, quantization, output, model_type, conv_template,
//     context_window_size, sliding_window_size, prefill_chunk_size, max_batch_size}, warn) -> str,
//     the path of mlc-chat-config.json
// carat.export(options: {model, format, output, quantization, embedding_quantization}, progress)
//
// warn(message: str) is called for what is no error: a library that has become out of date.

#include <tvm/ffi/reflection/registry.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "carat/compiler/export_model.h"
#include "carat/compiler/mlc_folder.h"
#include "carat/ffi/errors.h"
#include "carat/ffi/host_signals.h"
#include "carat/ffi/options.h"
#include "carat/ffi/progress.h"

namespace carat::ffi {
namespace {

compiler::MlcFolderOptions TakeMlcFolderOptions(Options& options, const tvm::ffi::Function& warn) {
  compiler::MlcFolderOptions folder;
  options.Take("config", folder.config);
  options.Take("quantization", folder.quantization);
  options.Take("output", folder.output);
  folder.warn = [warn](const std::string& message) { warn(message); };
  return folder;
}

void ConvertWeight(OptionMap map, HostProgress progress, tvm::ffi::Function warn) {
  Options options(std::move(map));
  const compiler::MlcFolderOptions folder = TakeMlcFolderOptions(options, warn);
  std::optional<std::filesystem::path> source;
  options.Take("source", source);
  options.Finish();
  Interruptibly(
      [&] { compiler::ConvertWeight(folder, source, OneStep(progress, "converting weights")); });
}

std::string GenConfig(OptionMap map, tvm::ffi::Function warn) {
  Options options(std::move(map));
  const compiler::MlcFolderOptions folder = TakeMlcFolderOptions(options, warn);
  model::MlcChatOptions chat;
  options.Take("model_type", chat.model_type);
  options.Take("conv_template", chat.conv_template);
  options.Take("context_window_size", chat.context_window_size);
  options.Take("sliding_window_size", chat.sliding_window_size);
  options.Take("prefill_chunk_size", chat.prefill_chunk_size);
  options.Take("max_batch_size", chat.max_batch_size);
  options.Finish();
  return compiler::GenConfig(folder, chat).string();
}

void ExportModel(OptionMap map, HostProgress progress) {
  compiler::ExportOptions result;
  Options options(std::move(map));
  options.Take("model", result.model);
  options.Take("format", result.format);
  options.Take("output", result.output);
  options.Take("quantization", result.quantization);
  options.Take("embedding_quantization", result.embedding_quantization);
  options.Finish();
  Interruptibly([&] { compiler::ExportModel(result, OneStep(progress, "exporting weights")); });
}

}  // namespace

TVM_FFI_STATIC_INIT_BLOCK() {
  tvm::ffi::reflection::GlobalDef()
      .def("carat.convert_weight", Exported(ConvertWeight))
      .def("carat.gen_config", Exported(GenConfig))
      .def("carat.export", Exported(ExportModel));
}

}  // namespace carat::ffi
