#include "carat/webllm/runtime/gpu_buffers.h"

#include "carat/webllm/runtime/move.h"

namespace carat::webllm {

Status MakeBuffers(TableView<BufferSize> sizes, const Step& step, Owned<ArrayObject>* buffers) {
  auto made = MakeArray(sizes.Size());
  if (!made) return FailForMemory();
  for (uint32_t i = 0; i < sizes.Size(); ++i) {
    Owned<StorageObject> storage;
    CARAT_RETURN_IF_FAILED(MakeStorage({kWebGpu, 0}, Evaluate(sizes[i], step), &storage));
    ReturnObject(Move(storage), &made->items[i]);
  }
  *buffers = Move(made);
  return Status::kOk;
}

}  // namespace carat::webllm
