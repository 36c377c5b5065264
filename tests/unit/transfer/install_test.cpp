// What a phone's package manager answers: what becomes of it.
#include "transfer/install.hpp"

#include <gmock/gmock.h>

namespace drover::transfer {
namespace {

using ::testing::StartsWith;

// Of an app of two packages: the second leg's service after `created`, or why there is none.
std::string after(std::string_view created) {
    adb::Peer peer;
    peer.features = adb::Features::parse("cmd");
    const auto script = install_script({{"/a.apk", "a.apk", 1}, {"/b.apk", "b.apk", 2}}, {});
    const auto first = script->next(peer);
    EXPECT_EQ((*first)->service, "exec:cmd package install-create -S 3");
    EXPECT_TRUE((*first)->task->feed(as_bytes(created)));
    EXPECT_TRUE((*first)->task->finish());
    const auto second = script->next(peer);
    return second ? (*second)->service : second.error().message;
}

TEST(Install, TheSessionIsANumber) {
    EXPECT_EQ(after("Success: created install session [2147483647]\n"),
              "exec:cmd package install-write -S 1 2147483647 'a.apk' -");
    for (const char* none : {"Success [1; reboot]", "Success", "Success []", "Success ]1[", "Success [12345678901]"})
        EXPECT_THAT(after(none), StartsWith("no session number in: Success"));
}

}  // namespace
}  // namespace drover::transfer
