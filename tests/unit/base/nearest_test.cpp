#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace drover {
namespace {

TEST(Nearest, EditDistanceCountsSwapsAsOne) {
    EXPECT_EQ(edit_distance("", ""), 0U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("timeout", "timeotu"), 1U);
    EXPECT_EQ(edit_distance("timeout", "tmeout"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance(std::string(1000, 'a'), "a"), 1000U);  // over the limit: as far as can be
}

TEST(Nearest, FindsTheTypedKey) {
    constexpr std::array<std::string_view, 4> kKeys{"name", "run", "timeout", "continue-on-error"};
    EXPECT_EQ(nearest("timout", kKeys), "timeout");
    EXPECT_EQ(nearest("Timeout", kKeys), "timeout");
    EXPECT_EQ(nearest("continue_on_error", kKeys), "continue-on-error");
    EXPECT_EQ(nearest("nmae", kKeys), "name");
    EXPECT_EQ(nearest("elephant", kKeys), "");
    EXPECT_EQ(nearest("", kKeys), "");
    EXPECT_EQ(did_you_mean("rnu", kKeys), " (did you mean 'run'?)");
    EXPECT_EQ(did_you_mean("zzz", kKeys), "");
}

}  // namespace
}  // namespace drover
