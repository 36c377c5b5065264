#include "fleet/server_hub.hpp"

#include <utility>

namespace drover::fleet {

// Posted functions hold it: the listener is forgotten on its own loop, so that none of them finds a dead one.
struct ServerHub::Subscription::Target {
    Loop& loop;
    ServerListener* listener;
};

ServerHub::ServerHub(Loop& loop, adb::ServerEndpoint endpoint)
    : loop_(loop),
      endpoint_(endpoint),
      tracker_(loop, std::move(endpoint), static_cast<adb::ServerTrackerSink&>(*this)) {}

ServerHub::~ServerHub() = default;

ServerHub::Subscription::Subscription(ServerHub& hub, Loop& loop, ServerListener& listener)
    : hub_(hub), target_(std::make_shared<Target>(Target{loop, &listener})) {
    const std::lock_guard lock(hub_.mutex_);
    hub_.targets_.push_back(target_);
    if (hub_.view_) tell(target_, hub_.view_);
    hub_.start();
}

ServerHub::Subscription::~Subscription() {
    target_->listener = nullptr;
    const std::lock_guard lock(hub_.mutex_);
    std::erase(hub_.targets_, target_);
}

void ServerHub::tell(const std::shared_ptr<Subscription::Target>& target, std::shared_ptr<const ServerView> view) {
    target->loop.post([target, view = std::move(view)] {
        if (target->listener) target->listener->on_view(view);
    });
}

// The server is asked only once somebody wants a phone from it.
void ServerHub::start() {
    if (!std::exchange(started_, true)) loop_.post([this] { tracker_.start(); });
}

std::shared_ptr<const ServerView> ServerHub::view(std::chrono::milliseconds limit, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    start();
    first_.wait_for(lock, stop, limit, [this] { return view_ != nullptr; });
    return view_;
}

void ServerHub::publish(std::optional<std::vector<adb::ServerDevice>> devices, std::optional<Error> down) {
    const std::lock_guard lock(mutex_);
    auto view = std::make_shared<ServerView>();
    if (devices) view->devices = std::move(*devices);
    if (!devices && view_) view->devices = view_->devices;
    view->down = std::move(down);
    view_ = std::move(view);
    for (const auto& target : targets_) tell(target, view_);
    first_.notify_all();
}

void ServerHub::on_server_devices(const std::vector<adb::ServerDevice>& devices) { publish(devices, std::nullopt); }

void ServerHub::on_server_down(const Error& why) { publish(std::nullopt, why); }

}  // namespace drover::fleet
