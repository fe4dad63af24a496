#include "carat/cli/checked_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace carat::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What a validator says to a text; nothing if it takes it.
std::string Problem(const CLI::Validator& validator, std::string text) { return validator(text); }

void ExpectTaken(const CLI::Validator& validator, std::initializer_list<const char*> texts) {
  for (const char* text : texts) EXPECT_THAT(Problem(validator, text), IsEmpty()) << text;
}

void ExpectRefused(const CLI::Validator& validator, std::initializer_list<const char*> texts,
                   const std::string& expected) {
  for (const char* text : texts) {
    EXPECT_THAT(Problem(validator, text),
                AllOf(HasSubstr(std::string("'") + text + "'"), HasSubstr(expected)));
  }
}

TEST(WholeNumber, IsOneInItsRange) {
  ExpectTaken(WholeNumber(0, 1024), {"0", "7", "1024"});
  ExpectRefused(
      WholeNumber(0, 1024),
      {"", " ", "-1", "1025", "+1", "1.5", "1e2", "0x10", "1 ", " 1", "1k", "99999999999999999999"},
      "expected a whole number from 0 to 1024");
}

TEST(SeedNumber, Has64BitsAndNoSign) {
  ExpectTaken(SeedNumber(), {"0", "18446744073709551615"});
  ExpectRefused(SeedNumber(), {"", "-1", "18446744073709551616", "1.0", "seed"}, "from 0 to");
}

TEST(Number, IsFiniteAndAccepted) {
  const CLI::Validator probability =
      Number([](double value) { return value >= 0 && value <= 1; }, "a number from 0 to 1");
  ExpectTaken(probability, {"0", "1", "0.5", ".5", "1e-3"});
  ExpectRefused(probability, {"", "nan", "inf", "-0.1", "1.1", "0,5", "0.5x", "1e999"},
                "expected a number from 0 to 1");
  const CLI::Validator any = Number([](double) { return true; }, "a number");
  ExpectRefused(any, {"nan", "-nan", "inf", "-infinity"}, "expected a number");
}

TEST(OutputFile, IsNeitherEmptyNorStandardOutput) {
  ExpectTaken(OutputFile(), {"logits.npy", "-x", "./-"});
  ExpectRefused(OutputFile(), {"", "-"}, "a file to write");
}

}  // namespace
}  // namespace carat::cli
