// Types that every room speaks of.

#ifndef CARAT_BASE_TYPES_H_
#define CARAT_BASE_TYPES_H_

#include <cstdint>

namespace carat {

using TokenId = int32_t;

}  // namespace carat

#endif  // CARAT_BASE_TYPES_H_
