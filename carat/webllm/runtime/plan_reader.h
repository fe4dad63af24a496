// The plan that was appended to this module (carat/webllm/plan.h), checked once before anything of
// it is used: what these functions give is in bounds, and every index and divisor in it is valid.

#ifndef CARAT_WEBLLM_RUNTIME_PLAN_READER_H_
#define CARAT_WEBLLM_RUNTIME_PLAN_READER_H_

#include "carat/webllm/plan.h"
#include "carat/webllm/runtime/status.h"
#include "carat/webllm/runtime/text.h"

namespace carat::webllm {

// A kernel's buffers and numbers, with the two of its grid.
inline constexpr uint32_t kMaxLaunchArguments = 64;

// That a function takes, and that it returns.
inline constexpr uint32_t kMaxTensors = 16;

template <typename T>
class TableView {
 public:
  TableView() = default;
  TableView(const T* elements, uint32_t size) : elements_(elements), size_(size) {}

  uint32_t Size() const { return size_; }
  const T& operator[](uint32_t index) const { return elements_[index]; }
  const T* begin() const { return elements_; }
  const T* end() const { return elements_ + size_; }

 private:
  const T* elements_ = nullptr;
  uint32_t size_ = 0;
};

class Plan {
 public:
  explicit constexpr Plan(const char* bytes) : bytes_(bytes) {}

  const PlanHeader& Header() const { return *reinterpret_cast<const PlanHeader*>(bytes_); }

  template <typename T>
  TableView<T> Table(Span span) const {
    return {reinterpret_cast<const T*>(bytes_ + span.offset), span.count};
  }
  TextView TextAt(Text text) const { return {bytes_ + text.offset, text.count}; }

  TableView<Parameter> Parameters() const { return Table<Parameter>(Header().parameters); }
  TableView<Kernel> Kernels() const { return Table<Kernel>(Header().kernels); }
  TableView<Function> Functions() const { return Table<Function>(Header().functions); }

 private:
  const char* bytes_;
};

// An error in words where there is no plan, or not one that this runtime can run.
Status LoadPlan(const Plan** plan);

// Checks `num_bytes` bytes, at a multiple of 4, that should be a plan. (plan_check.cc)
Status CheckPlan(const char* bytes, uint32_t num_bytes);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_PLAN_READER_H_
