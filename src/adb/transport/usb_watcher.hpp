// Keeps the list of phones on USB up to date: scans sysfs when it is rung (hotplug), and now and then by itself, since the kernel's
// messages get lost when many come at once (netlink overrun), and libusb's own list with them.
//
// Threads: ring() from any; `changed` is called on the watcher's own thread. Ownership: the caller's; nothing is called once the
// destructor has returned. Failure: what cannot be read is not in the list.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "adb/transport/usb_sysfs.hpp"

namespace drover::adb {

using UsbPhones = std::shared_ptr<const std::vector<UsbPhone>>;  // by path; never null

struct UsbWatcherOptions {
    std::chrono::milliseconds rescan{2'000};  // without a ring
    std::chrono::milliseconds quiet{20};      // a hub's twenty phones come one after the other: they are told together,
    std::chrono::milliseconds patience{100};  // but nobody waits longer than this for the last of them
};

class UsbWatcher {
public:
    using Lister = std::function<std::vector<UsbPhone>()>;
    using Changed = std::function<void(UsbPhones)>;

    // `changed` is called with the first list, and then with each that differs from the last.
    UsbWatcher(Lister list, Changed changed, UsbWatcherOptions options = {});
    ~UsbWatcher();
    UsbWatcher(const UsbWatcher&) = delete;
    UsbWatcher& operator=(const UsbWatcher&) = delete;

    void ring();

private:
    using Clock = std::chrono::steady_clock;
    void run();
    bool wait();  // until a scan is due; false: the end

    const Lister list_;
    const Changed changed_;
    const UsbWatcherOptions options_;
    std::mutex mutex_;
    std::condition_variable rung_changed_;
    bool rung_ = false;
    bool stopping_ = false;
    Clock::time_point last_ring_{};
    std::thread thread_;
};

}  // namespace drover::adb
