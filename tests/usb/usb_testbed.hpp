// USB phones for the real program: a umockdev testbed with device nodes, sysfs entries and hotplug events, and one virtual phone
// of `drover sim` behind each. The program under test is an unmodified child that runs with the same preloads.
//
// Threads: the test's. Ownership: the testbed owns everything it plugs in; phones stay valid after unplug() until it ends.
// Failure: what cannot be set up throws: in a test that is a failed test.
#pragma once
#include <umockdev.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/loop_pool.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "usb/usb_phone.hpp"

namespace drover::test {

struct UsbPlug {
    std::string path;  // "1-4.2"
    int number = 2;    // on its bus, 2..127; another one after each replug
    std::string serial;
    std::size_t phone = 0;                             // which virtual phone is behind it
    bool adb = true;                                   // false: USB debugging is off
    bool silent = false;                               // no hotplug message comes: it got lost
    std::function<std::string(std::string)> lie = {};  // makes other descriptors of the true ones
    UsbPhoneOptions options{};
};

class UsbTestbed {
public:
    // phones: virtual phones to have ready. more_sim: further arguments of `drover sim`.
    explicit UsbTestbed(std::size_t phones, std::vector<std::string> more_sim = {});
    ~UsbTestbed();
    UsbTestbed(const UsbTestbed&) = delete;
    UsbTestbed& operator=(const UsbTestbed&) = delete;

    UsbPhone& plug(const UsbPlug& plug);
    void unplug(std::string path);
    std::string phone_address(std::size_t phone) const;  // of a virtual phone, by TCP

    // The next `times` attempts to open the node of that path fail with EACCES; 0: all.
    void deny(const std::string& path, int times);

    // From now on who opens the node of that path hangs, until let_open().
    void hang(const std::string& path);
    void let_open(const std::string& path);

    // `drover ARGS`, with this bus.
    ProcessOptions command(std::vector<std::string> args) const;
    // An inventory with one phone per address, ids p0, p1, ...
    std::string inventory(const std::vector<std::string>& addresses) const;

private:
    struct Plugged;
    std::string root() const;
    void add_silently(const UsbPlug& plug, const std::string& device, const std::string& raw) const;

    TempDir dir_;
    std::unique_ptr<Process> sim_;
    std::vector<std::uint16_t> ports_;
    UMockdevTestbed* testbed_;
    LoopPool pool_{1};
    std::map<std::string, std::unique_ptr<Plugged>> plugged_;  // by path
    std::vector<std::unique_ptr<Plugged>> former_;
};

}  // namespace drover::test
