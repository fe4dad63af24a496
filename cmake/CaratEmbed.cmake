# carat_embed(<out.cc> <Function> ROOT <dir> GLOB <pattern> [ROOT <dir> GLOB <pattern>]...): writes a source file that
# defines carat::compiler::<Function>() of carat/compiler/embedded_files.h, the text of every matching file with its path
# below its root. The source is made again when a file changes.
function(carat_embed out function)
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
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${out}.manifest -DFUNCTION=${function} -DOUT=${out}
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
    COMMENT "Embedding the kernels"
    VERBATIM)
endfunction()
