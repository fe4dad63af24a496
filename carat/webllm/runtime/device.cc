#include "carat/webllm/runtime/device.h"

#include "carat/webllm/runtime/functions.h"

namespace carat::webllm {
namespace {

enum DeviceFunction { kAllocate, kFree, kToGpu, kFromGpu, kWithinGpu, kNumDeviceFunctions };
constexpr const char* kNames[] = {"deviceAllocDataSpace", "deviceFreeDataSpace", "deviceCopyToGPU",
                                  "deviceCopyFromGPU", "deviceCopyWithinGPU"};
static_assert(sizeof(kNames) / sizeof(kNames[0]) == kNumDeviceFunctions);

FunctionObject* device_functions[kNumDeviceFunctions];  // asked for when first needed

Status Find(DeviceFunction which, FunctionObject** function) {
  if (device_functions[which] == nullptr) {
    FunctionObject* device_api = FindGlobal("wasm.WebGPUDeviceAPI");
    if (device_api == nullptr) {
      return Fail("WebGPU is not initialized: the page has to call initWebGPU before");
    }
    const Any name = AnyText(kNames[which]);
    Any found;
    CARAT_RETURN_IF_FAILED(Call(device_api, &name, 1, &found));
    if (!IsLive(found.object, kFunction) || found.type_index != kFunction) {
      return Fail("WebGPU offers no function '", kNames[which], "'");
    }
    device_functions[which] = static_cast<FunctionObject*>(found.object);
  }
  *function = device_functions[which];
  return Status::kOk;
}

template <int kCount>
Status CallDevice(DeviceFunction which, const Any (&arguments)[kCount], Any* result) {
  FunctionObject* function = nullptr;
  CARAT_RETURN_IF_FAILED(Find(which, &function));
  return Call(function, arguments, kCount, result);
}

template <int kCount>
Status CallDevice(DeviceFunction which, const Any (&arguments)[kCount]) {
  Any result;
  CARAT_RETURN_IF_FAILED(CallDevice(which, arguments, &result));
  ReleaseAny(result);
  return Status::kOk;
}

Any AnySize(uint64_t num_bytes) { return AnyInt(static_cast<int64_t>(num_bytes)); }

}  // namespace

Status NewDeviceBuffer(uint64_t num_bytes, BufferId* buffer) {
  if (num_bytes > kMaxBufferBytes) {
    return Fail("a GPU buffer of ", num_bytes, " bytes: the most is ", kMaxBufferBytes);
  }
  Any made;
  CARAT_RETURN_IF_FAILED(CallDevice(kAllocate, {AnySize(num_bytes)}, &made));
  int64_t id = 0;
  if (Arguments("deviceAllocDataSpace", &made, 1).GetInt(0, &id) != Status::kOk || id < 0 ||
      id > INT32_MAX) {
    ReleaseAny(made);
    return Fail("WebGPU gave no buffer of ", num_bytes, " bytes");
  }
  *buffer = static_cast<BufferId>(id);
  return Status::kOk;
}

void FreeDeviceBuffer(BufferId buffer) {
  // A failure is of a device that is lost, and its memory with it.
  (void)CallDevice(kFree, {AnyPointer(buffer)});
}

Status CopyToGpu(const void* from, BufferId to, uint64_t to_offset, uint64_t num_bytes) {
  return CallDevice(kToGpu, {AnyPointer(AddressOf(from)), AnyPointer(to), AnySize(to_offset),
                             AnySize(num_bytes)});
}

Status CopyFromGpu(BufferId from, uint64_t from_offset, void* to, uint64_t num_bytes) {
  return CallDevice(kFromGpu, {AnyPointer(from), AnySize(from_offset), AnyPointer(AddressOf(to)),
                               AnySize(num_bytes)});
}

Status CopyWithinGpu(BufferId from, uint64_t from_offset, BufferId to, uint64_t to_offset,
                     uint64_t num_bytes) {
  return CallDevice(kWithinGpu, {AnyPointer(from), AnySize(from_offset), AnyPointer(to),
                                 AnySize(to_offset), AnySize(num_bytes)});
}

}  // namespace carat::webllm
