// What ends a carrier or its streams from outside: phones that go away, servers that freeze or end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/adb/server_fixture.hpp"

namespace drover::adb::test {
namespace {

using testing::HasSubstr;

TEST_F(Server, ThePhoneIsGoneAtTheNextCommand) {
    serve([this](FakeConnection& c) {
        FakePhone phone;
        if (broken_) phone.transport_fail = "device offline";
        phone(c);
    });
    connect();
    ready_.get();
    broken_ = true;
    Handler handler;
    open("exec:x", handler);
    const auto why = handler.closed.get();
    EXPECT_EQ(why->code, Code::link_lost);
    EXPECT_THAT(why->message, HasSubstr("device offline"));
    EXPECT_EQ(lost_.get().code, Code::link_lost);
}

TEST_F(Server, StartFails) {
    const std::pair<const char*, Code> cases[] = {
        {"device offline", Code::not_ready},
        {"no device with transport id '7'", Code::phone_not_found},
        {"device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set", Code::unauthorized},
        {"insufficient permissions for device", Code::no_permission},
    };
    for (const auto& [reason, code] : cases) {
        FakePhone phone;
        phone.transport_fail = reason;
        lost_ = {};
        serve(phone);
        connect();
        EXPECT_EQ(lost_.get().code, code) << reason;
    }
}

TEST_F(Server, LostInTheMiddleOfACommand) {
    FakePhone phone;
    phone.state = "";
    phone.service = [](FakeConnection& c, const std::string&) { c.send("OKAYsome output"); };
    ready(phone);
    Handler handler;
    open("exec:x", handler);
    EXPECT_EQ(handler.closed.get()->code, Code::link_lost);
    EXPECT_EQ(handler.data, "some output");
    EXPECT_EQ(lost_.get().code, Code::link_lost);
}

TEST_F(Server, LostBeforeTheServiceOpens) {
    FakePhone phone;
    phone.state = "";
    phone.service = [](FakeConnection&, const std::string&) {};
    ready(phone);
    Handler handler;
    open("exec:x", handler);
    EXPECT_EQ(handler.closed.get()->code, Code::link_lost);
}

TEST_F(Server, AnAnswerBeforeTheServiceIsAskedForEndsTheServer) {
    serve([](FakeConnection& c) {
        const auto request = c.request();
        if (request == "host:transport-id:7") {
            c.send("OKAYOKAY");
            c.wait_closed();
        } else if (request) {
            c.send_body("shell_v2");
        }
    });
    connect();
    ready_.get();
    Handler handler;
    open("exec:x", handler);
    const auto why = handler.closed.get();
    ASSERT_TRUE(why);
    EXPECT_EQ(why->code, Code::server_failed);
    EXPECT_THAT(why->message, HasSubstr("answered before it was asked"));
    EXPECT_EQ(lost_.get().code, Code::server_failed);
}

class ServerClosing : public Server {
protected:
    void expect_closed(FakePhone& phone, Code code, const char* said) {
        ready(phone);
        Handler handler;
        open("exec:x", handler);
        const auto why = handler.closed.get();
        ASSERT_TRUE(why);
        EXPECT_EQ(why->code, code);
        EXPECT_THAT(why->message, HasSubstr(said));
    }
};

// The server ends in the middle of the reason: what came of it is told.
TEST_F(ServerClosing, ARefusalThatIsCutShort) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string&) { c.send("FAIL00ffno such serv"); };
    expect_closed(phone, Code::server_failed, "no such serv");
}

TEST_F(ServerClosing, APhoneThatRestartsIntoSideloadLosesItsCommands) {
    FakePhone phone;
    phone.state = "sideload";
    phone.service = [](FakeConnection& c, const std::string&) { c.send("OKAYsome output"); };
    expect_closed(phone, Code::link_lost, "the phone is sideload now");
}

TEST_F(Server, AResetStreamIsNotAGoodEnd) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string&) {
        c.send("OKAY");
        c.read(1);
        c.reset_at_close();
    };
    ready(phone);
    Handler handler;
    const auto id = open("exec:x", handler);
    handler.opened.get();
    on_loop([&] { carrier_->write(id, as_bytes("x")); });
    EXPECT_EQ(handler.closed.get()->code, Code::link_lost);
}

TEST_F(Server, TheServerEndsInTheMiddle) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string&) {
        c.send("OKAYx");
        c.wait_closed();
    };
    ready(phone);
    Handler handler;
    open("exec:x", handler);
    handler.opened.get();
    server_.reset();
    EXPECT_EQ(handler.closed.get()->code, Code::server_unreachable);
    EXPECT_EQ(lost_.get().code, Code::server_unreachable);
}

TEST_F(Server, AFrozenServer) {
    serve([](FakeConnection& c) { c.wait_closed(); });
    connect(30ms);
    const auto why = lost_.get();
    EXPECT_EQ(why.code, Code::server_unreachable);
    EXPECT_THAT(why.message, HasSubstr("no answer within 30ms"));
}

TEST_F(Server, AServerThatFreezesLater) {
    serve([this](FakeConnection& c) { broken_ ? c.wait_closed() : FakePhone()(c); });
    connect(200ms);
    ready_.get();
    broken_ = true;
    Handler handler;
    open("exec:x", handler);
    EXPECT_EQ(handler.closed.get()->code, Code::server_unreachable);
    EXPECT_EQ(lost_.get().code, Code::server_unreachable);
}

TEST_F(Server, AFrozenPhone) {
    FakePhone phone;
    phone.service = [](FakeConnection& c, const std::string&) { c.wait_closed(); };
    ready(phone, 20s, 30ms);
    Handler handler;
    open("exec:x", handler);
    EXPECT_EQ(handler.closed.get()->code, Code::open_deadline);
}

TEST_F(Server, SomethingElseListensThere) {
    serve([](FakeConnection& c) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    connect();
    EXPECT_EQ(lost_.get().code, Code::server_failed);
}

TEST_F(Server, NobodyListens) {
    serve({});
    const auto endpoint = server_->endpoint();
    server_.reset();
    on_loop([&] {
        ServerOptions options;
        options.endpoint = endpoint;
        carrier_ = std::make_unique<ServerCarrier>(pool_.at(0), options, device_7(), *this);
        carrier_->start();
    });
    EXPECT_EQ(lost_.get().code, Code::server_unreachable);
}

}  // namespace
}  // namespace drover::adb::test
