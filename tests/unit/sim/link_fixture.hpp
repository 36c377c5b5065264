// A DeviceLink in memory with a client that makes packets by hand, and services that only note what they are told.
#pragma once
#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/device_link.hpp"
#include "support/fake_adbd.hpp"

namespace drover::test {

struct NotedService final : sim::Service {
    explicit NotedService(sim::Port& p) : port(p) {}
    void start() override { ++started; }
    void on_can_write() override { ++can_write; }
    void on_data(ByteView bytes) override {
        data += as_text(bytes);
        if (take) port.taken(bytes.size());
    }
    void on_closed() override { ++closed; }

    sim::Port& port;
    int started = 0, can_write = 0, closed = 0;
    std::string data;
    bool take = true;
};

struct NotedServices final : sim::Services {
    std::shared_ptr<sim::Service> open(std::string_view name, sim::Port& port, const sim::CommandFaults& f) override {
        names.emplace_back(name);
        faults.push_back(f);
        if (name == "unknown:") return nullptr;
        all.push_back(std::make_shared<NotedService>(port));
        return all.back();
    }
    std::vector<std::string> names;
    std::vector<sim::CommandFaults> faults;
    std::vector<std::shared_ptr<NotedService>> all;
};

struct NotedHost final : sim::LinkHost {
    void wake() override { ++woken; }
    void flush() override { ++flushed; }
    void drop() override { dropped = true; }
    std::size_t queued() const override { return waiting; }
    int woken = 0, flushed = 0;
    bool dropped = false;
    std::size_t waiting = 0;
};

constexpr std::string_view kClientBanner = "host::features=shell_v2,cmd";
constexpr std::string_view kDelayedClientBanner = "host::features=shell_v2,delayed_ack";

class DeviceLinkTest : public ::testing::Test {
protected:
    void make(sim::Profile profile = sim::modern_profile()) {
        device = std::make_unique<sim::Device>(std::make_shared<const sim::Profile>(std::move(profile)), "vphone-0001",
                                               1, 7);
        link = std::make_unique<sim::DeviceLink>(*device, services, host);
    }
    std::vector<Sent> send(adb::Command command, std::uint32_t arg0, std::uint32_t arg1, std::string_view payload = {},
                           bool with_checksum = false) {
        link->feed(packet(command, arg0, arg1, payload, with_checksum));
        return sent();
    }
    std::vector<Sent> sent() {
        auto all = parse_packets(link->out());
        link->out().clear();
        link->reap();
        return all;
    }
    void online(std::string_view banner = kClientBanner, std::uint32_t version = adb::kVersionNoChecksum,
                std::uint32_t max_payload = adb::kMaxPayloadBytes) {
        const auto answer = send(adb::Command::cnxn, version, max_payload, banner, true);
        ASSERT_EQ(answer.size(), 1u);
        ASSERT_EQ(answer[0].name, "CNXN");
        ASSERT_TRUE(link->online());
    }
    NotedService& service(std::size_t i = 0) { return *services.all.at(i); }

    NotedServices services;
    NotedHost host;
    std::unique_ptr<sim::Device> device;
    std::unique_ptr<sim::DeviceLink> link;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

inline std::string le32(std::uint32_t value) {
    std::string text(4, '\0');
    store_le32(reinterpret_cast<std::uint8_t*>(text.data()), value);
    return text;
}

}  // namespace drover::test
