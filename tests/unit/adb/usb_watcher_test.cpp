#include "adb/transport/usb_watcher.hpp"

#include <gmock/gmock.h>

#include <atomic>

namespace drover::test {
namespace {

using adb::UsbPhone;
using ::testing::ElementsAre;

// What the watcher reads, and what it told.
struct Bus {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<UsbPhone> plugged;
    std::vector<std::vector<std::string>> told;
    std::atomic<int> scans{0};

    void plug(const std::string& path) {
        const std::lock_guard lock(mutex);
        UsbPhone phone;
        phone.path = path;
        plugged.push_back(phone);
    }
    std::vector<UsbPhone> list() {
        ++scans;
        const std::lock_guard lock(mutex);
        return plugged;
    }
    void tell(const adb::UsbPhones& phones) {
        const std::lock_guard lock(mutex);
        told.emplace_back();
        for (const auto& p : *phones) told.back().push_back(p.path);
        changed.notify_all();
    }
    std::vector<std::string> wait_told(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return told.size() >= n; });
        return told[n - 1];
    }
};

class UsbWatcherTest : public ::testing::Test {
protected:
    Bus bus;
    std::unique_ptr<adb::UsbWatcher> watch(adb::UsbWatcherOptions options) {
        return std::make_unique<adb::UsbWatcher>([this] { return bus.list(); },
                                                 [this](const adb::UsbPhones& p) { bus.tell(p); }, options);
    }
    static constexpr std::chrono::hours kNever{1};
};

TEST_F(UsbWatcherTest, TellsTheFirstListAndWhatARingBrings) {
    const auto watcher = watch({kNever, std::chrono::milliseconds(1), std::chrono::milliseconds(5)});
    EXPECT_THAT(bus.wait_told(1), ElementsAre());
    bus.plug("1-1");
    watcher->ring();
    EXPECT_THAT(bus.wait_told(2), ElementsAre("1-1"));
}

TEST_F(UsbWatcherTest, ALostMessageIsMadeUpForByARescan) {
    const auto watcher =
        watch({std::chrono::milliseconds(5), std::chrono::milliseconds(1), std::chrono::milliseconds(5)});
    bus.wait_told(1);
    bus.plug("1-1");  // and nobody rings
    EXPECT_THAT(bus.wait_told(2), ElementsAre("1-1"));
}

TEST_F(UsbWatcherTest, ABurstOfHundredsIsToldOnce) {
    const auto watcher = watch({kNever, std::chrono::milliseconds(300), std::chrono::seconds(20)});
    bus.wait_told(1);
    for (int i = 0; i < 300; ++i) {
        bus.plug("1-" + std::to_string(i));
        watcher->ring();
    }
    EXPECT_EQ(bus.wait_told(2).size(), 300u);
    EXPECT_LE(bus.scans, 3);
}

TEST_F(UsbWatcherTest, EndsAtOnceWhileItWaits) {
    const auto begin = std::chrono::steady_clock::now();
    watch({kNever, std::chrono::hours(1), std::chrono::hours(1)}).reset();
    auto ringing = watch({kNever, std::chrono::hours(1), std::chrono::hours(1)});
    ringing->ring();
    ringing.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(5));
}

}  // namespace
}  // namespace drover::test
