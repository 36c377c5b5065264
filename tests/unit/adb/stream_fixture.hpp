// A link that is online, with one stream on it, for tests of what passes between them. One thread.
#pragma once
#include <gmock/gmock.h>

#include "support/fake_adbd.hpp"

namespace drover::test {

class StreamFixture : public LinkFixture {
protected:
    // Opens stream 1 and lets the phone accept it as 70.
    void open_one(std::string_view first_okay = {}) {
        ASSERT_EQ(link->open("shell:x", stream).value(), 1u);
        (void)sent();
        ASSERT_TRUE(feed(adb::Command::okay, 70, 1, first_okay));
        ASSERT_EQ(stream.opened, 1);
    }
    NotedStream stream, other;
};

}  // namespace drover::test
