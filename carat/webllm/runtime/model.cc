#include "carat/webllm/runtime/model.h"

#include "carat/webllm/runtime/interpreter.h"
#include "carat/webllm/runtime/kernels.h"
#include "carat/webllm/runtime/kv_state.h"
#include "carat/webllm/runtime/move.h"
#include "carat/webllm/runtime/strings.h"

namespace carat::webllm {
namespace {

void DestroyModel(Object* object) {
  auto* model = static_cast<ModelObject*>(object);
  ReleaseWeights(&model->weights);
  Release(model->scratch);
  Release(model->kernels);
  FreeObject(model);
}

// vm_initialization(device type, device id, allocator, ...): there is one GPU, and no allocator
Status Initialize(Object* /*self*/, const Arguments& /*arguments*/, Any* /*result*/) {
  return Status::kOk;
}

// _metadata()
Status Metadata(Object* self, const Arguments& /*arguments*/, Any* result) {
  const Plan& plan = *static_cast<ModelObject*>(self)->plan;
  auto metadata = MakeString(plan.TextAt(plan.Header().metadata));
  if (!metadata) return FailForMemory();
  ReturnObject(Move(metadata), result);
  return Status::kOk;
}

// create_tir_paged_kv_cache(max batch size, context, prefill chunk size, page size, sliding), each
// a shape of one number
Status CreateKvCache(Object* self, const Arguments& arguments, Any* result) {
  ShapeObject* shapes[2] = {};
  for (int32_t i = 0; i < 2; ++i) {
    CARAT_RETURN_IF_FAILED(arguments.GetObject(i, &shapes[i]));
    if (shapes[i]->ndim != 1) {
      return Fail(arguments.Function(), ": argument ", i + 1, " must be a shape of one number");
    }
  }
  if (shapes[0]->dimensions[0] != 1) {
    return Fail("the KV cache has one sequence, not ", shapes[0]->dimensions[0]);
  }
  Owned<KvState> state;
  const Plan& plan = *static_cast<ModelObject*>(self)->plan;
  CARAT_RETURN_IF_FAILED(MakeKvState(plan, shapes[1]->dimensions[0], &state));
  ReturnObject(Move(state), result);
  return Status::kOk;
}

Status FindInModel(ModuleObject* module, TextView name, Owned<FunctionObject>* function) {
  static constexpr NativeFunction kFunctions[] = {
      {"vm_initialization", Initialize, 0, 32},
      {"_metadata", Metadata, 0, 0},
      {"create_tir_paged_kv_cache", CreateKvCache, 5, 5},
  };
  auto* model = static_cast<ModelObject*>(module);
  CARAT_RETURN_IF_FAILED(FindFunction(kFunctions, model, name, function));
  if (!*function) CARAT_RETURN_IF_FAILED(FindKernelFunction(model, name, function));
  if (!*function) CARAT_RETURN_IF_FAILED(FindPlanFunction(model, name, function));
  return Status::kOk;
}

}  // namespace

Status MakeModel(Owned<ModelObject>* model) {
  const Plan* plan = nullptr;
  CARAT_RETURN_IF_FAILED(LoadPlan(&plan));
  auto made = MakeObject<ModelObject>(kModule, DestroyModel);
  if (!made) return FailForMemory();
  made->find = FindInModel;
  made->plan = plan;
  made->kernels = MakeArray(plan->Kernels().Size()).Detach();
  if (made->kernels == nullptr) return FailForMemory();
  *model = Move(made);
  return Status::kOk;
}

}  // namespace carat::webllm
