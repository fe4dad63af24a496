// Whether a metadata is one that the compiler could have written. It comes from files that anybody
// may have changed, and what it says becomes sizes of allocations and offsets into weights.bin.

#ifndef CARAT_LIBRARY_METADATA_CHECK_H_
#define CARAT_LIBRARY_METADATA_CHECK_H_

#include <string_view>

#include "carat/library/metadata.h"

namespace carat::library {

// Throws Error naming the field, or the weight, that cannot be. `where` names the source.
void CheckMetadata(const LibraryMetadata& metadata, std::string_view where);

}  // namespace carat::library

#endif  // CARAT_LIBRARY_METADATA_CHECK_H_
