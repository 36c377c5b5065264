#include "dispatch/fleet_ground.hpp"

#include <algorithm>
#include <thread>

#include "adb/transport/usb_libusb.hpp"
#include "base/log.hpp"
#include "dispatch/call_time.hpp"
#include "fleet/auto_connector.hpp"
#include "fleet/server_connector.hpp"
#include "fleet/tcp_connector.hpp"
#include "fleet/unsupported_connector.hpp"
#include "fleet/usb_connector.hpp"

namespace drover {
namespace {

// One loop serves some hundred phones; more threads than that only cost wake-ups.
std::size_t loops_for(const FleetOptions& options, std::size_t phones) {
    constexpr std::size_t kPhonesPerLoop = 256;
    if (options.loops > 0) return options.loops;
    return std::clamp<std::size_t>(phones / kPhonesPerLoop + 1, 1, std::max(1u, std::thread::hardware_concurrency()));
}

std::shared_ptr<const adb::KeyRing> load_keys() {
    std::vector<std::string> warnings;
    auto ring = std::make_shared<adb::KeyRing>(adb::KeyRing::load_from_environment(&warnings));
    for (const auto& w : warnings) log::warn("{}", w);
    return ring;
}

// A frozen adb server is told from a slow one by then; see kServerReplyDeadline.
constexpr std::chrono::milliseconds kFirstViewMax{6'000};

}  // namespace

FleetGround::FleetGround(const FleetOptions& options, std::size_t phones, adb::ServerEndpoint server)
    : options_(options),
      key_memory_(options.state_dir.empty() ? std::filesystem::path() : options.state_dir / "accepted_keys"),
      pace_(options.upkeep.reconnects_per_second),
      keys_(load_keys()),
      pool_(loops_for(options, phones)),
      server_(std::move(server)) {}

FleetGround::~FleetGround() {
    pool_.run_on(0, [&] {
        bell_.reset();
        hub_.reset();
    });
    usb_hub_.reset();
    if (disk_) disk_->stop();
    pool_.stop();
}

WorkPool& FleetGround::disk() {
    constexpr std::size_t kFewest = 2, kMost = 8;
    if (!disk_)
        disk_ =
            std::make_unique<WorkPool>(std::clamp<std::size_t>(std::thread::hardware_concurrency(), kFewest, kMost));
    return *disk_;
}

// Rings when a phone has come to a list or gone from it, and when the server comes or goes; states are the phones' own matter.
class FleetGround::Bell final : private fleet::ServerListener, private fleet::UsbListener {
public:
    Bell(Loop& loop, fleet::ServerHub* server, fleet::UsbHub* usb, std::function<void()> changed)
        : changed_(std::move(changed)) {
        if (server) server_.emplace(*server, loop, static_cast<fleet::ServerListener&>(*this));
        if (usb) usb_.emplace(*usb, loop, static_cast<fleet::UsbListener&>(*this));
    }

private:
    void on_view(const std::shared_ptr<const fleet::ServerView>& view) override {
        std::vector<std::string> listed;
        for (const auto& d : view->devices) listed.push_back(d.serial + '\n' + d.usb_path);
        std::sort(listed.begin(), listed.end());
        if (view->down) listed.emplace_back("down");
        look(listed_, std::move(listed));
    }
    void on_usb(const adb::UsbPhones& phones) override {
        std::vector<std::string> plugged;
        for (const auto& p : *phones) plugged.push_back(p.serial + '\n' + p.path);
        look(plugged_, std::move(plugged));
    }
    void look(std::optional<std::vector<std::string>>& last, std::vector<std::string> now) {
        if (last == now) return;
        last = std::move(now);
        changed_();
    }

