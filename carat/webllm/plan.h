// What a compiled model is to the WebLLM runtime: the plan, one block of bytes appended to the
// template .wasm. The compiler writes it, the runtime (freestanding, wasm32) reads it in place, so
// it is made of 32-bit little-endian words and of text, and offsets instead of pointers.
//
//     [PlanHeader] [tables, in any order, each at a multiple of 4] [text]
//
// It says which functions the model library has (embed, prefill, decode, ...), and for each the GPU
// kernels to launch in order: on which buffers, with which numbers, on how many workgroups.
// Whatever depends on the step is an Expression of a few variables.

#ifndef CARAT_WEBLLM_PLAN_H_
#define CARAT_WEBLLM_PLAN_H_

#include <stdint.h>  // NOLINT(modernize-deprecated-headers): freestanding C++ has no <cstdint>

namespace carat::webllm {

inline constexpr uint32_t kPlanMagic = 0x4c504343;  // "CCPL"
inline constexpr uint32_t kPlanVersion = 1;

// `count` elements from `offset` bytes after the plan's first.
struct Span {
  uint32_t offset;
  uint32_t count;
};

using Text = Span;  // of ASCII characters; no NUL behind them

enum class Variable : uint32_t {
  kZero,      // 0
  kTokens,    // the tokens of this call; in functions of logits, the entries given
  kPosition,  // tokens in the KV cache before this call
  kTotal,     // kPosition + kTokens
  kContext,   // tokens the KV cache has room for
};

// clamp(ceil((variable * multiplier + addend) / divisor), minimum, maximum), in 64 bits.
struct Expression {
  Variable variable;
  uint32_t multiplier;
  uint32_t addend;
  uint32_t divisor;  // not 0
  uint32_t minimum;
  uint32_t maximum;
};

enum class ElementType : uint32_t { kI32, kU32, kF16, kF32 };

// A tensor that comes in or goes out. Its shape must be this one, whatever its rank, when leading
// ones are dropped from both.
struct TensorType {
  ElementType element;
  Span dimensions;  // of Expression
};

// A weight as it is loaded, in the order of the metadata's "params".
struct Parameter {
  Text name;
  uint32_t num_bytes;
};

// Where a buffer of a kernel lives.
enum class Place : uint32_t {
  kScratch,    // intermediate values: one for the library, made at the first call
  kCache,      // the KV cache: one for each state made by create_tir_paged_kv_cache
  kMerged,     // weights copied together: made once, from the parameters (Copy)
  kParameter,  // a weight as it was loaded
  kArgument,   // the call's n-th tensor
  kResult,     // the n-th tensor that the call returns
};

struct Reference {
  Place place;
  uint32_t index;
};

// A GPU buffer's size in bytes. Of kCache it may use kContext, of others only kZero. What is in a
// new buffer, results too, is not defined.
using BufferSize = Expression;

// Done once for a set of parameters, before they are first used.
struct Copy {
  uint32_t parameter;
  uint32_t merged;
  uint32_t merged_offset;  // bytes, a multiple of 4
  uint32_t num_bytes;      // all of the parameter
};

struct Kernel {
  Text name;  // the entry point of its WGSL, and its key in webgpu.get_fmap: of [A-Za-z0-9_.]
  // JSON: {"name", "arg_types", "launch_param_tags"} as WebLLM's createShader reads them. The tags
  // are blockIdx.x, blockIdx.y, paramWriteAccess: both numbers of the grid are always passed.
  Text info;
  Text wgsl;
};

struct Launch {
  uint32_t kernel;
  Span buffers;  // of Reference, in the order of the kernel's bindings; with scalars, at most 62
  Span scalars;  // of Expression, u32 each, in the order of the kernel's uniform
  Expression grid_x;
  Expression grid_y;
};

enum class Returns : uint32_t {
  kNothing,
  kTensor,          // results[0]
  kArray,           // an ffi.Array of all results
  kArrayWithState,  // [results..., the KV state], as TVM's prefill and decode return it
};

// A function of the model library. Its arguments are found by their types: tensors in order
// (kArgument), the KV state, and the array of parameters.
struct Function {
  Text name;       // "prefill"
  Span arguments;  // of TensorType, at most 16
  Span results;    // of TensorType, at most 16
  Returns returns;
  // Variable::kTokens is the number of elements of this argument divided by the number below. The
  // runtime refuses a call where it does not divide.
  uint32_t tokens_argument;
  uint32_t tokens_divisor;
  uint32_t max_tokens;
  uint32_t uses_state;  // 1: must be called between kv_state_begin_forward and end_forward
  Span launches;        // of Launch
};

struct PlanHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t num_bytes;    // of the whole plan
  Text carat_version;    // of the compiler, for messages
  Text model;            // "gemma3_text, q4f16_1", for messages
  Text metadata;         // JSON, what _metadata returns
  Span parameters;       // of Parameter
  Span scratch;          // of BufferSize
  Span cache;            // of BufferSize
  Span merged;           // of BufferSize
  Span copies;           // of Copy
  Span kernels;          // of Kernel
  Span functions;        // of Function
  uint32_t max_context;  // the most that kContext may be
};

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_PLAN_H_
