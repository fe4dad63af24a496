# Script of carat_embed: MANIFEST has a "root|path" a line, OUT is the source file to write, which defines FUNCTION. A
# string literal may not be arbitrarily long, so each file becomes an array of lines' pieces joined by the compiler.
file(STRINGS ${MANIFEST} entries)
set(code "// Made by cmake/EmbedFiles.cmake.\n\n#include \"carat/compiler/embedded_files.h\"\n\n")
string(APPEND code "namespace carat::compiler {\n\nstd::span<const EmbeddedFile> ${FUNCTION}() {\n")
string(APPEND code "  static constexpr EmbeddedFile kFiles[] = {\n")
foreach(entry ${entries})
  string(REPLACE "|" ";" entry "${entry}")
  list(GET entry 0 root)
  list(GET entry 1 path)
  file(READ ${root}/${path} text HEX)
  # Escape by value, so that nothing in a file can end the literal: 32 bytes a line.
  string(REPEAT "[0-9a-f]" 64 piece)
  string(REGEX REPLACE "(${piece})" "\\1\"\n       \"" text "${text}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" text "${text}")
  string(APPEND code "      {\"${path}\",\n       \"${text}\"},\n")
endforeach()
string(APPEND code "  };\n  return kFiles;\n}\n\n}  // namespace carat::compiler\n")
file(WRITE ${OUT} "${code}")
