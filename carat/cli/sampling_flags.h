// How to sample: the flags that commands share.

#ifndef CARAT_CLI_SAMPLING_FLAGS_H_
#define CARAT_CLI_SAMPLING_FLAGS_H_

#include "carat/engine/sampler.h"

namespace CLI {
class App;
}

namespace carat::cli {

void AddSamplingFlags(CLI::App& command, engine::SamplingOverrides& flags);

}  // namespace carat::cli

#endif  // CARAT_CLI_SAMPLING_FLAGS_H_
