// PlanModel -> bytes. Elements that point to others (a function to its launches) need those
// written before them, so every table is written after what its elements refer to, and the header,
// which comes first, is filled in at the end.

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/plan_model.h"

namespace carat::compiler::webgpu {
namespace {

class PlanWriter {
 public:
  std::vector<std::byte> Write(const PlanModel& plan) {
    bytes_.resize(sizeof(webllm::PlanHeader));
    webllm::PlanHeader header{};
    header.magic = webllm::kPlanMagic;
    header.version = webllm::kPlanVersion;
    header.carat_version = Text(CARAT_VERSION);
    header.model = Text(plan.model);
    header.metadata = Text(plan.metadata);
    header.parameters = Each(plan.parameters, [&](const PlanParameter& parameter) {
      return webllm::Parameter{Text(parameter.name), static_cast<uint32_t>(parameter.num_bytes)};
    });
    header.scratch = Table<Expression>(plan.scratch);
    header.cache = Table<Expression>(plan.cache);
    header.merged = Table<Expression>(plan.merged);
    header.copies = Table<webllm::Copy>(plan.copies);
    header.kernels = Each(plan.kernels, [&](const WgslKernel& kernel) {
      return webllm::Kernel{Text(kernel.name), Text(KernelInfoJson(kernel)), Text(kernel.wgsl)};
    });
    header.functions =
        Each(plan.functions, [&](const PlanFunction& function) { return Function(function); });
    header.max_context = static_cast<uint32_t>(plan.max_context);
    header.num_bytes = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &header, sizeof(header));
    return std::move(bytes_);
  }

 private:
  webllm::Function Function(const PlanFunction& function) {
    return {.name = Text(function.name),
            .arguments = Tensors(function.arguments),
            .results = Tensors(function.results),
            .returns = function.returns,
            .tokens_argument = function.tokens_argument,
            .tokens_divisor = function.tokens_divisor,
            .max_tokens = function.max_tokens,
            .uses_state = function.uses_state ? 1u : 0u,
            .launches = Each(function.launches, [&](const PlanLaunch& launch) {
              return webllm::Launch{launch.kernel, Table<Reference>(launch.buffers),
                                    Table<Expression>(launch.scalars), launch.grid_x,
                                    launch.grid_y};
            })};
  }

  webllm::Span Tensors(const std::vector<PlanTensor>& tensors) {
    return Each(tensors, [&](const PlanTensor& tensor) {
      return webllm::TensorType{tensor.element, Table<Expression>(tensor.dimensions)};
    });
  }

  // The table of what `convert` makes of each value.
  template <typename Value, typename Convert>
  webllm::Span Each(const std::vector<Value>& values, const Convert& convert) {
    std::vector<std::invoke_result_t<Convert, const Value&>> elements;
    for (const Value& value : values) elements.push_back(convert(value));
    return Table<typename decltype(elements)::value_type>(elements);
  }

  template <typename Element>
  webllm::Span Table(std::span<const Element> elements) {
    static_assert(std::is_trivially_copyable_v<Element> && sizeof(Element) % 4 == 0);
    bytes_.resize((bytes_.size() + 3) / 4 * 4);
    return Append(std::as_bytes(elements), elements.size());
  }

  webllm::Span Text(std::string_view text) {
    if (std::ranges::any_of(text, [](unsigned char c) { return c >= 0x80; })) {
      throw Error("'{}': WebLLM reads text of a model library as ASCII", text);
    }
    return Append(std::as_bytes(std::span(text)), text.size());
  }

  webllm::Span Append(std::span<const std::byte> bytes, size_t count) {
    const webllm::Span span{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(count)};
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return span;
  }

  std::vector<std::byte> bytes_;
};

}  // namespace

std::vector<std::byte> WritePlan(const PlanModel& plan) { return PlanWriter().Write(plan); }

}  // namespace carat::compiler::webgpu
