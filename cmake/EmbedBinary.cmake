# Script: writes OUT, a source file that includes HEADER and defines FUNCTION (its whole signature,
# in namespace NAMESPACE) to return the bytes of FILE as a std::span<const std::byte>.
file(READ ${FILE} bytes HEX)
string(REPEAT "[0-9a-f]" 40 line)
string(REGEX REPLACE "(${line})" "\\1\n    " bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "// Made by cmake/EmbedBinary.cmake.

#include \"${HEADER}\"

namespace ${NAMESPACE} {

${FUNCTION} {
  static constexpr unsigned char kBytes[] = {
    ${bytes}
  };
  return std::as_bytes(std::span(kBytes));
}

}  // namespace ${NAMESPACE}
")
