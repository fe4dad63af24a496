// Lists of GPU buffers, as a plan gives their sizes: an array of storages.

#ifndef CARAT_WEBLLM_RUNTIME_GPU_BUFFERS_H_
#define CARAT_WEBLLM_RUNTIME_GPU_BUFFERS_H_

#include "carat/webllm/runtime/containers.h"
#include "carat/webllm/runtime/expression.h"
#include "carat/webllm/runtime/plan_reader.h"
#include "carat/webllm/runtime/tensors.h"

namespace carat::webllm {

Status MakeBuffers(TableView<BufferSize> sizes, const Step& step, Owned<ArrayObject>* buffers);

inline BufferId BufferAt(const ArrayObject& buffers, uint32_t index) {
  return BufferOf(*static_cast<const StorageObject*>(buffers.items[index].object));
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_GPU_BUFFERS_H_
