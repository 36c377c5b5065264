// When a connector writes what its link has to say, over a transport in memory.
#include "fleet/direct_connector.hpp"

#include <gmock/gmock.h>

#include <future>

#include "support/fake_adbd.hpp"

namespace drover::test {
namespace {

struct Writes {
    std::vector<std::vector<std::uint8_t>> all;
    adb::TransportSink* sink = nullptr;
};

class NotedTransport final : public adb::Transport {
public:
    explicit NotedTransport(Writes& writes) : writes_(writes) {}
    void start() override {}
    void write(std::vector<std::uint8_t>& packets) override { writes_.all.push_back(std::exchange(packets, {})); }
    std::size_t queued() const override { return 0; }

private:
    Writes& writes_;
};

class MemoryConnector final : public fleet::DirectConnector {
public:
    MemoryConnector(Loop& loop, fleet::LinkConnectorOptions options, Writes& writes)
        : DirectConnector(loop, "p", std::move(options)), writes_(writes) {}
    ~MemoryConnector() override { stop(); }
    void answer() {
        connected([this](adb::TransportSink& sink) {
            writes_.sink = &sink;
            return std::make_unique<NotedTransport>(writes_);
        });
    }

private:
    void dial() override {}
    void drop_dial() override {}
    std::string where() const override { return "memory"; }

    Writes& writes_;
};

struct OnlineSink final : fleet::ConnectorSink {
    adb::Carrier* carrier = nullptr;
    void on_phase(Phase, fleet::PhoneEvent, std::string_view) override {}
    void on_online(adb::Carrier& c) override { carrier = &c; }
    void on_unauthorized(const Error&) override {}
    void on_down(const Error&, fleet::PhoneEvent, bool) override {}
};

class DirectConnectorTest : public ::testing::Test {
protected:
    DirectConnectorTest() {
        fleet::LinkConnectorOptions options;
        options.link.keys = std::make_shared<adb::KeyRing>(std::vector<adb::PrivateKey>());
        pool.run_on(0, [&] {
            connector = std::make_unique<MemoryConnector>(pool.at(0), std::move(options), writes);
            connector->start(sink);
            connector->answer();
            from_phone(packet(adb::Command::cnxn, adb::kVersionNoChecksum, 4096, kModernBanner, true));
            (void)sink.carrier->open("shell:one", stream);
            from_phone(packet(adb::Command::okay, 70, 1));
            writes.all.clear();
        });
    }
    ~DirectConnectorTest() override { end(); }
    void end() {
        pool.run_on(0, [&] { connector.reset(); });
    }
    void from_phone(const std::vector<std::uint8_t>& bytes) { writes.sink->on_bytes(bytes); }
    // And waits for all that comes of it on the loop.
    void output_and_what_follows() {
        std::promise<void> done;
        pool.at(0).post([&] {
            output_from_phone();
            pool.at(0).post([&] { done.set_value(); });
        });
        done.get_future().get();
    }
    void output_from_phone() { from_phone(packet(adb::Command::wrte, 70, 1, "x")); }
    static std::vector<std::uint8_t> okay() { return packet(adb::Command::okay, 1, 70); }

    LoopPool pool{1};
    Writes writes;
    OnlineSink sink;
    NotedStream stream, next;
    std::unique_ptr<MemoryConnector> connector;
};

TEST_F(DirectConnectorTest, AnAnswerIsWrittenBeforeTheReadEnds) {
    pool.run_on(0, [&] {
        output_from_phone();
        EXPECT_THAT(writes.all, ::testing::ElementsAre(okay()));
    });
}

TEST_F(DirectConnectorTest, WhatFollowsByAMessageGoesInOneWriteWithTheAnswer) {
    stream.at_data = [&] { pool.at(0).post([&] { (void)sink.carrier->open("shell:two", next); }); };
    output_and_what_follows();
    pool.run_on(0, [&] {
        auto both = okay();
        const auto open = packet(adb::Command::open, 2, 0, std::string("shell:two\0", 10));
        both.insert(both.end(), open.begin(), open.end());
        EXPECT_THAT(writes.all, ::testing::ElementsAre(both));
    });
}

TEST_F(DirectConnectorTest, AnAnswerThatNothingFollowsIsWrittenBehindTheMessages) {
    bool ran = false;
    stream.at_data = [&] {
        pool.at(0).post([&] {
            ran = true;
            EXPECT_TRUE(writes.all.empty());
        });
    };
    output_and_what_follows();
    pool.run_on(0, [&] {
        EXPECT_TRUE(ran);
        EXPECT_THAT(writes.all, ::testing::ElementsAre(okay()));
    });
}

TEST_F(DirectConnectorTest, AnAnswerThatWaitsIsWrittenBeforeTheLinkIsGivenUp) {
    stream.at_data = [&] { pool.at(0).post([&] { connector.reset(); }); };
    output_and_what_follows();
    pool.run_on(0, [&] { EXPECT_THAT(writes.all, ::testing::ElementsAre(okay())); });
}

}  // namespace
}  // namespace drover::test
