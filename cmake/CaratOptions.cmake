# Language, warnings and sanitizers, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(CARAT_SANITIZE "" CACHE STRING "Sanitizers for every target: address,undefined or thread")
option(CARAT_TESTS "Build the tests" ON)
option(CARAT_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

add_library(carat_options INTERFACE)
target_compile_options(carat_options INTERFACE -Wall -Wextra -Werror)
target_compile_definitions(carat_options INTERFACE CARAT_VERSION="${CARAT_VERSION}")
target_include_directories(carat_options INTERFACE ${CMAKE_SOURCE_DIR})
if(CARAT_SANITIZE)
  target_compile_options(carat_options INTERFACE -fsanitize=${CARAT_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(carat_options INTERFACE -fsanitize=${CARAT_SANITIZE})
endif()
