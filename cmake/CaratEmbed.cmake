# carat_embed_headers(<out.cc> ROOT <dir> GLOB <pattern> [ROOT <dir> GLOB <pattern>]...): writes a source file that
# defines carat::compiler::EmbeddedHeaders(), the text of every matching header with its path below its root. The file
# is made again when a header changes.
function(carat_embed_headers out)
  set(files)
  set(arguments ${ARGN})
  set(manifest)
  while(arguments)
    list(POP_FRONT arguments root_key root glob_key pattern)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS RELATIVE ${root} ${root}/${pattern})
    foreach(file ${found})
      list(APPEND files ${root}/${file})
      string(APPEND manifest "${root}|${file}\n")
    endforeach()
  endwhile()
  file(WRITE ${out}.manifest "${manifest}")
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${out}.manifest -DOUT=${out}
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedHeaders.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedHeaders.cmake
    COMMENT "Embedding the kernels"
    VERBATIM)
endfunction()
