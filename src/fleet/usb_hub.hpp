// The phones on this host's USB, shared by all who need to know: one watch over the bus for the whole fleet, started when somebody
// asks first.
//
// Threads: any; a Subscription is made and destroyed on the loop it names, and hears there. Ownership: the fleet's; outlives its
// subscribers; the bus outlives it. Failure: none; a bus that shows nothing is an empty list.
#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "adb/transport/usb_device.hpp"
#include "base/loop_pool.hpp"

namespace drover::fleet {

class UsbListener {
public:
    virtual void on_usb(const adb::UsbPhones& phones) = 0;

protected:
    ~UsbListener() = default;
};

class UsbHub {
public:
    explicit UsbHub(adb::UsbBus& bus) : bus_(bus) {}
    ~UsbHub();
    UsbHub(const UsbHub&) = delete;
    UsbHub& operator=(const UsbHub&) = delete;

    // The listener is told of the list there is, soon, and of each later one.
    class Subscription {
    public:
        Subscription(UsbHub& hub, Loop& loop, UsbListener& listener);
        ~Subscription();
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;

    private:
        friend class UsbHub;
        struct Target;
        UsbHub& hub_;
        std::shared_ptr<Target> target_;
    };

    // The list as it is; waits for the first one, at most `limit`, or until `stop`. Not on a loop. Null: none came.
    adb::UsbPhones phones(std::chrono::milliseconds limit, const std::stop_token& stop);

private:
    void start();  // with mutex_ held
    void publish(adb::UsbPhones phones);
    static void tell(const std::shared_ptr<Subscription::Target>& target, adb::UsbPhones phones);

    adb::UsbBus& bus_;
    std::mutex mutex_;
    std::condition_variable_any first_;
    adb::UsbPhones phones_;  // null until the first list
    std::vector<std::shared_ptr<Subscription::Target>> targets_;
    std::unique_ptr<adb::UsbWatching> watching_;
};

}  // namespace drover::fleet