    const std::function<void()> changed_;
    std::optional<std::vector<std::string>> listed_, plugged_;
    std::optional<fleet::ServerHub::Subscription> server_;
    std::optional<fleet::UsbHub::Subscription> usb_;
};

void FleetGround::on_discovery(bool server, bool usb, std::function<void()> changed) {
    fleet::ServerHub* const server_list = changed && server ? &server_hub() : nullptr;
    fleet::UsbHub* const usb_list = changed && usb ? &usb_hub() : nullptr;
    identities_.on_twin(changed);
    pool_.run_on(0, [&] {
        bell_.reset();
        if (server_list || usb_list)
            bell_ = std::make_unique<Bell>(pool_.at(0), server_list, usb_list, std::move(changed));
    });
}

// Each wait takes half of what those before it left.
std::chrono::milliseconds FleetGround::opening_limit() const {
    const auto limit = options_.connect < Limits{}.connect ? options_.connect : kFirstViewMax;
    if (!options_.deadline) return limit;
    return std::min(limit, dispatch::selection_limit(dispatch::what_is_left(*options_.deadline, made_)));
}

Result<void> FleetGround::still_wanted() const {
    if (options_.stop.stop_requested()) return fail(Code::interrupted, "told to stop while phones were looked for");
    return {};
}

std::shared_ptr<const fleet::ServerView> FleetGround::server_view(std::chrono::milliseconds wait) {
    return server_hub().view(wait, options_.stop);
}
adb::UsbPhones FleetGround::usb_phones(std::chrono::milliseconds wait) { return usb_hub().phones(wait, options_.stop); }

std::shared_ptr<fleet::Phone> FleetGround::make_phone(std::size_t index, const Instance& instance, Via written,
                                                      fleet::IdentityBook::Rank rank) {
    Loop& loop = pool_.at(next_loop_++ % pool_.size());
    const Via via = written == Via::automatic && instance.via != Via::tcp ? written : instance.via;
    fleet::PhoneShared shared;
    shared.identities = identities_wanted_ ? &identities_ : nullptr;
    shared.rank = rank;
    shared.pace = &pace_;
    shared.upkeep = &options_.upkeep;
    shared.counts = &counts_;
    return std::make_shared<fleet::Phone>(loop, index, instance, make_connector(loop, instance, via), shared);
}

fleet::ServerHub& FleetGround::server_hub() {
    if (!hub_) pool_.run_on(0, [&] { hub_ = std::make_unique<fleet::ServerHub>(pool_.at(0), server_); });
    return *hub_;
}

fleet::UsbHub& FleetGround::usb_hub() {
    if (!usb_) usb_ = std::make_unique<adb::LibusbBus>();
    if (!usb_hub_) usb_hub_ = std::make_unique<fleet::UsbHub>(*usb_);
    return *usb_hub_;
}

fleet::LinkConnectorOptions FleetGround::link_options() {
    fleet::LinkConnectorOptions link;
    link.link.keys = keys_;
    link.link.delayed_ack = options_.delayed_ack;
    link.key_memory = &key_memory_;
    return link;
}

std::unique_ptr<fleet::Connector> FleetGround::make_usb_connector(Loop& loop, const Instance& instance) {
    fleet::UsbHub& hub = usb_hub();
    return std::make_unique<fleet::UsbConnector>(loop, instance.id, *usb_, instance.address, link_options(), &hub);
}

std::unique_ptr<fleet::Connector> FleetGround::make_connector(Loop& loop, const Instance& instance, Via via) {
    if (via == Via::server) return std::make_unique<fleet::ServerConnector>(loop, server_hub(), instance.address);
    if (via == Via::usb) return make_usb_connector(loop, instance);
    if (via == Via::automatic) {
        return std::make_unique<fleet::AutoConnector>(
            loop, server_hub(), std::make_unique<fleet::ServerConnector>(loop, server_hub(), instance.address),
            make_usb_connector(loop, instance));
    }
    const auto* tcp = std::get_if<TcpAddress>(&instance.address);
    if (!tcp) return std::make_unique<fleet::UnsupportedConnector>(loop, "use `via: server`, or an address host:port");
    return std::make_unique<fleet::TcpConnector>(loop, instance.id, *tcp, link_options());
}

}  // namespace drover
