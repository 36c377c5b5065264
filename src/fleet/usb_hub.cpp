#include "fleet/usb_hub.hpp"

#include <utility>

namespace drover::fleet {

// Posted functions hold it: the listener is forgotten on its own loop, so that none of them finds a dead one.
struct UsbHub::Subscription::Target {
    Loop& loop;
    UsbListener* listener;
};

// The watch ends first: its last call may be waiting for the mutex.
UsbHub::~UsbHub() {
    std::unique_ptr<adb::UsbWatching> watching;
    {
        const std::lock_guard lock(mutex_);
        watching = std::move(watching_);
    }
}

void UsbHub::start() {
    if (!watching_) watching_ = bus_.watch([this](adb::UsbPhones phones) { publish(std::move(phones)); });
}

UsbHub::Subscription::Subscription(UsbHub& hub, Loop& loop, UsbListener& listener)
    : hub_(hub), target_(std::make_shared<Target>(Target{loop, &listener})) {
    const std::lock_guard lock(hub_.mutex_);
    hub_.targets_.push_back(target_);
    if (hub_.phones_) tell(target_, hub_.phones_);
    hub_.start();
}

UsbHub::Subscription::~Subscription() {
    target_->listener = nullptr;
    const std::lock_guard lock(hub_.mutex_);
    std::erase(hub_.targets_, target_);
}

void UsbHub::tell(const std::shared_ptr<Subscription::Target>& target, adb::UsbPhones phones) {
    target->loop.post([target, phones = std::move(phones)] {
        if (target->listener) target->listener->on_usb(phones);
    });
}

void UsbHub::publish(adb::UsbPhones phones) {
    const std::lock_guard lock(mutex_);
    phones_ = std::move(phones);
    for (const auto& target : targets_) tell(target, phones_);
    first_.notify_all();
}

adb::UsbPhones UsbHub::phones(std::chrono::milliseconds limit, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    start();
    first_.wait_for(lock, stop, limit, [this] { return phones_ != nullptr; });
    return phones_;
}

}  // namespace drover::fleet
