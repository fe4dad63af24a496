// EXPECT_ERROR(statement, "part", ...): the statement throws carat::Error whose message has every
// part.

#ifndef CARAT_TESTS_BASE_EXPECT_ERROR_H_
#define CARAT_TESTS_BASE_EXPECT_ERROR_H_

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "carat/base/error.h"

namespace carat {

template <typename Function>
void ExpectError(Function function, std::initializer_list<std::string> parts) {
  try {
    function();
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos)
          << "the message\n  " << message << "\ndoes not have\n  " << part;
    }
    return;
  }
  ADD_FAILURE() << "no Error was thrown";
}

}  // namespace carat

#define EXPECT_ERROR(statement, ...)                                 \
  do {                                                               \
    SCOPED_TRACE(#statement);                                        \
    ::carat::ExpectError([&] { (void)(statement); }, {__VA_ARGS__}); \
  } while (false)

#endif  // CARAT_TESTS_BASE_EXPECT_ERROR_H_
