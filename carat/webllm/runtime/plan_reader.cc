#include "carat/webllm/runtime/plan_reader.h"

#include "carat/webllm/runtime/memory.h"
#include "carat/webllm/runtime/plan_location.h"

namespace carat::webllm {
namespace {

constinit Plan loaded_plan(nullptr);  // nothing runs constructors
bool is_loaded;

Status Load() {
  if (carat_plan.num_bytes == 0) {
    return Fail("this is Carat's runtime without a model: load the model.wasm of a compiled one");
  }
  const char* bytes = AtAddress<char>(carat_plan.address);
  if (carat_plan.address % 16 != 0 || !InMemory(bytes, carat_plan.num_bytes)) {
    return Fail("model.wasm is damaged: its plan is outside of memory; compile the model again");
  }
  CARAT_RETURN_IF_FAILED(CheckPlan(bytes, carat_plan.num_bytes));
  loaded_plan = Plan(bytes);
  is_loaded = true;
  return Status::kOk;
}

}  // namespace

Status LoadPlan(const Plan** plan) {
  if (!is_loaded) CARAT_RETURN_IF_FAILED(Load());
  *plan = &loaded_plan;
  return Status::kOk;
}

}  // namespace carat::webllm
