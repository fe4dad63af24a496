# Libraries Carat stands on: Debian's packages, and apache-tvm-ffi from its wheel. Debian's become part of
# the program and of libcarat.so (headers, archives), so that both run on machines that lack them.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED)  # Beast and Asio, which are headers

# fmt, of which Debian has no archive; an fmt whose parts are not known here is linked as it is installed.
if(fmt_VERSION VERSION_GREATER_EQUAL 9.1 AND fmt_VERSION VERSION_LESS 10)
  add_library(carat_fmt STATIC ${CMAKE_SOURCE_DIR}/cmake/static_fmt.cc)
  target_include_directories(carat_fmt SYSTEM INTERFACE
                             $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  add_library(carat_fmt INTERFACE)
  target_link_libraries(carat_fmt INTERFACE fmt::fmt)
endif()

# Line editing (Debian: libedit-dev, with the packages it depends on), shared where there is no archive.
find_library(CARAT_LIBEDIT_ARCHIVE libedit.a)
find_library(CARAT_LIBBSD_ARCHIVE libbsd.a)
find_library(CARAT_LIBTINFO_ARCHIVE libtinfo.a)
if(CARAT_LIBEDIT_ARCHIVE AND CARAT_LIBBSD_ARCHIVE AND CARAT_LIBTINFO_ARCHIVE)
  set(CARAT_LINE_EDITING ${CARAT_LIBEDIT_ARCHIVE} ${CARAT_LIBBSD_ARCHIVE} ${CARAT_LIBTINFO_ARCHIVE})
else()
  find_library(CARAT_LIBEDIT edit REQUIRED)
  set(CARAT_LINE_EDITING ${CARAT_LIBEDIT})
endif()

if(CARAT_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# The wheel of requirements.txt, installed into .venv (quickstart does) or any Python given.
set(python_default "${CMAKE_SOURCE_DIR}/.venv/bin/python")
if(SKBUILD)
  set(python_default "${Python_EXECUTABLE}")
endif()
set(CARAT_PYTHON "${python_default}" CACHE FILEPATH "The Python that has apache-tvm-ffi installed")
if(SKBUILD)
  include(CaratCopyTvmFfi)
endif()
execute_process(COMMAND ${CARAT_PYTHON} -m tvm_ffi.config --cmakedir
                OUTPUT_VARIABLE tvm_ffi_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE tvm_ffi_missing)
if(tvm_ffi_missing)
  message(FATAL_ERROR "apache-tvm-ffi is not installed for ${CARAT_PYTHON}: run "
                      "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
endif()
set(Python_EXECUTABLE ${CARAT_PYTHON})
find_package(tvm_ffi CONFIG REQUIRED)
