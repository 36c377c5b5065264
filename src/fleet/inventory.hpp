// The inventory file: which phones there are, how to reach them, and named groups of them.
//
// Pure but for load(); any thread; the caller owns what comes back. Failure: Code::bad_inventory and
// "FILE:LINE:COLUMN: message" for the first mistake, with the number of others. Group selectors are kept as text with their
// marks; the selector room checks them.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml_tree.hpp"
#include "drover/error.hpp"
#include "drover/instance.hpp"

namespace drover::fleet {

constexpr std::size_t kInventoryBytesMax = 8 * 1024 * 1024;
constexpr std::size_t kInstancesMax = 20'000;
constexpr std::size_t kGroupsMax = 1'000;
constexpr std::size_t kLabelsMax = 64;      // per instance
constexpr std::size_t kLabelBytesMax = 63;  // a key, a value
constexpr std::size_t kSerialBytesMax = 128;

struct Group {
    std::string selector;
    yaml::Mark mark;
};

struct Inventory {
    std::string file;                 // as it stands in messages
    std::vector<Instance> instances;  // in the file's order; ids and addresses are unique
    std::map<std::string, Group, std::less<>> groups;
    bool discover_usb = false;
    bool discover_server = false;
};

Result<Inventory> parse_inventory(std::string_view text, std::string_view file);
Result<Inventory> load_inventory(const std::string& file);

// What an address means depends on the way to the phone:
//   tcp     host:port, [ipv6]:port
//   usb     usb:1-4.2, or the serial of a USB device
//   server  the serial as the adb server lists it, which may look like host:port; or usb:1-4.2
//   auto    whichever of these it looks like
// An error says what is wrong, without a position; its code is bad_inventory.
Result<Address> parse_address(Via via, std::string_view text);
// `automatic` becomes tcp for host:port; else server where one runs, as USB phones are left to the adb server that other programs
// use; else usb.
Via resolve_via(Via via, const Address& address, bool server_runs);

// [A-Za-z0-9][A-Za-z0-9._/-]* for a key; a value may also hold : + @ = ~ and be empty. At most kLabelBytesMax bytes.
bool valid_label_key(std::string_view key);
bool valid_label_value(std::string_view value);

}  // namespace drover::fleet
