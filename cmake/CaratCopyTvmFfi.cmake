# pip builds with a tvm_ffi that it has put into a new temporary folder each time, and all of Carat would be
# compiled again for its new path. So the build uses a copy, of which only what differs is written.
execute_process(COMMAND ${CARAT_PYTHON} -c
                "import importlib.util; print(importlib.util.find_spec('tvm_ffi').submodule_search_locations[0])"
                OUTPUT_VARIABLE tvm_ffi_folder OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
set(tvm_ffi_copy ${CMAKE_BINARY_DIR}/tvm_ffi_copy)
file(GLOB_RECURSE tvm_ffi_files RELATIVE ${tvm_ffi_folder} ${tvm_ffi_folder}/*)
foreach(file ${tvm_ffi_files})
  cmake_path(GET file PARENT_PATH parent)
  file(MAKE_DIRECTORY ${tvm_ffi_copy}/tvm_ffi/${parent})
  file(COPY_FILE ${tvm_ffi_folder}/${file} ${tvm_ffi_copy}/tvm_ffi/${file} ONLY_IF_DIFFERENT)
endforeach()
set(ENV{PYTHONPATH} "${tvm_ffi_copy}:$ENV{PYTHONPATH}")
