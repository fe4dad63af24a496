#include "carat/runtime/reservation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "carat/base/error.h"

namespace carat::runtime {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const auto kPage = static_cast<size_t>(sysconf(_SC_PAGESIZE));

TEST(Reservation, HoldsZerosThatCanBeWritten) {
  const Reservation reservation(3 * kPage + 5, "a test", "");
  ASSERT_EQ(reservation.bytes().size(), 3 * kPage + 5);
  EXPECT_THAT(reservation.bytes(), Each(std::byte{0}));
  std::ranges::fill(reservation.bytes(), std::byte{1});
  EXPECT_EQ(reservation.bytes().back(), std::byte{1});
}

TEST(Reservation, MayBeEmpty) {
  const Reservation reservation(0, "a test", "");
  EXPECT_TRUE(reservation.bytes().empty());
  reservation.GiveBack(0, 0);
}

TEST(Reservation, GivesBackThePagesThatLieWhollyInside) {
  const Reservation reservation(4 * kPage, "a test", "");
  std::ranges::fill(reservation.bytes(), std::byte{1});
  reservation.GiveBack(kPage - 1, kPage + 2);  // ends one byte into the third page
  EXPECT_EQ(reservation.bytes()[kPage - 1], std::byte{1});
  EXPECT_THAT(reservation.bytes().subspan(kPage, kPage), Each(std::byte{0}));
  EXPECT_THAT(reservation.bytes().subspan(2 * kPage), Each(std::byte{1}));
}

TEST(Reservation, GivesItsLastPageBackWhole) {
  const Reservation reservation(kPage + 10, "a test", "");
  std::ranges::fill(reservation.bytes(), std::byte{1});
  reservation.GiveBack(kPage, 10);
  EXPECT_THAT(reservation.bytes().subspan(kPage), Each(std::byte{0}));
  EXPECT_THAT(reservation.bytes().first(kPage), Each(std::byte{1}));
}

TEST(Reservation, SaysWhatItCannotReserveAndWhatToDo) {
  EXPECT_THAT([] { Reservation(size_t{1} << 50, "the moon", "ask for less"); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("cannot reserve 1073741824.0 MiB for the moon: Cannot allocate"),
                        HasSubstr("ask for less"))));
}

}  // namespace
}  // namespace carat::runtime
