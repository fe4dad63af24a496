// --overrides "key=value;key=value": compile options by mlc_llm's names, and fields of config.json.

#ifndef CARAT_COMPILER_OVERRIDES_H_
#define CARAT_COMPILER_OVERRIDES_H_

#include "carat/base/json.h"
#include "carat/compiler/compile.h"

namespace carat::compiler {

// Applies the list to the options (context_window_size, sliding_window_size, prefill_chunk_size,
// max_batch_size) and to config.json, whose fields it may only change, not add: a misspelt key is
// an Error.
void ApplyOverrides(CompileOptions& options, Json& config);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_OVERRIDES_H_
