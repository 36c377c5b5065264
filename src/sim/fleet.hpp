// A fleet of virtual phones in this process, each on a TCP address of its own.
//
//   sim::FleetOptions options;
//   options.count = 3;
//   auto fleet = sim::Fleet::start(std::move(options));   // all listen when this returns
//   (*fleet)->address(0);                                 // "127.0.0.1:40123", phone "vphone-0001"
//
// start(), the destructor and the other calls: any thread but the fleet's own, one at a time. Phones run on the fleet's
// own loops. Up to kListenersMax phones have a port each; more share one port on many loopback addresses, as 127.0.0.0/8
// is all ours. Failure: an address that cannot be had is an Error; nothing listens then. While a fleet lives SIGPIPE is
// ignored in the process.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "drover/error.hpp"
#include "sim/profile.hpp"

namespace drover::sim {

class VirtualPhone;

struct FleetOptions {
    std::size_t count = 1;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: free ones (port_picker.hpp); else port, port + 1, ...
    // The profile of phone `number` (1-based) with that id; empty: a healthy modern phone for all.
    std::function<std::shared_ptr<const Profile>(std::uint32_t number, const std::string& id)> profile;
    std::uint64_t seed = 1;
    std::size_t loops = 0;  // 0: one per core, at most 4
};

class Fleet {
public:
    static constexpr std::size_t kPhonesMax = 16'000;
    static constexpr std::size_t kListenersMax = 1'000;

    static Result<std::unique_ptr<Fleet>> start(FleetOptions options);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    std::size_t size() const { return ids_.size(); }
    const std::string& id(std::size_t i) const { return ids_[i]; }
    const std::string& address(std::size_t i) const { return addresses_[i]; }
    // Why commands get no real shell here ("" when they do).
    std::string refusal() const;
    // Inventory text for `drover --inventory`.
    std::string inventory() const;

    // Runs on the phone's loop and waits.
    void with_phone(std::size_t i, const std::function<void(VirtualPhone&)>& f);

private:
    Fleet();
    struct Impl;
    Result<void> listen_each(const FleetOptions& options);
    Result<void> listen_shared(const FleetOptions& options);

    std::vector<std::string> ids_;
    std::vector<std::string> addresses_;
    std::unique_ptr<Impl> impl_;
};

std::string phone_id(std::uint32_t number);  // "vphone-0001"

}  // namespace drover::sim
