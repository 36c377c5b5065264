#include "base/counted.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Counted, OneIsOne) {
    EXPECT_EQ(counted(0, "phone"), "0 phones");
    EXPECT_EQ(counted(1, "phone"), "1 phone");
    EXPECT_EQ(counted(10'000, "idle phone"), "10000 idle phones");
}

}  // namespace
}  // namespace drover
