# What the Python package has of C++: the program and libcarat.so, installed by
#
#   cmake --install build --component python --prefix DIR
#
# as DIR/carat/_native. There both find libtvm_ffi.so in the package tvm_ffi beside carat; where it lies
# elsewhere, python/carat/__main__.py says so to the program, and Python has loaded it before libcarat.so.
set(CARAT_BUILT "" CACHE PATH "Take them from this build folder and build nothing")

if(CARAT_BUILT)
  add_custom_target(carat_python)
  install(CODE "execute_process(COMMAND ${CMAKE_COMMAND} --install ${CARAT_BUILT} --component python --strip
                  --prefix \${CMAKE_INSTALL_PREFIX} COMMAND_ERROR_IS_FATAL ANY)" COMPONENT python)
  return()
endif()

add_custom_target(carat_python)
add_dependencies(carat_python carat carat_shared)
set_target_properties(carat carat_shared PROPERTIES INSTALL_RPATH "$ORIGIN/../../tvm_ffi/lib")
install(TARGETS carat carat_shared COMPONENT python
        RUNTIME DESTINATION carat/_native LIBRARY DESTINATION carat/_native)
