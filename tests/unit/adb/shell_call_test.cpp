#include "adb/shell_call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace drover::adb {
namespace {

using testing::HasSubstr;

struct FakeCarrier final : Carrier {
    Peer peer_;
    std::string service, written;
    StreamHandler* handler = nullptr;
    std::vector<StreamId> closed, acknowledged;

    FakeCarrier(std::string_view features, std::uint32_t max_payload) {
        peer_.features = Features::parse(features);
        peer_.max_payload = max_payload;
    }
    const Peer& peer() const override { return peer_; }
    Result<StreamId> open(std::string_view name, StreamHandler& h) override {
        service = name;
        handler = &h;
        return 7;
    }
    void write(StreamId, ByteView bytes) override { written += as_text(bytes); }
    std::size_t write_limit() const override { return 1024; }
    std::size_t unacked(StreamId) override { return 0; }
    void acknowledge(StreamId id) override { acknowledged.push_back(id); }
    void close(StreamId id) override { closed.push_back(id); }
    Ack feed(std::string_view bytes) { return handler->on_data(as_bytes(bytes)); }
};

struct CallSink final : ShellSink {
    bool open = false;
    std::string out, err;
    Ack answer = Ack::now;
    std::optional<Result<int>> end;
    std::unique_ptr<ShellCall> call = std::make_unique<ShellCall>(*this);
    bool stop_at_output = false;

    void on_shell_open() override { open = true; }
    Ack on_shell_output(OutputStream stream, ByteView bytes) override {
        (stream == OutputStream::out ? out : err) += as_text(bytes);
        if (stop_at_output) call->stop();
        return answer;
    }
    void on_shell_end(const Result<int>& exit) override {
        EXPECT_FALSE(end);
        end = exit;
        call.reset();  // allowed here
    }
};

using namespace std::string_view_literals;
constexpr auto kOut = "\x01\x02\0\0\0hi"sv;
constexpr auto kErr = "\x02\x02\0\0\0no"sv;
constexpr auto kExit3 = "\x03\x01\0\0\0\x03"sv;

TEST(ShellCall, V2EndsAtTheExitPacketAndClosesTheStream) {
    FakeCarrier carrier("shell_v2,cmd", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "ls -l; id"));
    EXPECT_EQ(carrier.service, "shell,v2,raw:ls -l; id");
    carrier.handler->on_open();
    EXPECT_TRUE(sink.open);
    EXPECT_EQ(carrier.feed(kOut), Ack::now);
    EXPECT_EQ(carrier.feed(std::string(kErr) + std::string(kExit3) + std::string(kOut)), Ack::now);
    EXPECT_EQ(sink.out, "hi");
    EXPECT_EQ(sink.err, "no");
    ASSERT_TRUE(sink.end);
    EXPECT_EQ(sink.end->value(), 3);
    EXPECT_THAT(carrier.closed, testing::ElementsAre(7));
}

TEST(ShellCall, ClosedInputIsAPacketOfV2AndNothingAtAllBefore) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "cat"));
    carrier.handler->on_open();
    EXPECT_EQ(carrier.written, "");
    sink.call->close_input();
    EXPECT_EQ(carrier.written, "\x04\0\0\0\0"sv);
    FakeCarrier old("", 1024);
    CallSink other;
    ASSERT_TRUE(other.call->start(old, "cat"));
    other.call->close_input();
    EXPECT_EQ(old.written, "");
}

TEST(ShellCall, V2WithoutAnExitPacketIsNoSuccess) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "true"));
    carrier.handler->on_open();
    carrier.feed(kOut);
    carrier.handler->on_closed(std::nullopt);
    ASSERT_TRUE(sink.end);
    EXPECT_EQ(sink.end->error().code, Code::exit_code_unknown);
    EXPECT_TRUE(carrier.closed.empty());
}

TEST(ShellCall, WhatEndsTheStreamIsPassedOn) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "true"));
    carrier.handler->on_closed(Error(Code::link_lost, "gone"));
    ASSERT_TRUE(sink.end);
    EXPECT_EQ(sink.end->error().message, "gone");
}

TEST(ShellCall, BrokenFramesEndTheCommandOnly) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "true"));
    carrier.feed("\x01\xff\xff\xff\xff");
    ASSERT_TRUE(sink.end);
    EXPECT_EQ(sink.end->error().code, Code::protocol_error);
    EXPECT_THAT(carrier.closed, testing::ElementsAre(7));
}

