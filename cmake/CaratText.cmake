# rust/carat-text as the imported library carat_text_rust. Cargo builds it once (minutes) into the source
# tree's target folder, which all build folders share, and again only when its own files change.
# Debian 12 has cargo and rustc new enough as cargo-web and rustc-web; rustup's do as well.
find_program(CARAT_CARGO cargo)
if(NOT CARAT_CARGO)
  message(FATAL_ERROR "cargo is not installed; on Debian 12: apt-get install cargo-web rustc-web")
endif()

set(rust_dir ${CMAKE_SOURCE_DIR}/rust/carat-text)
set(rust_library ${CMAKE_BINARY_DIR}/libcarat_text_rust.a)
file(GLOB rust_sources CONFIGURE_DEPENDS ${rust_dir}/src/*.rs)
add_custom_command(
  OUTPUT ${rust_library}
  COMMAND ${CARAT_CARGO} build --release --locked --quiet --manifest-path ${rust_dir}/Cargo.toml
          --target-dir ${rust_dir}/target
  COMMAND ${CMAKE_COMMAND} -E copy ${rust_dir}/target/release/libcarat_text.a ${rust_library}
  DEPENDS ${rust_sources} ${rust_dir}/Cargo.toml ${rust_dir}/Cargo.lock
  COMMENT "Building rust/carat-text (the first time takes some 3 minutes)"
  VERBATIM)
add_custom_target(carat_text_rust_build DEPENDS ${rust_library})

add_library(carat_text_rust STATIC IMPORTED GLOBAL)
add_dependencies(carat_text_rust carat_text_rust_build)
set_target_properties(carat_text_rust PROPERTIES IMPORTED_LOCATION ${rust_library})
# What a Rust staticlib needs of the system; sections that nothing calls are dropped.
target_link_libraries(carat_text_rust INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_options(carat_text_rust INTERFACE -Wl,--gc-sections)
