// What a compiled library says to arguments of the wrong number, type, shape or place. (What it
// says to wrong contents, tests/end_to_end/library_border_test.cc asks a compiled one.)

#include "carat/kernels/cpu/library_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace carat::cpu {
namespace {

using ::testing::HasSubstr;

constexpr LibraryLimits kLimits = {.vocab_size = 32,
                                   .context_window_size = 64,
                                   .prefill_chunk_size = 8,
                                   .max_batch_size = 2,
                                   .weights_bytes = 128,
                                   .page_bytes = 256,
                                   .ring_bytes = 256,
                                   .scratch_shared_bytes = 64,
                                   .scratch_thread_bytes = 64};

enum Argument {
  kWeights,
  kKvPages,
  kKvRings,
  kScratch,
  kSequences,
  kPageTable,
  kTokens,
  kLogitRows,
  kLogits,
  kPool,
  kNumArguments
};

// The arguments of a sound step of one token, to be spoiled.
class LibraryEntryTest : public ::testing::Test {
 protected:
  LibraryEntryTest() {
    Set(kWeights, {kDLUInt, 8, 1}, {128}, buffer_);
    Set(kKvPages, {kDLUInt, 8, 1}, {2, 256}, buffer_);
    Set(kKvRings, {kDLUInt, 8, 1}, {2, 256}, buffer_);
    Set(kScratch, {kDLUInt, 8, 1}, {128}, buffer_);
    Set(kSequences, {kDLInt, 32, 1}, {1, 3}, sequence_);
    Set(kPageTable, {kDLInt, 32, 1}, {1, 1}, zeros_);
    Set(kTokens, {kDLInt, 32, 1}, {1}, zeros_);
    Set(kLogitRows, {kDLInt, 32, 1}, {1}, zeros_);
    Set(kLogits, {kDLFloat, 32, 1}, {1, 32}, buffer_);
    args_[kPool].type_index = kTVMFFINone;
  }

  void Set(Argument i, DLDataType type, std::vector<int64_t> shape, void* data) {
    shapes_[i] = std::move(shape);
    tensors_[i] = {};
    tensors_[i].data = data;
    tensors_[i].device = {kDLCPU, 0};
    tensors_[i].ndim = static_cast<int32_t>(shapes_[i].size());
    tensors_[i].dtype = type;
    tensors_[i].shape = shapes_[i].data();
    args_[i] = {};
    args_[i].type_index = kTVMFFIDLTensorPtr;
    args_[i].v_ptr = &tensors_[i];
  }

  std::string Error(int32_t num_args = kNumArguments) const {
    ForwardCall call;
    return ReadForwardCall(args_.data(), num_args, kLimits, call);
  }

  alignas(64) uint8_t buffer_[1024] = {};
  int32_t sequence_[3] = {0, 0, 1};
  int32_t zeros_[4] = {};
  std::array<std::vector<int64_t>, kNumArguments> shapes_;
  std::array<DLTensor, kNumArguments> tensors_;
  std::array<TVMFFIAny, kNumArguments> args_ = {};
};

TEST_F(LibraryEntryTest, TakesASoundCall) { EXPECT_EQ(Error(), ""); }

TEST_F(LibraryEntryTest, RefusesAnotherNumberOfArguments) {
  EXPECT_EQ(Error(0), "takes 10 arguments, but got 0");
  EXPECT_EQ(Error(9), "takes 10 arguments, but got 9");
  EXPECT_EQ(Error(11), "takes 10 arguments, but got 11");
}

TEST_F(LibraryEntryTest, RefusesWhatIsNoTensor) {
  args_[kTokens].type_index = kTVMFFIInt;
  EXPECT_EQ(Error(), "tokens is not a tensor");
}

TEST_F(LibraryEntryTest, RefusesAPoolThatIsNone) {
  args_[kPool].type_index = kTVMFFIInt;
  EXPECT_THAT(Error(), HasSubstr("pool is neither None nor a pointer"));
}

TEST_F(LibraryEntryTest, RefusesOtherElementTypes) {
  tensors_[kTokens].dtype.bits = 64;
  EXPECT_EQ(Error(), "tokens has the wrong element type, expected int32");
  tensors_[kTokens].dtype = {kDLUInt, 32, 1};
  EXPECT_EQ(Error(), "tokens has the wrong element type, expected int32");
  tensors_[kTokens].dtype = {kDLInt, 32, 1};
  tensors_[kLogits].dtype.bits = 16;
  EXPECT_EQ(Error(), "logits has the wrong element type, expected float32");
  tensors_[kWeights].dtype.code = kDLInt;
  EXPECT_EQ(Error(), "weights has the wrong element type, expected uint8");
}

TEST_F(LibraryEntryTest, RefusesMemoryOfOtherDevices) {
  tensors_[kLogits].device.device_type = kDLCUDA;
  EXPECT_EQ(Error(), "logits is not in CPU memory");
}

TEST_F(LibraryEntryTest, RefusesMisalignedMemory) {
  for (const auto& [argument, offset, what] :
       {std::tuple{kWeights, 32, "weights does not begin at a multiple of 64 bytes"},
        {kKvPages, 2, "kv_pages does not begin at a multiple of 4 bytes"},
        {kKvRings, 2, "kv_rings does not begin at a multiple of 4 bytes"},
        {kScratch, 32, "scratch does not begin at a multiple of 64 bytes"},
        {kSequences, 1, "sequences does not begin at a multiple of 4 bytes"},
        {kPageTable, 1, "page_table does not begin at a multiple of 4 bytes"},
        {kTokens, 1, "tokens does not begin at a multiple of 4 bytes"},
        {kLogitRows, 1, "logit_rows does not begin at a multiple of 4 bytes"},
        {kLogits, 1, "logits does not begin at a multiple of 4 bytes"}}) {
    tensors_[argument].byte_offset = offset;
    EXPECT_EQ(Error(), what);
    tensors_[argument].byte_offset = 0;
  }
}

TEST_F(LibraryEntryTest, RefusesTensorsWithoutData) {
  tensors_[kKvPages].data = nullptr;
  EXPECT_EQ(Error(), "kv_pages has no data");
}

TEST_F(LibraryEntryTest, RefusesSizesWhoseProductOverflows) {
  shapes_[kKvPages] = {int64_t{1} << 62, 256};
  tensors_[kKvPages].shape = shapes_[kKvPages].data();
  EXPECT_EQ(Error(), "kv_pages is larger than memory can be");
}

}  // namespace
}  // namespace carat::cpu
