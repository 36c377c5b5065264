// A phone as users address it: one entry of the inventory, or one that discovery found. Plain values; any thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace drover {

// How drover reaches a phone. `automatic` is resolved when the fleet is opened: host:port means tcp; anything else means the adb
// server where one runs, else USB directly.
enum class Via : std::uint8_t { automatic, tcp, usb, server };
std::string_view to_string(Via via);  // "auto", "tcp", "usb", "server"

struct TcpAddress {
    std::string host;  // a name or a numeric address; no brackets
    std::uint16_t port = 5555;
};
struct UsbPath {
    std::string path;         // bus-port[.port...], as in sysfs: "1-4.2"
    std::string serial = {};  // when not empty: only a phone with that serial
};
struct Serial {
    std::string serial;  // as an adb server lists it
};
using Address = std::variant<TcpAddress, UsbPath, Serial>;
std::string to_string(const Address& address);  // "10.0.0.5:5555", "[::1]:5555", "usb:1-4.2", "R58M123ABC"

struct Instance {
    std::string id;  // [A-Za-z0-9][A-Za-z0-9._-]{0,31}
    Via via = Via::automatic;
    Address address;
    std::string serial;    // optional; empty when not given
    std::string usb_path;  // where it was plugged in when it was last looked for; empty: not on USB, or nobody looked
    std::map<std::string, std::string> labels;
    bool disabled = false;     // a person took it out of service (`drover disable`)
    std::string disabled_why;  // one line
};

}  // namespace drover
