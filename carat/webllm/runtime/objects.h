// Objects and who owns them. An object lies in the heap, cleared when it is made, and dies with its
// last reference.

#ifndef CARAT_WEBLLM_RUNTIME_OBJECTS_H_
#define CARAT_WEBLLM_RUNTIME_OBJECTS_H_

#include "carat/webllm/runtime/abi.h"
#include "carat/webllm/runtime/memory.h"

namespace carat::webllm {

// Frees an object without references; what it owns must be released before.
void FreeObject(Object* object);

// Takes null too.
void Retain(Object* object);
void Release(Object* object);

// Whether `object`, which JavaScript gave, is one of this type that is alive.
bool IsLive(const Object* object, int32_t type_index);

// One reference.
template <typename T>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T* object) : object_(object) {}
  Owned(Owned&& other) noexcept : object_(other.Detach()) {}
  Owned& operator=(Owned&& other) noexcept {
    T* object = other.Detach();
    Release(object_);
    object_ = object;
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { Release(object_); }

  T* Get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

  // The reference is the caller's now.
  T* Detach() {
    T* object = object_;
    object_ = nullptr;
    return object;
  }

 private:
  T* object_ = nullptr;
};

template <typename T>
Owned<T> Share(T* object) {
  Retain(object);
  return Owned<T>(object);
}

// A cleared T with `extra_bytes` behind it; null where memory is exhausted.
template <typename T>
Owned<T> MakeObject(TypeIndex type_index, void (*destroy)(Object*), size_t extra_bytes = 0) {
  auto* object = static_cast<T*>(Allocate(sizeof(T) + extra_bytes));
  if (object == nullptr) return {};
  __builtin_memset(static_cast<void*>(object), 0, sizeof(T) + extra_bytes);
  object->references = (uint64_t{1} << 32) | 1;  // the high half counts weak references
  object->type_index = type_index;
  object->destroy = destroy;
  return Owned<T>(object);
}

Any AnyInt(int64_t value);
Any AnyText(const char* text);
Any AnyPointer(uint32_t address);
Any AnyObject(Object* object);

// The value of `view`, which may be text of the caller's, with a reference of its own; false where
// memory is exhausted.
bool CopyAny(const Any& view, Any* owned);
void ReleaseAny(const Any& owned);

template <typename T>
void ReturnObject(Owned<T> object, Any* result) {
  *result = AnyObject(object.Detach());
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_OBJECTS_H_
