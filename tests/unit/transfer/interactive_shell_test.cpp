// How a shell with a person at its other end begins and ends, whatever the phone does.
#include "transfer/interactive_shell.hpp"

#include <gmock/gmock.h>

#include <future>

#include "support/fake_phone.hpp"

namespace drover::transfer {
namespace {

using test::FakeCarrier;
using test::FakeConnector;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShellEnds : public ::testing::Test, public InteractiveSink {
protected:
    ~ShellEnds() override {
        fleet.at(0, [this](FakeConnector&) { shell.reset(); });
    }
    // On the loop of the phone, as all that follows.
    void begin() {
        fleet.at(0, [this](FakeConnector& c) {
            c.carrier.on_write = [this](adb::StreamId, ByteView bytes) { written += as_text(bytes); };
            shell = std::make_unique<InteractiveShell>(*fleet.phones[0], *this, options);
            shell->start();
        });
    }
    Result<std::optional<int>> end() { return ended.get_future().get(); }
    Code why_it_ended() {
        const auto how = end();
        return how ? Code::ok : how.error().code;
    }

    void on_open() override { ++opened; }
    void on_output(OutputStream, ByteView bytes) override {
        output += as_text(bytes);
        shell->acknowledge();
    }
    void on_room() override {}
    void on_end(const Result<std::optional<int>>& how) override { ended.set_value(how); }

    test::FakeFleet fleet{1, 1};
    InteractiveShell::Options options{false, "dumb", "x", {}, {}};
    std::unique_ptr<InteractiveShell> shell;
    std::promise<Result<std::optional<int>>> ended;
    std::string output, written;
    int opened = 0;
};

TEST_F(ShellEnds, WithTheExitCode) {
    fleet.at(0, [](FakeConnector& c) { c.carrier.exit_code = 7; });
    begin();
    EXPECT_EQ(end().value(), 7);
    EXPECT_EQ(output, "ok\n");
    fleet.at(0, [](FakeConnector& c) {
        EXPECT_THAT(c.carrier.opened, ElementsAre("shell,v2,raw:x"));
        EXPECT_EQ(c.carrier.open_now(), 0U);
    });
}

TEST_F(ShellEnds, BeforeItHasALink) {
    options.limits.connect = std::chrono::milliseconds(20);
    fleet.at(0, [](FakeConnector& c) { c.behave = FakeConnector::Behave::absent; });
    begin();
    EXPECT_EQ(why_it_ended(), Code::phone_not_found);
}

TEST_F(ShellEnds, WhenThePhoneDoesNotOpenIt) {
    options.limits.open = std::chrono::milliseconds(20);
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::mute; });
    begin();
    const auto how = end();
    ASSERT_FALSE(how);
    EXPECT_EQ(how.error().code, Code::open_deadline);
    EXPECT_EQ(how.error().message, "nothing within 20ms");
    fleet.at(0, [](FakeConnector& c) { EXPECT_EQ(c.carrier.open_now(), 0U) << "the phone still has the stream"; });
}

TEST_F(ShellEnds, WhenThePhoneRefusesIt) {
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::refuses; });
    begin();
    EXPECT_EQ(why_it_ended(), Code::refused);
}

TEST_F(ShellEnds, WithItsLink) {
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::loses_link; });
    begin();
    EXPECT_EQ(why_it_ended(), Code::link_lost);
}

TEST_F(ShellEnds, WithBytesThatAreNoShellPackets) {
    fleet.at(0, [](FakeConnector& c) {
        c.carrier.behave = FakeCarrier::Behave::opens_only;
        c.carrier.before_answer = [](FakeCarrier& phone, std::string_view) { phone.say(1, adb::SyncBytes(64, 0xff)); };
    });
    begin();
    EXPECT_EQ(why_it_ended(), Code::protocol_error);
}

// A phone that closes without an exit code: an old one never tells it, a new one owes it.
class ShellIsClosed : public ShellEnds {
protected:
    void closed_by(std::string_view features) {
        fleet.at(0, [this, features](FakeConnector& c) {
            c.carrier.peer_.features = adb::Features::parse(features);
            c.carrier.behave = FakeCarrier::Behave::opens_only;
            c.carrier.before_answer = [this](FakeCarrier& phone, std::string_view) {
                fleet.pool.at(0).post([&phone] { phone.end_all(); });
            };
        });
        begin();
    }
};

TEST_F(ShellIsClosed, ByAnOldPhone) {
    closed_by("");
    EXPECT_EQ(end().value(), std::nullopt);
    fleet.at(0, [](FakeConnector& c) { EXPECT_THAT(c.carrier.opened, ElementsAre("shell:x")); });
}

TEST_F(ShellIsClosed, ByANewPhone) {
    closed_by("shell_v2");
    const auto how = end();
    ASSERT_FALSE(how);
    EXPECT_EQ(how.error().code, Code::exit_code_unknown);
    EXPECT_THAT(how.error().message, HasSubstr("without saying its exit code"));
}

// What is typed before the phone has opened the shell is not lost, and goes in the protocol that it speaks.
TEST_F(ShellEnds, KeysBeforeItIsOpenAreKept) {
    fleet.at(0, [](FakeConnector& c) { c.carrier.behave = FakeCarrier::Behave::opens_only; });
    std::promise<void> asked;
    fleet.at(0, [&](FakeConnector& c) {
        c.carrier.before_answer = [&](FakeCarrier&, std::string_view) { asked.set_value(); };
        c.carrier.on_write = [this](adb::StreamId, ByteView bytes) { written += as_text(bytes); };
        shell = std::make_unique<InteractiveShell>(*fleet.phones[0], *this, options);
        shell->start();
        shell->type(as_bytes("ls\n"));
        shell->end_of_input();
        EXPECT_THAT(written, IsEmpty());
    });
    asked.get_future().get();
    fleet.at(0, [&](FakeConnector& c) {
        EXPECT_EQ(written, std::string("\0\3\0\0\0ls\n\4\0\0\0\0", 13));
        c.carrier.before_answer = nullptr;
    });
}

}  // namespace
}  // namespace drover::transfer
