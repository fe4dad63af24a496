// The KV cache of one conversation: the plan's cache buffers, and how many tokens are in them. A
// forward pass first says how many tokens it adds (begin_forward), and they are in the cache when
// it has succeeded (end_forward).

#ifndef CARAT_WEBLLM_RUNTIME_KV_STATE_H_
#define CARAT_WEBLLM_RUNTIME_KV_STATE_H_

#include "carat/webllm/runtime/gpu_buffers.h"

namespace carat::webllm {

struct KvState : Object {
  static constexpr TypeIndex kType = kKvState;
  static constexpr const char* kTypeName = "a KV state";

  ArrayObject* buffers;
  uint32_t context;  // tokens it has room for
  uint32_t length;   // tokens in it
  uint32_t pending;  // tokens that the forward pass in progress adds; 0: none is
};

Status MakeKvState(const Plan& plan, int64_t context, Owned<KvState>* state);

Status RegisterKvStates();

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_KV_STATE_H_
