# Script: installs into TO what FROM/package-lock.json says, by the command NPM, unless it is there.
# cmake -DNPM="node;npm-cli.js" -DFROM=... -DTO=... -P NpmCi.cmake
set(stamp ${TO}/fetched.stamp)
if(EXISTS ${stamp} AND ${stamp} IS_NEWER_THAN ${FROM}/package.json AND
   ${stamp} IS_NEWER_THAN ${FROM}/package-lock.json)
  return()
endif()
file(MAKE_DIRECTORY ${TO})
file(COPY ${FROM}/package.json ${FROM}/package-lock.json DESTINATION ${TO})
execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
                WORKING_DIRECTORY ${TO} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "npm could not fetch what ${FROM}/package-lock.json lists (its reason is above). "
                      "It needs npm's registry once, over the network; then build again.")
endif()
file(TOUCH ${stamp})
