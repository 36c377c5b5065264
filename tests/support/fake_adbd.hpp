// The phone's end of a Link in memory: makes packets by hand, and reads back what the link sent as values.
// One thread; the test owns it.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "adb/link.hpp"
#include "adb/packet.hpp"

namespace drover::test {

struct Sent {
    std::string name;  // "OPEN"
    std::uint32_t arg0 = 0, arg1 = 0;
    std::string payload;
    std::uint32_t check = 0;

    bool operator==(const Sent& o) const {
        return name == o.name && arg0 == o.arg0 && arg1 == o.arg1 && payload == o.payload;
    }
};
inline std::ostream& operator<<(std::ostream& os, const Sent& s) {
    return os << s.name << "(" << s.arg0 << ", " << s.arg1 << ", \"" << s.payload << "\")";
}

inline std::vector<std::uint8_t> packet(adb::Command command, std::uint32_t arg0, std::uint32_t arg1,
                                        std::string_view payload = {}, bool with_checksum = false) {
    std::vector<std::uint8_t> out;
    adb::append_packet(out, command, arg0, arg1, as_bytes(payload), with_checksum);
    return out;
}

// Splits whole packets into values.
inline std::vector<Sent> parse_packets(ByteView bytes) {
    std::vector<Sent> all;
    while (!bytes.empty()) {
        if (bytes.size() < adb::kHeaderBytes) {
            ADD_FAILURE() << "half a header was sent";
            break;
        }
        const adb::Header h = adb::decode_header(bytes.data());
        EXPECT_EQ(h.magic, ~h.command);
        if (bytes.size() < adb::kHeaderBytes + h.length) {
            ADD_FAILURE() << "half a packet was sent";
            break;
        }
        all.push_back({adb::name_of(h.command), h.arg0, h.arg1,
                       std::string(as_text(bytes.subspan(adb::kHeaderBytes, h.length))), h.check});
        bytes = bytes.subspan(adb::kHeaderBytes + h.length);
    }
    return all;
}

constexpr std::string_view kModernBanner =
    "device::ro.product.name=sim;ro.product.model=Sim;ro.product.device=sim;features=shell_v2,cmd,stat_v2";
constexpr std::string_view kDelayedAckBanner = "device::features=shell_v2,delayed_ack";
constexpr std::string_view kOldBanner = "device::ro.product.name=old;ro.product.model=Old;ro.product.device=old;";

// Notes what a link tells its driver.
struct NotedLink final : adb::LinkObserver {
    std::vector<adb::LinkState> states;
    std::vector<std::string> accepted;
    int outputs = 0;
    void on_link_state(adb::LinkState s) override { states.push_back(s); }
    void on_key_accepted(const std::string& fingerprint) override { accepted.push_back(fingerprint); }
    void on_output() override { ++outputs; }
};

// Notes what a stream tells its user.
struct NotedStream final : adb::StreamHandler {
    int opened = 0;
    std::string data;
    int writable = 0;
    int closed = 0;
    std::optional<Error> why;
    adb::Ack answer = adb::Ack::now;
    std::function<void()> at_data, at_open, at_close;

    void on_open() override {
        ++opened;
        if (at_open) at_open();
    }
    adb::Ack on_data(ByteView bytes) override {
        data += as_text(bytes);
        if (at_data) at_data();
        return answer;
    }
    void on_writable() override { ++writable; }
    void on_closed(const std::optional<Error>& w) override {
        ++closed;
        why = w;
        if (at_close) at_close();
    }
};

class LinkFixture : public ::testing::Test {
protected:
    adb::LinkOptions options(bool delayed_ack = false) {
        adb::LinkOptions o;
        o.keys = keys;
        o.delayed_ack = delayed_ack;
        return o;
    }
    void make(adb::LinkOptions o) {
        link = std::make_unique<adb::Link>(std::move(o), noted);
        link->start();
        (void)sent();
    }
    // A link that is online with a phone of this banner.
    void online(std::string_view banner = kModernBanner, std::uint32_t version = adb::kVersionNoChecksum,
                std::uint32_t payload = adb::kMaxPayloadBytes, bool delayed_ack = false) {
        make(options(delayed_ack));
        ASSERT_TRUE(feed(adb::Command::cnxn, version, payload, banner, true));
        ASSERT_EQ(link->state(), adb::LinkState::online);
    }
    std::vector<Sent> sent() {
        auto all = parse_packets(link->output());
        link->output().clear();
        return all;
    }
    Result<void> feed(adb::Command command, std::uint32_t arg0, std::uint32_t arg1, std::string_view payload = {},
                      bool sum = false) {
        return link->feed(packet(command, arg0, arg1, payload, sum));
    }

    std::shared_ptr<const adb::KeyRing> keys = std::make_shared<adb::KeyRing>();
    NotedLink noted;
    std::unique_ptr<adb::Link> link;
};

}  // namespace drover::test
