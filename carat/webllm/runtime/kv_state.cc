#include "carat/webllm/runtime/kv_state.h"

#include "carat/webllm/runtime/functions.h"
#include "carat/webllm/runtime/move.h"

namespace carat::webllm {
namespace {

void DestroyKvState(Object* object) {
  Release(static_cast<KvState*>(object)->buffers);
  FreeObject(object);
}

void Empty(KvState& state) {
  state.length = 0;
  state.pending = 0;
}

// vm.builtin.kv_state_clear(state)
Status Clear(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  KvState* state = nullptr;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &state));
  Empty(*state);
  return Status::kOk;
}

// vm.builtin.kv_state_{add,remove}_sequence(state, sequence): a state is of one sequence, which
// begins empty.
Status ChangeSequence(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  KvState* state = nullptr;
  int64_t sequence = 0;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &state));
  CARAT_RETURN_IF_FAILED(arguments.GetInt(1, &sequence));
  if (sequence != 0) {
    return Fail(arguments.Function(), ": the KV cache has one sequence, 0, and no ", sequence);
  }
  Empty(*state);
  return Status::kOk;
}

// vm.builtin.kv_state_begin_forward(state, sequences, lengths)
Status BeginForward(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  KvState* state = nullptr;
  ShapeObject* sequences = nullptr;
  ShapeObject* lengths = nullptr;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &state));
  CARAT_RETURN_IF_FAILED(arguments.GetObject(1, &sequences));
  CARAT_RETURN_IF_FAILED(arguments.GetObject(2, &lengths));
  if (sequences->ndim != 1 || sequences->dimensions[0] != 0 || lengths->ndim != 1) {
    return Fail(arguments.Function(), ": the KV cache has one sequence, 0");
  }
  const int64_t length = lengths->dimensions[0];
  if (length < 1) return Fail(arguments.Function(), ": ", length, " tokens");
  if (length > state->context - state->length) {
    return Fail("the context of ", state->context, " tokens is full: it has ", state->length,
                ", and ", length, " more do not fit in");
  }
  state->pending = static_cast<uint32_t>(length);
  return Status::kOk;
}

// vm.builtin.kv_state_end_forward(state)
Status EndForward(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  KvState* state = nullptr;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &state));
  if (state->pending == 0) {
    return Fail(arguments.Function(), ": kv_state_begin_forward was not called before");
  }
  state->length += state->pending;
  state->pending = 0;
  return Status::kOk;
}

// vm.builtin.attention_kv_cache_enable_sliding_window_for_seq(state, sequence, window, sink)
Status EnableSlidingWindow(Object* /*self*/, const Arguments& /*arguments*/, Any* /*result*/) {
  return Fail(
      "mlc-chat-config.json: sliding_window_size must be -1 and context_window_size the length of "
      "the context; the model's own sliding windows are in its kernels");
}

constexpr NativeFunction kFunctions[] = {
    {"vm.builtin.kv_state_clear", Clear, 1, 1},
    {"vm.builtin.kv_state_add_sequence", ChangeSequence, 2, 2},
    {"vm.builtin.kv_state_remove_sequence", ChangeSequence, 2, 2},
    {"vm.builtin.kv_state_begin_forward", BeginForward, 3, 3},
    {"vm.builtin.kv_state_end_forward", EndForward, 1, 1},
    {"vm.builtin.attention_kv_cache_enable_sliding_window_for_seq", EnableSlidingWindow, 0, 8},
};

}  // namespace

Status MakeKvState(const Plan& plan, int64_t context, Owned<KvState>* state) {
  const PlanHeader& header = plan.Header();
  if (context < 1 || context > header.max_context) {
    return Fail("mlc-chat-config.json: context_window_size is ", context,
                ", and the model was compiled for 1 to ", header.max_context, " tokens");
  }
  auto made = MakeObject<KvState>(kKvState, DestroyKvState);
  if (!made) return FailForMemory();
  made->context = static_cast<uint32_t>(context);
  Owned<ArrayObject> buffers;
  CARAT_RETURN_IF_FAILED(
      MakeBuffers(plan.Table<BufferSize>(header.cache), {.context = made->context}, &buffers));
  made->buffers = buffers.Detach();
  *state = Move(made);
  return Status::kOk;
}

Status RegisterKvStates() { return SetGlobals(kFunctions); }

}  // namespace carat::webllm
