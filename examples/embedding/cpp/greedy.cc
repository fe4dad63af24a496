// Runs a compiled model with the TVM FFI alone: nothing of Carat is included or linked.
//
//     greedy LIBRARY NUM_TOKENS PROMPT_TOKEN...
//
// prints the ids of the NUM_TOKENS tokens that follow the prompt, each the likeliest one after all
// before it. weights.bin lies beside the library, as `carat compile` leaves them.

#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/json.h>
#include <tvm/ffi/extra/module.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ffi = tvm::ffi;

constexpr size_t kAlignment = 64;  // what forward asks of the weights and the scratch memory

struct AlignedMemory {
  void AllocData(DLTensor* tensor) {
    const size_t num_bytes = ffi::GetDataSize(*tensor);
    tensor->data = std::aligned_alloc(kAlignment, (num_bytes / kAlignment + 1) * kAlignment);
  }
  void FreeData(DLTensor* tensor) { std::free(tensor->data); }
};

ffi::Tensor NewTensor(ffi::Shape shape, DLDataType type) {
  return ffi::Tensor::FromNDAlloc(AlignedMemory(), shape, type, {kDLCPU, 0});
}

ffi::Tensor Bytes(ffi::Shape shape) { return NewTensor(shape, {kDLUInt, 8, 1}); }

ffi::Tensor Ints(const std::vector<int32_t>& values, ffi::Shape shape) {
  ffi::Tensor tensor = NewTensor(shape, {kDLInt, 32, 1});
  std::copy(values.begin(), values.end(), static_cast<int32_t*>(tensor.data_ptr()));
  return tensor;
}

void Run(const std::string& library, int num_tokens, std::vector<int32_t> tokens) {
  const ffi::Module module = ffi::Module::LoadFromFile(library);
  const ffi::Function forward = module->GetFunction("forward").value();
  const auto text = module->GetFunction("metadata").value()().cast<ffi::String>();
  const auto metadata = ffi::json::Parse(text).cast<ffi::Map<ffi::String, ffi::Any>>();
  const auto size = [&](const char* name) { return metadata.at(name).cast<int64_t>(); };

  const ffi::Tensor weights = Bytes({size("weights_bytes")});
  std::ifstream file(std::filesystem::path(library).replace_filename("weights.bin"));
  file.read(static_cast<char*>(weights.data_ptr()), weights.numel());
  if (!file) throw std::runtime_error("weights.bin is missing or too short");
  const int64_t max_tokens = static_cast<int64_t>(tokens.size()) + num_tokens;
  const int64_t num_pages = (max_tokens + size("page_tokens") - 1) / size("page_tokens");
  const ffi::Tensor kv_pages = Bytes({num_pages, size("page_bytes")});
  const ffi::Tensor kv_rings = Bytes({1, size("ring_bytes")});
  const ffi::Tensor scratch = Bytes({size("scratch_shared_bytes") + size("scratch_thread_bytes")});
  std::vector<int32_t> pages(num_pages);
  for (int64_t i = 0; i < num_pages; ++i) pages[i] = static_cast<int32_t>(i);
  const ffi::Tensor page_table = Ints(pages, {1, num_pages});
  const ffi::Tensor logits = NewTensor({1, size("vocab_size")}, {kDLFloat, 32, 1});
  const auto* scores = static_cast<const float*>(logits.data_ptr());

  // The most tokens that one call takes.
  const auto chunk_size = static_cast<size_t>(size("prefill_chunk_size"));
  int32_t length = 0;
  for (int i = 0; i < num_tokens; ++i) {
    for (size_t begin = 0; begin < tokens.size(); begin += chunk_size) {
      const auto count = static_cast<int32_t>(std::min(chunk_size, tokens.size() - begin));
      const auto first = tokens.begin() + static_cast<ptrdiff_t>(begin);
      forward(weights, kv_pages, kv_rings, scratch, Ints({/*slot=*/0, length, count}, {1, 3}),
              page_table, Ints({first, first + count}, {count}), Ints({count - 1}, {1}), logits,
              /*pool=*/nullptr);
      length += count;
    }
    const auto best = std::max_element(scores, scores + size("vocab_size")) - scores;
    std::cout << best << ' ' << std::flush;
    tokens = {static_cast<int32_t>(best)};
  }
  std::cout << '\n';
}

int main(int argc, char** argv) try {
  if (argc < 4) throw std::invalid_argument("too few arguments");
  std::vector<int32_t> prompt;
  for (int i = 3; i < argc; ++i) prompt.push_back(std::stoi(argv[i]));
  Run(argv[1], std::stoi(argv[2]), prompt);
} catch (const std::invalid_argument&) {
  std::cerr << "usage: greedy LIBRARY NUM_TOKENS PROMPT_TOKEN...\n";
  return 2;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
