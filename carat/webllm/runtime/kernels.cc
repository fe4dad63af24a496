#include "carat/webllm/runtime/kernels.h"

#include "carat/webllm/runtime/move.h"
#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {
namespace {

const Plan& PlanOf(Object* model) { return *static_cast<ModelObject*>(model)->plan; }

// Appends to text that has been measured.
char* Append(char* end, TextView text) {
  __builtin_memcpy(end, text.data, text.size);
  return end + text.size;
}

// webgpu.get_fmap(): {"<kernel>":<info>,...}
Status GetKernelMap(Object* self, const Arguments& /*arguments*/, Any* result) {
  const Plan& plan = PlanOf(self);
  const TableView<Kernel> kernels = plan.Kernels();
  constexpr TextView kBehindName("\":");
  uint64_t size = 2;
  for (const Kernel& kernel : kernels) {
    size += uint64_t{2} + kernel.name.count + kBehindName.size + kernel.info.count;
  }
  auto json = size > SIZE_MAX / 2 ? Owned<StringObject>() : MakeString(static_cast<size_t>(size));
  if (!json) return FailForMemory();
  char* end = Append(BytesOf(json.Get()), "{");
  for (uint32_t i = 0; i < kernels.Size(); ++i) {
    if (i > 0) end = Append(end, ",");
    end = Append(end, "\"");
    end = Append(end, plan.TextAt(kernels[i].name));
    end = Append(end, kBehindName);
    end = Append(end, plan.TextAt(kernels[i].info));
  }
  end = Append(end, "}");
  json->bytes.size = static_cast<size_t>(end - BytesOf(json.Get()));
  ReturnObject(Move(json), result);
  return Status::kOk;
}

Status FindKernel(const Plan& plan, const Arguments& arguments, uint32_t* index) {
  TextView name;
  CARAT_RETURN_IF_FAILED(arguments.GetText(0, &name));
  const TableView<Kernel> kernels = plan.Kernels();
  for (uint32_t i = 0; i < kernels.Size(); ++i) {
    if (plan.TextAt(kernels[i].name) == name) {
      *index = i;
      return Status::kOk;
    }
  }
  return Fail("the model has no kernel '", name, "'");
}

// webgpu.get_shader(kernel)
Status GetShader(Object* self, const Arguments& arguments, Any* result) {
  const Plan& plan = PlanOf(self);
  uint32_t index = 0;
  CARAT_RETURN_IF_FAILED(FindKernel(plan, arguments, &index));
  auto wgsl = MakeString(plan.TextAt(plan.Kernels()[index].wgsl));
  if (!wgsl) return FailForMemory();
  ReturnObject(Move(wgsl), result);
  return Status::kOk;
}

void SetKernel(ModelObject* model, uint32_t index, Owned<FunctionObject> function) {
  Any* kernel = &model->kernels->items[index];
  ReleaseAny(*kernel);
  ReturnObject(Move(function), kernel);
}

// webgpu.update_prebuild(kernel, function)
Status UpdatePrebuilt(Object* self, const Arguments& arguments, Any* /*result*/) {
  auto* model = static_cast<ModelObject*>(self);
  uint32_t index = 0;
  FunctionObject* function = nullptr;
  CARAT_RETURN_IF_FAILED(FindKernel(*model->plan, arguments, &index));
  CARAT_RETURN_IF_FAILED(arguments.GetObject(1, &function));
  SetKernel(model, index, Share(function));
  return Status::kOk;
}

Status CompileKernel(const Plan& plan, const Kernel& kernel, Owned<FunctionObject>* compiled) {
  FunctionObject* create_shader = FindGlobal("wasm.WebGPUCreateShader");
  if (create_shader == nullptr) {
    return Fail("WebGPU is not initialized: the page has to call initWebGPU before");
  }
  const Owned<StringObject> info = MakeString(plan.TextAt(kernel.info));
  const Owned<StringObject> wgsl = MakeString(plan.TextAt(kernel.wgsl));
  if (!info || !wgsl) return FailForMemory();
  const Any arguments[] = {AnyObject(info.Get()), AnyObject(wgsl.Get())};
  Any result;
  CARAT_RETURN_IF_FAILED(Call(create_shader, arguments, 2, &result));
  if (result.type_index != kFunction || !IsLive(result.object, kFunction)) {
    return Fail("WebGPU did not compile the kernel '", plan.TextAt(kernel.name), "'");
  }
  *compiled = Owned<FunctionObject>(static_cast<FunctionObject*>(result.object));
  return Status::kOk;
}

}  // namespace

Status FindKernelFunction(ModelObject* model, TextView name, Owned<FunctionObject>* function) {
  static constexpr NativeFunction kFunctions[] = {
      {"webgpu.get_fmap", GetKernelMap, 0, 0},
      {"webgpu.get_shader", GetShader, 1, 1},
      {"webgpu.update_prebuild", UpdatePrebuilt, 2, 2},
  };
  return FindFunction(kFunctions, model, name, function);
}

Status CompiledKernel(ModelObject* model, uint32_t index, FunctionObject** function) {
  if (model->kernels->items[index].type_index == kNone) {
    Owned<FunctionObject> compiled;
    CARAT_RETURN_IF_FAILED(CompileKernel(*model->plan, model->plan->Kernels()[index], &compiled));
    SetKernel(model, index, Move(compiled));
  }
  *function = static_cast<FunctionObject*>(model->kernels->items[index].object);
  return Status::kOk;
}

}  // namespace carat::webllm
