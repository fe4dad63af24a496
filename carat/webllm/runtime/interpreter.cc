#include "carat/webllm/runtime/interpreter.h"

#include "carat/webllm/runtime/dtype.h"
#include "carat/webllm/runtime/function_call.h"
#include "carat/webllm/runtime/kernels.h"
#include "carat/webllm/runtime/move.h"

namespace carat::webllm {
namespace {

constexpr uint32_t kMaxGrid = 65535;  // workgroups a dimension, of WebGPU

struct BoundFunction : Object {
  ModelObject* model;
  const Function* function;
};

void DestroyBoundFunction(Object* object) {
  Release(static_cast<BoundFunction*>(object)->model);
  FreeObject(object);
}

class Run {
 public:
  Run(ModelObject* model, const Function& function)
      : model_(model), plan_(*model->plan), function_(function) {}

  Status Execute(const Arguments& arguments, Any* result);

 private:
  bool Uses(Place place) const;
  Status BindBuffers();
  Status MakeResults();
  Status LaunchKernel(const Launch& launch);
  BufferId BufferFor(const Reference& reference) const;
  Status Return(Any* result);

  ModelObject* model_;
  const Plan& plan_;
  const Function& function_;
  FunctionCall call_;
  Owned<TensorObject> results_[kMaxTensors];
};

Status Run::Execute(const Arguments& arguments, Any* result) {
  CARAT_RETURN_IF_FAILED(ReadCall(plan_, function_, arguments, &call_));
  if (call_.step.tokens == 0) return Return(result);  // nothing to do
  CARAT_RETURN_IF_FAILED(BindBuffers());
  CARAT_RETURN_IF_FAILED(MakeResults());
  for (const Launch& launch : plan_.Table<Launch>(function_.launches)) {
    CARAT_RETURN_IF_FAILED(LaunchKernel(launch));
  }
  return Return(result);
}

bool Run::Uses(Place place) const {
  for (const Launch& launch : plan_.Table<Launch>(function_.launches)) {
    for (const Reference& reference : plan_.Table<Reference>(launch.buffers)) {
      if (reference.place == place) return true;
    }
  }
  return false;
}

Status Run::BindBuffers() {
  if (Uses(Place::kScratch) && model_->scratch == nullptr) {
    Owned<ArrayObject> scratch;
    const auto sizes = plan_.Table<BufferSize>(plan_.Header().scratch);
    CARAT_RETURN_IF_FAILED(MakeBuffers(sizes, {}, &scratch));
    model_->scratch = scratch.Detach();
  }
  if (!Uses(Place::kParameter) && !Uses(Place::kMerged)) return Status::kOk;
  if (call_.parameters == nullptr) return Fail(call_.name, " needs the array of parameters");
  return BindWeights(plan_, *call_.parameters, &model_->weights);
}

Status Run::MakeResults() {
  const TableView<TensorType> types = plan_.Table<TensorType>(function_.results);
  for (uint32_t i = 0; i < types.Size(); ++i) {
    int64_t dimensions[kMaxDimensions];
    EvaluateDimensions(plan_, types[i], call_.step, dimensions);
    CARAT_RETURN_IF_FAILED(MakeTensor({kWebGpu, 0}, dimensions, types[i].dimensions.count,
                                      DataTypeOf(types[i].element), &results_[i]));
  }
  return Status::kOk;
}

BufferId Run::BufferFor(const Reference& reference) const {
  switch (reference.place) {
    case Place::kScratch:
      return BufferAt(*model_->scratch, reference.index);
    case Place::kCache:
      return BufferAt(*call_.state->buffers, reference.index);
    case Place::kMerged:
      return BufferAt(*model_->weights.merged, reference.index);
    case Place::kParameter:
      return ParameterBuffer(*call_.parameters, reference.index);
    case Place::kArgument:
      return BufferOf(*call_.tensors[reference.index]->storage);
    case Place::kResult:
      return BufferOf(*results_[reference.index]->storage);
  }
  return 0;
}

Status Run::LaunchKernel(const Launch& launch) {
  Any arguments[kMaxLaunchArguments];
  int32_t count = 0;
  for (const Reference& reference : plan_.Table<Reference>(launch.buffers)) {
    arguments[count++] = AnyPointer(BufferFor(reference));
  }
  for (const Expression& scalar : plan_.Table<Expression>(launch.scalars)) {
    arguments[count++] = AnyInt(Evaluate(scalar, call_.step));
  }
  const uint32_t grid[] = {Evaluate(launch.grid_x, call_.step),
                           Evaluate(launch.grid_y, call_.step)};
  for (const uint32_t workgroups : grid) {
    if (workgroups > kMaxGrid) {
      return Fail(call_.name, ": kernel '", plan_.TextAt(plan_.Kernels()[launch.kernel].name),
                  "' needs ", workgroups, " workgroups, of which WebGPU has ", kMaxGrid);
    }
    arguments[count++] = AnyInt(workgroups);
  }
  FunctionObject* kernel = nullptr;
  CARAT_RETURN_IF_FAILED(CompiledKernel(model_, launch.kernel, &kernel));
  Any result;
  CARAT_RETURN_IF_FAILED(Call(kernel, arguments, count, &result));
  ReleaseAny(result);
  return Status::kOk;
}

Status Run::Return(Any* result) {
  if (function_.returns == Returns::kNothing) return Status::kOk;
  if (function_.returns == Returns::kTensor) {
    ReturnObject(Move(results_[0]), result);
    return Status::kOk;
  }
  const bool with_state = function_.returns == Returns::kArrayWithState;
  const uint32_t num_results = function_.results.count;
  auto array = MakeArray(num_results + (with_state ? 1 : 0));
  if (!array) return FailForMemory();
  for (uint32_t i = 0; i < num_results; ++i) {
    ReturnObject(Move(results_[i]), &array->items[i]);
  }
  if (with_state) ReturnObject(Share(call_.state), &array->items[num_results]);
  ReturnObject(Move(array), result);
  return Status::kOk;
}

Status RunFunction(Object* self, const Arguments& arguments, Any* result) {
  const auto& bound = *static_cast<BoundFunction*>(self);
  return Run(bound.model, *bound.function).Execute(arguments, result);
}

}  // namespace

Status FindPlanFunction(ModelObject* model, TextView name, Owned<FunctionObject>* function) {
  static constexpr NativeFunction kRun = {"a function of the model", RunFunction, 0, 32};
  for (const Function& candidate : model->plan->Functions()) {
    if (!(model->plan->TextAt(candidate.name) == name)) continue;
    auto bound = MakeObject<BoundFunction>(kBoundFunction, DestroyBoundFunction);
    if (!bound) return FailForMemory();
    bound->model = Share(model).Detach();
    bound->function = &candidate;
    *function = MakeFunction(kRun, bound.Get());
    return *function ? Status::kOk : FailForMemory();
  }
  return Status::kOk;
}

}  // namespace carat::webllm
