#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/adb/server_fixture.hpp"

namespace drover::adb::test {
namespace {

TEST_F(Server, FeaturesAreThoseOfBothSides) {
    ready({});
    on_loop([&] {
        EXPECT_EQ(carrier_->peer().features.join(), "cmd,shell_v2");
        EXPECT_TRUE(carrier_->peer().banner.features.has("delayed_ack"));
        EXPECT_EQ(carrier_->peer().banner.model, "Pixel");
        EXPECT_EQ(carrier_->peer().max_payload, 65535U);
    });
}

TEST_F(Server, AnOldPhoneHasNoFeaturesAndShortServices) {
    FakePhone phone;
    phone.features = "";
    ready(phone);
    Handler handler;
    on_loop([&] {
        EXPECT_TRUE(carrier_->peer().features.empty());
        const auto id = carrier_->open(std::string(4096, 'x'), handler);
        ASSERT_FALSE(id);
        EXPECT_EQ(id.error().code, Code::command_too_long);
    });
}

TEST_F(Server, AStreamFromOpenToClose) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string& name) {
        c.send("OKAY");
        c.send("you asked for " + name);
    };
    ready(phone);
    Handler handler;
    open("exec:x", handler);
    EXPECT_TRUE(handler.opened.get());
    EXPECT_EQ(handler.closed.get(), std::nullopt);
    EXPECT_EQ(handler.data, "you asked for exec:x");
}

TEST_F(Server, ManyStreamsAtOnce) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string& name) { c.send("OKAY" + name); };  // in one write
    ready(phone);
    std::vector<std::unique_ptr<Handler>> handlers;
    for (int i = 0; i < 50; ++i) {
        handlers.push_back(std::make_unique<Handler>());
        open("exec:" + std::to_string(i), *handlers.back());
    }
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(handlers[i]->closed.get(), std::nullopt);
        EXPECT_EQ(handlers[i]->data, "exec:" + std::to_string(i));
    }
    Handler one_more;
    on_loop([&] {
        std::vector<StreamId> ids;
        for (std::size_t i = 0; i < ServerCarrier::kStreamsMax; ++i)
            ids.push_back(carrier_->open("exec:x", one_more).value());
        EXPECT_EQ(carrier_->open("exec:x", one_more).error().code, Code::out_of_resources);
        for (const auto id : ids) carrier_->close(id);
        EXPECT_TRUE(carrier_->open("exec:x", one_more));
    });
    one_more.closed.get();
}

TEST_F(Server, ARefusal) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string&) { c.fail("closed"); };
    ready(phone);
    Handler handler;
    open("shell,v2,raw:x", handler);
    EXPECT_EQ(handler.closed.get()->code, Code::refused);
    Handler again;  // the phone is still there
    open("x", again);
    EXPECT_EQ(again.closed.get()->code, Code::refused);
}

TEST_F(Server, BackPressureReachesTheServer) {
    constexpr std::size_t kBytes = 24'000'000;  // more than all socket buffers hold
    std::atomic<bool> all_sent = false;
    FakePhone phone;
    phone.service = [&](FakeConnection& c, const std::string&) {
        c.send("OKAY");
        c.send(std::string(kBytes, 'x'));
        all_sent = true;
    };
    ready(phone);
    Handler handler;
    Event<bool> first;
    bool told = false;
    handler.on_bytes = [&](ByteView) {
        if (!std::exchange(told, true)) first.set(true);
        return Ack::later;
    };
    const auto id = open("exec:x", handler);
    first.get();
    std::size_t held = 0;
    for (int i = 0; i < 5; ++i)
        on_loop([&] { held = handler.data.size(); });  // turns of the loop: nothing more is read
    EXPECT_LE(held, Loop::kReadBufferBytes);
    EXPECT_FALSE(all_sent);
    on_loop([&] {
        handler.on_bytes = [](ByteView) { return Ack::now; };
        carrier_->acknowledge(id);
    });
    EXPECT_EQ(handler.closed.get(), std::nullopt);
    EXPECT_EQ(handler.data.size(), kBytes);
}

TEST_F(Server, WritesWaitForTheServiceAndForTheKernel) {
    constexpr std::size_t kBytes = ServerCarrier::kWriteBytesMax;
    std::promise<void> go, answer;
    FakePhone phone;
    phone.service = [&](FakeConnection& c, const std::string&) {
        go.get_future().wait();
        c.send("OKAY");
        const auto got = c.read(kBytes);
        answer.get_future().wait();
        c.send("got " + std::to_string(got.size()) + got.substr(0, 5));
    };
    ready(phone);
    Handler handler;
    const auto id = open("exec:x", handler);
    on_loop([&] {
        carrier_->write(id, as_bytes("early"));
        carrier_->write(id, as_bytes(std::string(kBytes - 5, 'x')));
    });
    go.set_value();
    EXPECT_TRUE(handler.writable.get());
    answer.set_value();
    EXPECT_EQ(handler.closed.get(), std::nullopt);
    EXPECT_EQ(handler.data, "got " + std::to_string(kBytes) + "early");
}

TEST_F(Server, CloseEndsTheConnectionAtOnce) {
    Event<bool> gone;
    FakePhone phone;
    phone.service = [&](FakeConnection& c, const std::string&) {
        c.send("OKAYfirst");
        c.wait_closed();
        gone.set(true);
    };
    ready(phone);
    Handler handler;
    StreamId id = 0;
    handler.on_bytes = [&](ByteView) {
        carrier_->close(id);
        carrier_->close(id);
        carrier_->acknowledge(id);
        carrier_->write(id, as_bytes("late"));
        return Ack::now;
    };
    on_loop([&] { id = carrier_->open("exec:x", handler).value(); });
    EXPECT_TRUE(gone.get());
    on_loop([] {});  // on_bytes has returned
    EXPECT_EQ(handler.data, "first");
}

TEST_F(Server, AHandlerMayOpenTheNextStreamWhenOneEnds) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string& name) { c.send("OKAY" + name); };
    ready(phone);
    Handler first, second;
    first.when_closed = [&] { EXPECT_TRUE(carrier_->open("exec:second", second)); };
    open("exec:first", first);
    second.closed.get();
    EXPECT_EQ(second.data, "exec:second");
}

TEST_F(Server, ShutTellsEveryStream) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string&) {
        c.send("OKAY");
        c.wait_closed();
    };
    ready(phone);
    Handler a, b;
    open("exec:a", a);
    open("exec:b", b);
    a.opened.get();
    on_loop([&] {
        carrier_->shut(Error(Code::cancelled, "stopped"));
        EXPECT_FALSE(carrier_->open("exec:c", a));
    });
    EXPECT_EQ(a.closed.get()->code, Code::cancelled);
    EXPECT_EQ(b.closed.get()->code, Code::cancelled);
}

TEST(ServerEndpoint, Resolve) {
    EXPECT_EQ(resolve(parse_server_address("localabstract:x").value()).value().name, "localabstract:x");
    EXPECT_TRUE(resolve(parse_server_address("localabstract:" + std::string(106, 'x')).value()));
    EXPECT_TRUE(resolve(parse_server_address("localfilesystem:/" + std::string(105, 'x')).value()));
    EXPECT_TRUE(resolve(parse_server_address("tcp:[::1]:5").value()));
    const auto none = resolve(parse_server_address("tcp:no-such-host.invalid:5").value());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::server_unreachable);
}

}  // namespace
}  // namespace drover::adb::test
