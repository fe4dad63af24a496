# Language, warnings and sanitizers, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Warnings are errors where the code is known to have none; a newer compiler's new ones must not
# keep anybody from building.
set(werror OFF)
if((CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.") OR
   (CMAKE_CXX_COMPILER_ID STREQUAL Clang AND CMAKE_CXX_COMPILER_VERSION MATCHES "^14\\."))
  set(werror ON)
endif()
option(CARAT_WERROR "Warnings are errors" ${werror})
set(CARAT_SANITIZE "" CACHE STRING "Sanitizers for every target: address,undefined or thread")
option(CARAT_TESTS "Build the tests" ON)
option(CARAT_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

# For targets in whose own code no time is spent: they compile in half the time.
function(carat_optimise_little target)
  target_compile_options(${target} PRIVATE $<IF:$<CONFIG:Release>,-O1,-O0>)
endfunction()

add_library(carat_options INTERFACE)
target_compile_options(carat_options INTERFACE -Wall -Wextra $<$<BOOL:${CARAT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
  # False alarms for "text" + std::string (GCC bug 105651).
  target_compile_options(carat_options INTERFACE -Wno-restrict)
endif()
target_compile_definitions(carat_options INTERFACE CARAT_VERSION="${CARAT_VERSION}")
target_include_directories(carat_options INTERFACE ${CMAKE_SOURCE_DIR})
if(CARAT_SANITIZE)
  target_compile_options(carat_options INTERFACE -fsanitize=${CARAT_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(carat_options INTERFACE -fsanitize=${CARAT_SANITIZE})
endif()
if(CARAT_FUZZ)
  # Coverage for the fuzzer in every room; only the fuzz targets link its main.
  target_compile_options(carat_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
