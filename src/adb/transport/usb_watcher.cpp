#include "adb/transport/usb_watcher.hpp"

#include <algorithm>
#include <utility>

namespace drover::adb {

UsbWatcher::UsbWatcher(Lister list, Changed changed, UsbWatcherOptions options)
    : list_(std::move(list)), changed_(std::move(changed)), options_(options), thread_([this] { run(); }) {}

UsbWatcher::~UsbWatcher() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    rung_changed_.notify_all();
    thread_.join();
}

void UsbWatcher::ring() {
    {
        const std::lock_guard lock(mutex_);
        rung_ = true;
        last_ring_ = Clock::now();
    }
    rung_changed_.notify_all();
}

bool UsbWatcher::wait() {
    std::unique_lock lock(mutex_);
    rung_changed_.wait_for(lock, options_.rescan, [this] { return rung_ || stopping_; });
    if (rung_ && !stopping_) {
        const auto until = Clock::now() + options_.patience;
        while (!stopping_) {
            const auto quiet_at = std::min(last_ring_ + options_.quiet, until);
            if (Clock::now() >= quiet_at) break;
            rung_changed_.wait_until(lock, quiet_at);
        }
    }
    rung_ = false;
    return !stopping_;
}

void UsbWatcher::run() {
    UsbPhones last;
    do {
        auto now = std::make_shared<const std::vector<UsbPhone>>(list_());
        if (last && *last == *now) continue;
        last = now;
        changed_(std::move(now));
    } while (wait());
}

}  // namespace drover::adb
