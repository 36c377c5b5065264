// Who waits for a phone, for tests: notes what it is told on the phone's loop; the test waits for a count. Outlives the loop.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "fleet/phone.hpp"

namespace drover::test {

struct NotedWaiter final : fleet::Waiter {
    std::mutex mutex;
    std::condition_variable changed;
    int ready = 0;
    std::vector<Error> hopeless;
    std::function<void()> at_ready;

    void on_ready(adb::Carrier&) override {
        {
            const std::lock_guard lock(mutex);
            ++ready;
        }
        if (at_ready) at_ready();
        changed.notify_all();
    }
    void on_hopeless(const Error& why) override {
        const std::lock_guard lock(mutex);
        hopeless.push_back(why);
        changed.notify_all();
    }
    void wait_ready(int n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return ready >= n; });
    }
    void wait_hopeless(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return hopeless.size() >= n; });
    }
};

struct NoWaiter final : fleet::GateWaiter {
    void on_admitted() override {}
};

}  // namespace drover::test
