// The transport over a device in memory: what is queued when, and what ends it.
#include "adb/transport/usb_transport.hpp"

#include <gmock/gmock.h>

#include "adb/transport/usb_reader.hpp"
#include "support/fake_adbd.hpp"
#include "support/memory_usb.hpp"

namespace drover::test {
namespace {

using adb::UsbSubmit;
using ::testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

struct NotedUsb final : adb::TransportSink {
    std::string bytes;
    std::vector<Error> lost;
    std::function<void()> at_bytes, at_lost;
    void on_bytes(ByteView b) override {
        bytes += as_text(b);
        if (at_bytes) at_bytes();
    }
    void on_lost(const Error& why) override {
        lost.push_back(why);
        if (at_lost) at_lost();
    }
};

class UsbTransportTest : public ::testing::Test {
protected:
    template <class F>
    void on_loop(F&& f) {
        pool.run_on(0, f);
    }
    void start() {
        on_loop([&] {
            transport = std::make_unique<adb::UsbTransport>(pool.at(0), std::make_unique<MemoryUsbDevice>(port), sink);
            transport->start();
        });
    }
    // The phone sends a packet as phones do: header and payload apart.
    void phone_says(const Bytes& p) {
        port->say(ByteView(p).first(adb::kHeaderBytes));
        if (p.size() > adb::kHeaderBytes) port->say(ByteView(p).subspan(adb::kHeaderBytes));
    }
    void TearDown() override {
        on_loop([&] { transport.reset(); });
        EXPECT_FALSE(port->open) << "the device was kept";
        EXPECT_FALSE(port->overflow);
    }

    LoopPool pool{1};
    NotedUsb sink;
    std::shared_ptr<MemoryUsbPort> port = std::make_shared<MemoryUsbPort>();
    std::unique_ptr<adb::UsbTransport> transport;
};

TEST_F(UsbTransportTest, ReadsWaitFromTheStart) {
    start();
    EXPECT_THAT(port->reads, ElementsAre(512u, 512u, 512u, 512u));
}

TEST_F(UsbTransportTest, PacketsOfExactlyFullUsbPacketsArrive) {
    start();
    std::string all;
    on_loop([&] {
        for (const std::size_t size : {0, 1, 511, 512, 513, 1024, 16384, 16385, 200'000}) {
            const auto p = packet(all.empty() ? adb::Command::cnxn : adb::Command::wrte, 1, 1, std::string(size, 'd'));
            phone_says(p);
            all += as_text(p);
            EXPECT_EQ(sink.bytes.size(), all.size()) << "a payload of " << size << " did not arrive whole";
        }
        EXPECT_THAT(port->reads, ElementsAre(512u));
    });
    EXPECT_EQ(sink.bytes, all);
}

TEST_F(UsbTransportTest, WritesGoOutInOrderAFewAtATime) {
    start();
    Bytes out = packet(adb::Command::wrte, 1, 2, std::string(100'000, 'x'));
    const Bytes all = out;
    on_loop([&] {
        transport->write(out);
        EXPECT_TRUE(out.empty());
        EXPECT_EQ(port->writes.size(), adb::UsbTransport::kWritesMax);
        EXPECT_EQ(transport->queued(), all.size() - 24 - 3 * 16384);
        port->end_writes();
        EXPECT_EQ(transport->queued(), 0u);
    });
    EXPECT_EQ(port->sent(), all);
    EXPECT_EQ(port->writes.front().size(), 24u);
}

TEST_F(UsbTransportTest, AFullLastPacketIsEndedByAnEmptyTransfer) {
    start();
    Bytes out = packet(adb::Command::wrte, 1, 2, std::string(1024, 'x'));
    on_loop([&] { transport->write(out); });
    ASSERT_EQ(port->writes.size(), 3u);
    EXPECT_EQ(port->writes[2].size(), 0u);
}

TEST_F(UsbTransportTest, WithoutMemorySmallerTransfersAreTried) {
    start();
    Bytes out = packet(adb::Command::wrte, 1, 2, std::string(16384, 'x'));
    const Bytes all = out;
    on_loop([&] {
        port->answers = {UsbSubmit::queued, UsbSubmit::no_memory, UsbSubmit::no_memory};
        transport->write(out);
        for (int i = 0; i < 8; ++i) port->end_writes();
    });
    EXPECT_THAT(port->refused, ElementsAre(16384u, 8192u));
    EXPECT_EQ(port->sent(), all);
    EXPECT_TRUE(sink.lost.empty());

    on_loop([&] {
        phone_says(packet(adb::Command::cnxn, 0, 0));
        port->answers = {UsbSubmit::no_memory};
        phone_says(packet(adb::Command::wrte, 0, 0, std::string(16384, 'y')));
    });
    EXPECT_EQ(sink.bytes.size(), 24u + 24 + 16384);
}

TEST_F(UsbTransportTest, WithoutAnyMemoryItWaitsAndGoesOn) {
    port->answers = {UsbSubmit::no_memory, UsbSubmit::no_memory};
    start();
    std::promise<void> read_waits;
    // The retry runs on a timer of the loop: look after each of its turns.
    std::function<void()> look = [&] {
        if (!port->reads.empty()) return read_waits.set_value();
        pool.at(0).post(look);
    };
    on_loop([&] { look(); });
    read_waits.get_future().wait();
    EXPECT_THAT(port->refused, ElementsAre(512u, 512u));
    EXPECT_TRUE(sink.lost.empty());
}

TEST_F(UsbTransportTest, ADeviceThatIsGoneIsReportedOnceAndLater) {
    port->answers = {UsbSubmit::gone};
    start();
    on_loop([&] {
        Bytes out = packet(adb::Command::wrte, 1, 2);
        transport->write(out);
        EXPECT_TRUE(out.empty());
    });
    on_loop([&] { port->unplug(); });
    ASSERT_EQ(sink.lost.size(), 1u);
    EXPECT_EQ(sink.lost[0].code, Code::link_lost);
    EXPECT_TRUE(port->writes.empty());
}

TEST_F(UsbTransportTest, UnpluggedWithReadsAndWritesUnderWay) {
    start();
    on_loop([&] {
        Bytes out = packet(adb::Command::wrte, 1, 2, "abc");
        transport->write(out);
        port->unplug();
    });
    ASSERT_EQ(sink.lost.size(), 1u);
    EXPECT_EQ(sink.lost[0].message, "unplugged");
}

TEST_F(UsbTransportTest, MayBeDestroyedInsideItsOwnCallbacks) {
    start();
    sink.at_bytes = [&] { transport.reset(); };
    on_loop([&] {
        phone_says(packet(adb::Command::cnxn, 0, 0, "device::"));
        EXPECT_FALSE(transport);
    });
    EXPECT_FALSE(port->open);
    EXPECT_EQ(sink.bytes.size(), 24u);

    sink.at_bytes = nullptr;
    sink.at_lost = [&] { transport.reset(); };
    start();
    on_loop([&] { port->unplug(); });
    EXPECT_FALSE(transport);
}

TEST_F(UsbTransportTest, JunkWithoutEndEndsThatPhone) {
    start();
    on_loop([&] {
        const Bytes junk(512, 'j');
        for (std::size_t n = 0; n <= adb::UsbReader::kJunkBytesMax && sink.lost.empty(); n += junk.size())
            port->say(junk);
    });
    ASSERT_EQ(sink.lost.size(), 1u);
    EXPECT_EQ(sink.lost[0].code, Code::protocol_error);
    EXPECT_TRUE(sink.bytes.empty());
}

}  // namespace
}  // namespace drover::test
