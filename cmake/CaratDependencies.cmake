# Libraries Carat stands on: Debian's packages, and apache-tvm-ffi from its wheel.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
if(CARAT_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# The wheel of requirements.txt, installed into .venv (quickstart does) or any Python given.
set(CARAT_PYTHON "${CMAKE_SOURCE_DIR}/.venv/bin/python" CACHE FILEPATH
    "The Python that has apache-tvm-ffi installed")
execute_process(COMMAND ${CARAT_PYTHON} -m tvm_ffi.config --cmakedir
                OUTPUT_VARIABLE tvm_ffi_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE tvm_ffi_missing)
if(tvm_ffi_missing)
  message(FATAL_ERROR "apache-tvm-ffi is not installed for ${CARAT_PYTHON}: run "
                      "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
endif()
set(Python_EXECUTABLE ${CARAT_PYTHON})
find_package(tvm_ffi CONFIG REQUIRED)
