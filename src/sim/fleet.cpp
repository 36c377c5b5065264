#include "sim/fleet.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <random>
#include <thread>

#include "base/log.hpp"
#include "base/loop_pool.hpp"
#include "base/resource_limits.hpp"
#include "sim/shared_listener.hpp"
#include "sim/spawner.hpp"
#include "sim/virtual_phone.hpp"

namespace drover::sim {
namespace {

// Profiles speak of milliseconds (`reply-delay: 2ms`): the loops' own tick would make four of two, and answer all phones at once.
constexpr Duration kTick = std::chrono::microseconds(500);

bool needs_keys(const boost::asio::ip::address_v4& host) { return !host.is_loopback(); }

}  // namespace

std::string phone_id(std::uint32_t number) { return fmt::format("vphone-{:04}", number); }

struct Fleet::Impl {
    explicit Impl(std::size_t loops) : pool(loops, kTick) {}
    LoopPool pool;
    std::shared_ptr<Userland> userland;
    std::shared_ptr<Spawner> spawner;
    std::vector<std::unique_ptr<VirtualPhone>> phones;  // phone i lives on loop i % pool.size()
    std::unique_ptr<SharedListener> shared;             // on loop 0
};

Fleet::Fleet() = default;

Result<std::unique_ptr<Fleet>> Fleet::start(FleetOptions options) {
    if (options.count < 1 || options.count > kPhonesMax) {
        return fail(Code::usage,
                    fmt::format("{} phones asked for; between 1 and {} are possible", options.count, kPhonesMax));
    }
    if (options.count <= kListenersMax && options.port != 0 && options.port + options.count - 1 > 65'535) {
        return fail(Code::usage,
                    fmt::format("{} phones from port {} on would pass port 65535", options.count, options.port));
    }
    boost::system::error_code ec;
    const auto host = boost::asio::ip::make_address_v4(options.host, ec);
    if (ec)
        return fail(Code::usage,
                    fmt::format("'{}' is no IPv4 address; virtual phones listen on 127.0.0.1", options.host));
    if (!options.profile) {
        options.profile = [healthy = std::make_shared<const Profile>(modern_profile())](
                              std::uint32_t, const std::string&) { return healthy; };
    }
    std::vector<std::shared_ptr<const Profile>> profiles;
    std::unique_ptr<Fleet> fleet(new Fleet);
    for (std::uint32_t number = 1; number <= options.count; ++number) {
        fleet->ids_.push_back(phone_id(number));
        profiles.push_back(options.profile(number, fleet->ids_.back()));
        if (needs_keys(host) && profiles.back()->auth != AuthMode::trusted) {
            return fail(
                Code::usage,
                fmt::format("{} is not a loopback address: there every phone needs a profile with `auth: trusted`, "
                            "as anyone on the network could run commands",
                            options.host));
        }
    }
    raise_descriptor_limit();
    ::signal(SIGPIPE, SIG_IGN);
    auto userland = Userland::create();
    if (!userland) return tl::unexpected(userland.error());
    std::unique_ptr<Watchdog> watchdog;
    if ((*userland)->refusal().empty()) {
        auto started = Watchdog::start();
        if (!started) return tl::unexpected(started.error());
        watchdog = std::move(*started);
    }
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    fleet->impl_ = std::make_unique<Impl>(options.loops != 0 ? options.loops : std::min<std::size_t>(cores, 4));
    Impl& impl = *fleet->impl_;
    impl.userland = *userland;
    impl.spawner = std::make_shared<Spawner>(*userland, std::move(watchdog));
    impl.phones.resize(options.count);
    for (std::size_t l = 0; l < impl.pool.size(); ++l) {
        impl.pool.run_on(l, [&] {
            for (std::size_t i = l; i < options.count; i += impl.pool.size()) {
                impl.phones[i] =
                    std::make_unique<VirtualPhone>(impl.pool.at(l), impl.spawner, profiles[i], fleet->ids_[i],
                                                   static_cast<std::uint32_t>(i + 1), options.seed);
            }
        });
    }
    auto listening = options.count > kListenersMax ? fleet->listen_shared(options) : fleet->listen_each(options);
    if (!listening) return tl::unexpected(listening.error());
    return fleet;
}

Result<void> Fleet::listen_each(const FleetOptions& options) {
    const auto host = boost::asio::ip::make_address_v4(options.host);
    addresses_.resize(options.count);
    PortPicker ports(std::random_device{}());
    Result<void> result;
    for (std::size_t l = 0; l < impl_->pool.size(); ++l) {
        impl_->pool.run_on(l, [&] {
            for (std::size_t i = l; result && i < options.count; i += impl_->pool.size()) {
                VirtualPhone& phone = *impl_->phones[i];
                const auto port = static_cast<std::uint16_t>(options.port + i);
                const auto endpoint = options.port == 0 ? phone.listen_any(host, ports) : phone.listen({host, port});
                if (endpoint) {
                    addresses_[i] = fmt::format("{}:{}", options.host, endpoint->port());
                } else {
                    result = tl::unexpected(endpoint.error());
                }
            }
        });
    }
    return result;
}

Result<void> Fleet::listen_shared(const FleetOptions& options) {
    const auto host = boost::asio::ip::make_address_v4(options.host);
    if (!host.is_loopback()) {
        return fail(Code::usage,
                    fmt::format("more than {} phones are possible on loopback addresses only", kListenersMax));
    }
    Result<void> result;
    impl_->pool.run_on(0, [&] {
        auto made = SharedListener::start(
            impl_->pool, options.port, [this](std::size_t i) { return impl_->phones[i].get(); }, options.count);
        if (made) {
            impl_->shared = std::move(*made);
        } else {
            result = tl::unexpected(made.error());
        }
    });
    if (!result) return result;
    for (std::size_t i = 0; i < options.count; ++i) {
        addresses_.push_back(fmt::format("{}:{}", SharedListener::address_of(i).to_string(), impl_->shared->port()));
    }
    return {};
}

Fleet::~Fleet() {
    if (!impl_) return;
    impl_->pool.run_on(0, [this] { impl_->shared.reset(); });
    for (std::size_t l = 0; l < impl_->pool.size(); ++l) {
        impl_->pool.run_on(l, [&] {
            for (std::size_t i = l; i < impl_->phones.size(); i += impl_->pool.size()) impl_->phones[i].reset();
        });
        impl_->pool.run_on(l, [] {});  // what the phones left to be freed later
    }
    impl_->spawner->stop();
    impl_->pool.stop();
}

std::string Fleet::refusal() const { return impl_->userland->refusal(); }

std::string Fleet::inventory() const {
    std::string text = "# Virtual phones of one `drover sim`.\nversion: 1\ninstances:\n";
    for (std::size_t i = 0; i < size(); ++i)
        text += fmt::format("  - {{id: {}, via: tcp, address: '{}'}}\n", ids_[i], addresses_[i]);
    return text;
}

void Fleet::with_phone(std::size_t i, const std::function<void(VirtualPhone&)>& f) {
    impl_->pool.run_on(i % impl_->pool.size(), [&] { f(*impl_->phones[i]); });
}

}  // namespace drover::sim
