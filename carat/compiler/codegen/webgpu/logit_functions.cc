#include "carat/compiler/codegen/webgpu/logit_functions.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carat/compiler/codegen/webgpu/fill_template.h"
#include "carat/compiler/codegen/webgpu/kernel_builder.h"
#include "carat/compiler/codegen/webgpu/wgsl.h"

namespace carat::compiler::webgpu {
namespace {

// As many as every device has in a workgroup.
constexpr int64_t kLogitThreads = 128;
// The logits of a workgroup of the softmax. In its second dispatch every workgroup goes over what
// the first made of each, so that few workgroups are better.
constexpr int64_t kSoftmaxBlock = 4096;
// The probabilities that are sorted together, each compared with all others. Larger blocks take
// more comparisons, smaller ones more binary searches when a token is drawn.
constexpr int64_t kSortBlock = 128;
constexpr int64_t kTokensPerSortThread = 4;  // a vec4
// A thread each adds up a strip of a block, then one of them all strips.
constexpr int64_t kSortStrip = 16;

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

PlanTensor Floats(const Expression& count) { return {ElementType::kF32, {count}}; }
PlanTensor Integers(const Expression& count) { return {ElementType::kI32, {count}}; }

Reference Argument(uint32_t index) { return {Place::kArgument, index}; }
Reference Result(uint32_t index) { return {Place::kResult, index}; }

// The functions in the order of their declarations in logit_functions.h.
class LogitEmitter {
 public:
  LogitEmitter(int64_t vocab_size, KernelTable& kernels, Reference partials)
      : vocab_size_(vocab_size), kernels_(kernels), partials_(partials) {}

  int64_t num_softmax_blocks() const { return DivideUp(vocab_size_, kSoftmaxBlock); }

  PlanFunction ApplyBitmask() {
    PlanFunction function = OfLogits("apply_bitmask_inplace");
    function.arguments = {Logits(), Integers(Constant(1)),
                          Integers(Constant(DivideUp(vocab_size_, 32)))};
    KernelBuilder kernel;
    kernel.Bind("logits", Argument(0), "f32", Access::kWrite);
    kernel.Bind("bitmask", Argument(2), "u32");
    function.launches = {Launch("apply_bitmask", kernel, {})};
    function.launches[0].grid_x = Constant(DivideUp(vocab_size_, kLogitThreads));
    return function;
  }

  PlanFunction ApplyLogitBias() {
    const Expression entries = Of(Variable::kTokens);
    PlanFunction function = OfEntries("apply_logit_bias_inplace", /*ids=*/2);
    function.arguments = {Logits(), Integers(entries), Integers(entries), Floats(entries)};
    KernelBuilder kernel;
    kernel.Bind("logits", Argument(0), "f32", Access::kWrite);
    kernel.Bind("ids", Argument(2), "i32");
    kernel.Bind("bias", Argument(3), "f32");
    function.launches = {LaunchOnEntries("apply_logit_bias", kernel)};
    return function;
  }

  PlanFunction ApplyPenalty() {
    const Expression entries = Of(Variable::kTokens);
    PlanFunction function = OfEntries("apply_penalty_inplace", /*ids=*/3);
    function.arguments = {Logits(),          Integers(Constant(1)), Integers(entries),
                          Integers(entries), Integers(entries),     Floats(Constant(3))};
    KernelBuilder kernel;
    kernel.Bind("logits", Argument(0), "f32", Access::kWrite);
    kernel.Bind("ids", Argument(3), "i32");
    kernel.Bind("counts", Argument(4), "i32");
    kernel.Bind("penalties", Argument(5), "f32");
    function.launches = {LaunchOnEntries("apply_penalty", kernel)};
    return function;
  }

  PlanFunction Softmax() {
    PlanFunction function = OfLogits("softmax_with_temperature");
    function.arguments = {Logits(), Floats(Constant(1))};
    function.results = {Logits()};
    function.returns = Returns::kTensor;
    function.launches = {SoftmaxPartials(), SoftmaxNormalize()};
    return function;
  }

  PlanFunction Argsort() {
    PlanFunction function = OfLogits("argsort_probs");
    function.arguments = {Logits()};
    function.results = {SortedWithSums(), Integers(Constant(vocab_size_))};
    function.returns = Returns::kArray;
    KernelBuilder kernel;
    kernel.Bind("probabilities", Argument(0), "f32");
    kernel.Bind("sorted", Result(0), "f32", Access::kWrite);
    kernel.Bind("tokens", Result(1), "i32", Access::kWrite);
    function.launches = {
        Launch("argsort_block", kernel,
               {{"block", std::to_string(kSortBlock)}, {"strip", std::to_string(kSortStrip)}},
               /*threads=*/kSortBlock / kTokensPerSortThread)};
    function.launches[0].grid_x = Constant(num_sort_blocks());
    return function;
  }