TEST(ShellCall, BackPressure) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "true"));
    sink.answer = Ack::later;
    EXPECT_EQ(carrier.feed(kOut), Ack::later);
    sink.answer = Ack::now;
    EXPECT_EQ(carrier.feed(kOut), Ack::now);
    sink.call->acknowledge();
    EXPECT_THAT(carrier.acknowledged, testing::ElementsAre(7));
}

TEST(ShellCall, StopFromInsideOutput) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "true"));
    sink.stop_at_output = true;
    carrier.feed(std::string(kOut) + std::string(kOut) + std::string(kExit3));
    EXPECT_EQ(sink.out, "hi");
    EXPECT_FALSE(sink.end);
    EXPECT_FALSE(sink.call->running());
    EXPECT_THAT(carrier.closed, testing::ElementsAre(7));
    sink.call.reset();
    EXPECT_EQ(carrier.closed.size(), 1U);
}

TEST(ShellCall, DestroyingItClosesTheStream) {
    FakeCarrier carrier("shell_v2", 1024);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "true"));
    sink.call.reset();
    EXPECT_THAT(carrier.closed, testing::ElementsAre(7));
}

std::string marker_in(std::string_view service) {
    const auto at = service.rfind("; echo ") + 7;
    return std::string(service.substr(at, 16)) + std::string(service.substr(at + 18, 16));
}

TEST(ShellCall, OldPhone) {
    FakeCarrier carrier("", 4096);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "echo 'hi'"));
    EXPECT_THAT(carrier.service, testing::StartsWith("shell:sh -c 'echo '\\''hi'\\''' </dev/null; echo "));
    const auto marker = marker_in(carrier.service);
    carrier.handler->on_open();
    carrier.feed("hi\r\n" + marker + "4\r\n");
    EXPECT_EQ(sink.out, "hi\r\n");
    EXPECT_FALSE(sink.end);  // the output is drained to its end first
    carrier.handler->on_closed(std::nullopt);
    ASSERT_TRUE(sink.end);
    EXPECT_EQ(sink.end->value(), 4);
    EXPECT_EQ(sink.out, "hi\r\n");
}

TEST(ShellCall, OldPhoneWithoutMarker) {
    FakeCarrier carrier("", 4096);
    CallSink sink;
    ASSERT_TRUE(sink.call->start(carrier, "x"));
    carrier.feed(marker_in(carrier.service).substr(0, 20));
    carrier.handler->on_closed(std::nullopt);
    ASSERT_TRUE(sink.end);
    EXPECT_EQ(sink.end->error().code, Code::exit_code_unknown);
    EXPECT_EQ(sink.out.size(), 20U);  // it was output after all
}

TEST(ShellCall, LengthLimits) {
    FakeCarrier modern("shell_v2", 4096);
    FakeCarrier old("", 4096);
    const std::string longest_modern(command_bytes_max(modern.peer_), 'x');
    const std::string longest_old(command_bytes_max(old.peer_), 'x');
    EXPECT_EQ(longest_modern.size(), 4096 - 13 - 1U);
    EXPECT_LT(longest_old.size(), longest_modern.size());
    for (auto* carrier : {&modern, &old}) {
        const auto& longest = carrier == &modern ? longest_modern : longest_old;
        CallSink fits, over;
        ASSERT_TRUE(fits.call->start(*carrier, longest));
        EXPECT_EQ(carrier->service.size() + 1, 4096U);
        carrier->service.clear();
        const auto refused = over.call->start(*carrier, longest + "x");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Code::command_too_long);
        EXPECT_THAT(refused.error().message, HasSubstr(std::to_string(longest.size())));
        EXPECT_EQ(carrier->service, "");  // nothing was sent
        EXPECT_FALSE(over.call->running());
    }
    CallSink quotes;
    const auto refused = quotes.call->start(old, std::string(1100, '\''));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("1100 quotes"));
    EXPECT_EQ(command_bytes_max(FakeCarrier("", 3).peer_), 0U);
}

TEST(ShellCall, CommandsNoPhoneCanRun) {
    FakeCarrier carrier("shell_v2", 4096);
    CallSink sink;
    EXPECT_EQ(sink.call->start(carrier, "").error().code, Code::usage);  // an interactive shell, which never ends
    EXPECT_EQ(sink.call->start(carrier, "rm x\0y"sv).error().code, Code::usage);
    EXPECT_EQ(carrier.handler, nullptr);
}

}  // namespace
}  // namespace drover::adb
