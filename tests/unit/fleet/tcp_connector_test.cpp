// A phone over a real socket, played by the test: what a connector makes of its behaviour.
#include "fleet/tcp_connector.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "support/fake_adbd.hpp"
#include "support/listener.hpp"

namespace drover::test {
namespace {

struct TcpSink final : fleet::ConnectorSink {
    std::promise<void> online;
    std::promise<std::pair<Error, bool>> down;
    adb::Carrier* carrier = nullptr;

    void on_phase(Phase, fleet::PhoneEvent, std::string_view) override {}
    void on_online(adb::Carrier& c) override {
        carrier = &c;
        online.set_value();
    }
    void on_unauthorized(const Error&) override {}
    void on_down(const Error& why, fleet::PhoneEvent, bool hopeless) override { down.set_value({why, hopeless}); }
};

class TcpConnectorTest : public ::testing::Test {
protected:
    explicit TcpConnectorTest(std::vector<adb::PrivateKey> keys = {},
                              std::chrono::milliseconds handshake = std::chrono::seconds(30)) {
        fleet::LinkConnectorOptions options;
        options.link.keys = std::make_shared<adb::KeyRing>(std::move(keys));
        options.handshake = handshake;
        pool.run_on(0, [&] {
            connector = std::make_unique<fleet::TcpConnector>(pool.at(0), "p", TcpAddress{"127.0.0.1", listener.port},
                                                              std::move(options));
            connector->start(sink);
        });
        phone = listener.accept();
    }
    ~TcpConnectorTest() override {
        pool.run_on(0, [&] { connector.reset(); });
        if (phone >= 0) ::close(phone);
    }
    // False: the host has hung up.
    bool send(ByteView bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(phone, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return true;
    }

    LoopPool pool{1};
    Listener listener;
    TcpSink sink;
    std::unique_ptr<fleet::TcpConnector> connector;
    int phone = -1;
};

TEST_F(TcpConnectorTest, JunkInsteadOfCnxnIsHopeless) {
    ASSERT_TRUE(send(as_bytes(std::string(64, 'j'))));
    const auto [why, hopeless] = sink.down.get_future().get();
    EXPECT_EQ(why.code, Code::protocol_error);
    EXPECT_TRUE(hopeless);
}

TEST_F(TcpConnectorTest, HangingUpInTheHandshakeIsTriedAgain) {
    ::close(phone);
    phone = -1;
    const auto [why, hopeless] = sink.down.get_future().get();
    EXPECT_EQ(why.code, Code::link_lost);
    EXPECT_FALSE(hopeless);
}

TEST_F(TcpConnectorTest, APhoneThatSendsAndNeverReadsLosesItsLink) {
    ASSERT_TRUE(send(packet(adb::Command::cnxn, adb::kVersionNoChecksum, 4096, kModernBanner, true)));
    sink.online.get_future().get();
    NotedStream stream;
    pool.run_on(0, [&] { ASSERT_TRUE(sink.carrier->open("shell:x", stream)); });
    ASSERT_TRUE(send(packet(adb::Command::okay, 70, 1)));
    // Each empty WRTE asks for an OKAY, which nobody reads.
    std::vector<std::uint8_t> many;
    for (int i = 0; i < 1000; ++i) {
        const auto one = packet(adb::Command::wrte, 70, 1);
        many.insert(many.end(), one.begin(), one.end());
    }
    std::size_t sent = 0;
    for (; send(many); sent += many.size()) ASSERT_LT(sent, 64u * 1024 * 1024) << "the host took it all";
    const auto [why, hopeless] = sink.down.get_future().get();
    EXPECT_EQ(why.code, Code::flood) << why.message;
    pool.run_on(0, [&] { EXPECT_EQ(stream.closed, 1); });
}

// A phone that does not get to its CNXN. The time is enough for a token to arrive on a busy machine.
class SlowTcpPhone : public TcpConnectorTest {
protected:
    SlowTcpPhone() : TcpConnectorTest({adb::PrivateKey::generate().value()}, std::chrono::milliseconds(500)) {}
};

TEST_F(SlowTcpPhone, ASignedTokenThatIsNeverAnsweredIsTriedAgain) {
    ASSERT_TRUE(send(packet(adb::Command::auth, 1, 0, std::string(adb::kTokenBytes, 't'), true)));
    const auto [why, hopeless] = sink.down.get_future().get();
    EXPECT_EQ(why.code, Code::auth_deadline);
    EXPECT_EQ(why.message, "no answer to a signed token within 500 ms");
    EXPECT_FALSE(hopeless);
}

TEST_F(SlowTcpPhone, NothingButAConnectionIsNoPhone) {
    const auto [why, hopeless] = sink.down.get_future().get();
    EXPECT_EQ(why.code, Code::phone_not_found);
    EXPECT_EQ(why.message.find("connected, but no CNXN from 127.0.0.1:"), 0u) << why.message;
    EXPECT_FALSE(hopeless);
}

}  // namespace
}  // namespace drover::test
