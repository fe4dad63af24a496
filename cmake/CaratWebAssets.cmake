# carat_web_assets(<out.cc>): a source file that defines carat::server::WebAssets(), the chat page of
# web/page and WebLLM. npm fetches WebLLM, the version that web/package-lock.json says with its hash,
# once and again when that file changes.
function(carat_web_assets out)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set(packages ${CMAKE_BINARY_DIR}/web)
  set(fetched ${packages}/fetched.stamp)
  add_custom_command(
    OUTPUT ${fetched}
    COMMAND ${CMAKE_COMMAND} "-DNPM=${CARAT_NPM}" -DFROM=${web} -DTO=${packages}
            -P ${CMAKE_SOURCE_DIR}/cmake/NpmCi.cmake
    DEPENDS ${web}/package.json ${web}/package-lock.json ${CMAKE_SOURCE_DIR}/cmake/NpmCi.cmake
    COMMENT "Fetching WebLLM"
    VERBATIM)
  file(GLOB page CONFIGURE_DEPENDS ${web}/page/*)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed_web_assets.py)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CARAT_PYTHON} ${script} ${out} ${page} --gzip
            web-llm.js=${packages}/node_modules/@mlc-ai/web-llm/lib/index.js
    DEPENDS ${page} ${fetched} ${script}
    COMMENT "Embedding the chat page"
    VERBATIM)
  # So that the page is embedded anew when it changes, which the compiler does not see.
  set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${page};${fetched}"
                              SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
