# carat_room(<room> [DEPS <rooms>...] [LIBS <targets>...] [EXCLUDE <files>...] [TEST_PROPERTIES ...]):
# the static library carat_<room> from the room's *.cc, and the test program carat_<room>_test from
# tests/<room>/*_test.cc. TEST_PROPERTIES are CTest's, for each of its tests.
function(carat_room room)
  cmake_parse_arguments(ROOM "" "" "DEPS;LIBS;EXCLUDE;TEST_PROPERTIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(TRANSFORM ROOM_EXCLUDE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources "" ${ROOM_EXCLUDE})
  list(TRANSFORM ROOM_DEPS PREPEND carat_)
  if(sources)
    add_library(carat_${room} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(carat_${room} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(carat_${room} ${scope} carat_options ${ROOM_DEPS} ${ROOM_LIBS})
  carat_room_tests(${room} ${ROOM_TEST_PROPERTIES})
endfunction()

add_custom_target(carat_core_tests)

# The compiler of tests that compile models.
set(memory ${CMAKE_BINARY_DIR}/tests/compiled)
set(CARAT_TEST_CXX ${CMAKE_BINARY_DIR}/tests/remembering_cxx)
configure_file(${CMAKE_SOURCE_DIR}/tests/remembering_cxx.in ${CARAT_TEST_CXX} @ONLY
               FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

function(carat_room_tests room)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${room}/*_test.cc)
  if(NOT CARAT_TESTS OR NOT tests)
    return()
  endif()
  add_executable(carat_${room}_test ${tests})
  target_link_libraries(carat_${room}_test PRIVATE carat_${room} GTest::gtest GTest::gmock
                        GTest::gtest_main)
  target_compile_definitions(carat_${room}_test PRIVATE CARAT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(NOT room STREQUAL kernels)  # whose templates the tests instantiate
    carat_optimise_little(carat_${room}_test)
  endif()
  # The rooms that read what others wrote, which the sanitizers are for before all.
  set(labels "")
  if(room MATCHES "^(base|checkpoint|model|text|library)$")
    set(labels LABELS core)
    add_dependencies(carat_core_tests carat_${room}_test)
  endif()
  # `./test --quick` leaves out the suites whose name ends in Slow.
  gtest_discover_tests(carat_${room}_test DISCOVERY_MODE PRE_TEST TEST_FILTER "-*Slow.*"
                       PROPERTIES ${ARGN} TIMEOUT 600 ${labels})
  gtest_discover_tests(carat_${room}_test DISCOVERY_MODE PRE_TEST TEST_FILTER "*Slow.*"
                       PROPERTIES ${ARGN} TIMEOUT 1500 LABELS slow)
endfunction()