  PlanFunction Sample() {
    PlanFunction function;
    function.name = "sample_with_top_p";
    function.tokens_divisor = static_cast<uint32_t>(2 * vocab_size_);
    // Behind the uniform number comes which rows to sample; there is one.
    function.arguments = {SortedWithSums(), Integers(Constant(vocab_size_)), Floats(Constant(1)),
                          Integers(Constant(1)), Floats(Constant(1))};
    function.results = {Integers(Constant(1))};
    function.returns = Returns::kTensor;
    KernelBuilder kernel;
    kernel.Bind("sorted", Argument(0), "f32");
    kernel.Bind("tokens", Argument(1), "i32");
    kernel.Bind("uniform_sample", Argument(2), "f32");
    kernel.Bind("top_p", Argument(4), "f32");
    kernel.Bind("drawn", Result(0), "i32", Access::kWrite);
    DeclareReduction(kernel, "workgroup_sum.wgsl");
    const int64_t blocks_per_thread = DivideUp(num_sort_blocks(), kLogitThreads);
    function.launches = {Launch("draw_top_p", kernel,
                                {{"block", std::to_string(kSortBlock)},
                                 {"num_blocks", std::to_string(num_sort_blocks())},
                                 {"blocks_per_thread", std::to_string(blocks_per_thread)}})};
    return function;
  }

 private:
  PlanLaunch SoftmaxPartials() {
    KernelBuilder kernel;
    kernel.Bind("logits", Argument(0), "f32");
    kernel.Bind("temperature", Argument(1), "f32");
    kernel.Bind("partials", partials_, "vec2<f32>", Access::kWrite);
    DeclareSoftmax(kernel);
    return LaunchOnSoftmaxBlocks("softmax_partials", kernel, {});
  }

  PlanLaunch SoftmaxNormalize() {
    KernelBuilder kernel;
    kernel.Bind("logits", Argument(0), "f32");
    kernel.Bind("temperature", Argument(1), "f32");
    kernel.Bind("partials", partials_, "vec2<f32>");
    kernel.Bind("probabilities", Result(0), "f32", Access::kWrite);
    DeclareSoftmax(kernel);
    return LaunchOnSoftmaxBlocks("softmax_normalize", kernel,
                                 {{"num_blocks", std::to_string(num_softmax_blocks())}});
  }

  int64_t num_sort_blocks() const { return DivideUp(vocab_size_, kSortBlock); }

  PlanTensor Logits() const { return Floats(Constant(vocab_size_)); }
  PlanTensor SortedWithSums() const {
    return {ElementType::kF32, {Constant(2), Constant(vocab_size_)}};
  }

  // A function whose first argument is all logits, of one token.
  PlanFunction OfLogits(std::string name) const {
    PlanFunction function;
    function.name = std::move(name);
    function.tokens_divisor = static_cast<uint32_t>(vocab_size_);
    return function;
  }

  // A function of a list of tokens.
  PlanFunction OfEntries(std::string name, uint32_t ids) const {
    PlanFunction function;
    function.name = std::move(name);
    function.tokens_argument = ids;
    function.max_tokens = static_cast<uint32_t>(vocab_size_);
    return function;
  }

  static void DeclareReduction(KernelBuilder& kernel, std::string_view file) {
    kernel.Declare(Fill(file, {{"threads", std::to_string(kLogitThreads)}}));
  }

  static void DeclareSoftmax(KernelBuilder& kernel) {
    DeclareReduction(kernel, "workgroup_max.wgsl");
    DeclareReduction(kernel, "workgroup_sum.wgsl");
    kernel.Declare(Fill("softmax_weight.wgsl", {}));
  }

  // A launch of one workgroup of the kernel in kernels/webgpu/<name>.wgsl.
  PlanLaunch Launch(const std::string& name, const KernelBuilder& kernel,
                    std::vector<TemplateValue> values, int64_t threads = kLogitThreads) {
    values.insert(values.end(), {{"declarations", kernel.Declarations()},
                                 {"entry", kEntryPlaceholder},
                                 {"threads", std::to_string(threads)},
                                 {"vocab_size", std::to_string(vocab_size_)}});
    auto [wgsl, launch] = kernel.Finish(name, FillTemplate(WgslText(name + ".wgsl"), values));
    launch.kernel = kernels_.Add(std::move(wgsl));
    return std::move(launch);
  }

  PlanLaunch LaunchOnSoftmaxBlocks(const std::string& name, const KernelBuilder& kernel,
                                   std::vector<TemplateValue> values) {
    values.emplace_back("block", std::to_string(kSoftmaxBlock));
    PlanLaunch launch = Launch(name, kernel, std::move(values));
    launch.grid_x = Constant(num_softmax_blocks());
    return launch;
  }

  PlanLaunch LaunchOnEntries(const std::string& name, KernelBuilder& kernel) {
    kernel.Scalar("num_entries", Of(Variable::kTokens));
    PlanLaunch launch = Launch(name, kernel, {});
    launch.grid_x = Ratio(Variable::kTokens, 1, kLogitThreads);
    return launch;
  }

  int64_t vocab_size_;
  KernelTable& kernels_;
  Reference partials_;
};

}  // namespace

void AddLogitFunctions(int64_t vocab_size, KernelTable& kernels, PlanModel& plan) {
  const Reference partials = {Place::kScratch, static_cast<uint32_t>(plan.scratch.size())};
  LogitEmitter emitter(vocab_size, kernels, partials);
  plan.scratch.push_back(Constant(emitter.num_softmax_blocks() * int64_t{2 * sizeof(float)}));
  for (PlanFunction& function :
       std::vector{emitter.ApplyBitmask(), emitter.ApplyLogitBias(), emitter.ApplyPenalty(),
                   emitter.Softmax(), emitter.Argsort(), emitter.Sample()}) {
    plan.functions.push_back(std::move(function));
  }
}

}  // namespace carat::compiler::webgpu
