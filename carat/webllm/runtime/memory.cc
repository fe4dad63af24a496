// Freed blocks wait in lists by size class for the next of their class: JavaScript asks for the
// same few sizes again and again. Four classes a power of two waste at most a quarter of a block.

#include "carat/webllm/runtime/memory.h"

#include "carat/webllm/runtime/abi.h"
#include "carat/webllm/runtime/plan_location.h"

extern "C" char __heap_base;  // NOLINT(bugprone-reserved-identifier): wasm-ld's name

namespace carat::webllm {
namespace {

constexpr uint32_t kPageBytes = 65536;
constexpr uint32_t kMaxBlockBytes = 1u << 30;
constexpr int kNumClasses = 4 * 32;
constexpr uint32_t kInUse = 0x75736564;  // in Block::state; anything else is no allocation
constexpr uint32_t kFreed = 0x66726565;

// Stands before each allocation.
struct Block {
  uint32_t state;
  uint32_t size_class;
  Block* next;  // in its list
  uint32_t padding;
};
static_assert(sizeof(Block) == 16, "keeps allocations 16-byte aligned");

struct Heap {
  uint32_t start;
  uint32_t end;
  uint32_t num_allocations;
  Block* freed[kNumClasses];
};
Heap heap;

// Classes 4 e + m hold (4 + m) * 2^e bytes.
uint32_t ClassBytes(uint32_t size_class) { return (4 + size_class % 4) << (size_class / 4); }

uint32_t ClassOf(uint32_t num_bytes) {
  const uint32_t exponent = 29 - static_cast<uint32_t>(__builtin_clz(num_bytes));
  const uint32_t size_class = 4 * exponent + (num_bytes >> exponent) - 4;
  return ClassBytes(size_class) < num_bytes ? size_class + 1 : size_class;
}

bool Reserve(uint64_t end) {
  const uint64_t have = uint64_t{__builtin_wasm_memory_size(0)} * kPageBytes;
  if (end <= have) return true;
  const uint64_t pages = (end - have + kPageBytes - 1) / kPageBytes;
  return pages <= 65536 && __builtin_wasm_memory_grow(0, pages) != SIZE_MAX;
}

uint32_t AlignedUp(uint32_t address) { return (address + 15) & ~15u; }

void StartHeap() {
  const uint32_t heap_base = AddressOf(&__heap_base);
  const uint64_t plan_end = uint64_t{carat_plan.address} + carat_plan.num_bytes;
  const bool behind_plan = plan_end > heap_base && InMemory(&__heap_base, plan_end - heap_base);
  heap.start = AlignedUp(behind_plan ? static_cast<uint32_t>(plan_end) : heap_base);
  heap.end = heap.start;
}

Block* BlockOf(void* allocation) {
  const uint32_t address = AddressOf(allocation);
  if (address % 16 != 0 || address < heap.start + sizeof(Block) || address >= heap.end) {
    return nullptr;
  }
  auto* block = AtAddress<Block>(address - sizeof(Block));
  return block->state == kInUse ? block : nullptr;
}

}  // namespace

uint32_t AddressOf(const void* pointer) { return reinterpret_cast<uint32_t>(pointer); }

bool InMemory(const void* address, uint64_t num_bytes) {
  const uint64_t start = AddressOf(address);
  const uint64_t end = uint64_t{__builtin_wasm_memory_size(0)} * kPageBytes;
  return start >= 1024 && num_bytes <= end && start <= end - num_bytes;
}

void* Allocate(size_t num_bytes) {
  if (heap.start == 0) StartHeap();
  if (num_bytes > kMaxBlockBytes) return nullptr;
  const uint32_t size_class = ClassOf(static_cast<uint32_t>(num_bytes + sizeof(Block)));
  Block* block = heap.freed[size_class];
  if (block != nullptr) {
    heap.freed[size_class] = block->next;
  } else {
    const uint64_t end = uint64_t{heap.end} + AlignedUp(ClassBytes(size_class));
    if (end > UINT32_MAX || !Reserve(end)) return nullptr;
    block = AtAddress<Block>(heap.end);
    heap.end = static_cast<uint32_t>(end);
  }
  *block = {kInUse, size_class, nullptr, 0};
  ++heap.num_allocations;
  return block + 1;
}

void Free(void* allocation) {
  Block* block = BlockOf(allocation);
  if (block == nullptr) return;
  block->state = kFreed;
  block->next = heap.freed[block->size_class];
  heap.freed[block->size_class] = block;
  --heap.num_allocations;
}

void* Reallocate(void* old, size_t old_bytes, size_t new_bytes) {
  void* grown = Allocate(new_bytes);
  if (grown == nullptr) return nullptr;
  if (old != nullptr) __builtin_memcpy(grown, old, old_bytes);
  Free(old);
  return grown;
}

CARAT_WASM_EXPORT(TVMWasmAllocSpace) void* TVMWasmAllocSpace(int32_t num_bytes) {
  return num_bytes < 0 ? nullptr : Allocate(static_cast<uint32_t>(num_bytes));
}

CARAT_WASM_EXPORT(TVMWasmFreeSpace) void TVMWasmFreeSpace(void* allocation) { Free(allocation); }

// For tests: what is allocated and not freed.
CARAT_WASM_EXPORT(CaratNumAllocations) uint32_t CaratNumAllocations() {
  return heap.num_allocations;
}

}  // namespace carat::webllm
