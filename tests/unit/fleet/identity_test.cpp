#include "fleet/identity.hpp"

#include <gmock/gmock.h>

namespace drover::test {
namespace {

using fleet::IdentityBook;
using Rank = IdentityBook::Rank;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(IdentityBook, TheSamePhoneSeenTwiceHasOneHolder) {
    IdentityBook book;
    EXPECT_EQ(book.claim("rack-1", Rank::inventory, "S1", ""), "");
    EXPECT_EQ(book.claim("S1", Rank::discovered, "S1", "1-4"), "rack-1");
    EXPECT_EQ(book.claim("rack-1", Rank::inventory, "S1", ""), "") << "the holder may ask again";
    EXPECT_THAT(book.twins(), ElementsAre(Pair("S1", "rack-1")));
    book.release("rack-1");
    EXPECT_EQ(book.claim("S1", Rank::discovered, "S1", "1-4"), "");
}

TEST(IdentityBook, TheInventorysStaysWhoeverCameFirst) {
    IdentityBook book;
    int rung = 0;
    book.on_twin([&] { ++rung; });
    EXPECT_EQ(book.claim("S1", Rank::discovered, "S1", "1-4"), "");
    EXPECT_EQ(book.claim("rack-1", Rank::inventory, "S1", ""), "S1") << "a command may be running there";
    EXPECT_THAT(book.twins(), ElementsAre(Pair("S1", "rack-1")));
    EXPECT_EQ(book.claim("rack-1", Rank::inventory, "S1", ""), "S1");
    EXPECT_EQ(rung, 1) << "told once";
    book.release("S1");
    EXPECT_EQ(book.claim("rack-1", Rank::inventory, "S1", ""), "");
    book.forget("rack-1");
    EXPECT_THAT(book.twins(), IsEmpty());
}

TEST(IdentityBook, EqualSerialsAtTwoPortsAreTwoPhones) {
    IdentityBook book;
    EXPECT_EQ(book.claim("usb-1-1", Rank::discovered, "0123456789ABCDEF", "1-1"), "");
    EXPECT_EQ(book.claim("usb-1-2", Rank::discovered, "0123456789ABCDEF", "1-2"), "");
    EXPECT_EQ(book.claim("direct", Rank::inventory, "0123456789ABCDEF", "1-2"), "usb-1-2") << "one port, two ways";
    EXPECT_NE(book.claim("tcp", Rank::inventory, "0123456789ABCDEF", ""), "") << "nobody knows which of them it is";
}

TEST(IdentityBook, TwoOfTheInventoryBothStay) {
    IdentityBook book;
    EXPECT_EQ(book.claim("a", Rank::inventory, "S1", ""), "");
    EXPECT_EQ(book.claim("b", Rank::inventory, "S1", ""), "a");
    EXPECT_THAT(book.twins(), IsEmpty());
}

TEST(IdentityBook, OfTwoInTheInventoryTheEarlierOneIsToHaveIt) {
    IdentityBook book;
    std::vector<std::string> asked;
    const auto ask = [&](const std::string& to) { asked.push_back(to); };
    EXPECT_EQ(book.claim("b", Rank::inventory, "S1", "", 1, ask), "");
    EXPECT_EQ(book.claim("c", Rank::inventory, "S1", "", 2, ask), "b");
    EXPECT_THAT(asked, IsEmpty());
    EXPECT_EQ(book.claim("a", Rank::inventory, "S1", "", 0, ask), "b") << "a command may be running there";
    EXPECT_THAT(asked, ElementsAre("a"));
    book.hand_over("b", "a");
    EXPECT_EQ(book.claim("b", Rank::inventory, "S1", "", 1, ask), "a") << "it is kept for that one";
    EXPECT_EQ(book.claim("a", Rank::inventory, "S1", "", 0, ask), "");
    book.release("a");
    EXPECT_EQ(book.claim("b", Rank::inventory, "S1", "", 1, ask), "");
}

TEST(IdentityBook, WhoIsTheEarlierOneIsAskedOfTheInventoryAsItIsNow) {
    IdentityBook book;
    std::vector<std::string> asked;
    const auto ask = [&](const std::string& to) { asked.push_back(to); };
    EXPECT_EQ(book.claim("a", Rank::inventory, "S1", "", 0, ask), "");
    EXPECT_EQ(book.claim("b", Rank::inventory, "S1", "", 1, ask), "a");
    book.set_place("a", Rank::inventory, 1);
    EXPECT_EQ(book.claim("b", Rank::inventory, "S1", "", 0, ask), "a");
    EXPECT_THAT(asked, ElementsAre("b"));
}

TEST(IdentityBook, OneThatWasFoundFirstAndWrittenDownLaterIsOfTheInventory) {
    IdentityBook book;
    EXPECT_EQ(book.claim("S1", Rank::discovered, "S1", "1-4"), "");
    book.set_place("S1", Rank::inventory, 0);
    EXPECT_EQ(book.claim("rack-1", Rank::inventory, "S1", "", 1), "S1");
    EXPECT_THAT(book.twins(), IsEmpty()) << "both stay";
}

TEST(IdentityBook, WithoutASerialEachStandsForItself) {
    IdentityBook book;
    EXPECT_EQ(book.claim("a", Rank::discovered, "", ""), "");
    EXPECT_EQ(book.claim("b", Rank::discovered, "", ""), "");
}

}  // namespace
}  // namespace drover::test
