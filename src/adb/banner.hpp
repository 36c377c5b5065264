// The identity text of a CNXN packet: type::key=value;...;features=a,b,c (reference: AOSP adb.cpp parse_banner).
// Pure; any thread.
#pragma once
#include <string>
#include <string_view>

namespace drover::adb {

// adb's own words and numbers (proto/adb_host.proto ConnectionState); api.md publishes the numbers.
enum class AdbState : unsigned char {
    connecting = 1,
    authorizing = 2,
    unauthorized = 3,
    no_permissions = 4,
    detached = 5,
    offline = 6,
    bootloader = 7,
    device = 8,
    host = 9,
    recovery = 10,
    sideload = 11,
    rescue = 12,
};
std::string_view to_string(AdbState state);       // "device", "no permissions", ...
AdbState parse_adb_state(std::string_view text);  // unknown words are `offline`; "no permissions; see ..." is known
bool takes_commands(AdbState state);              // device or recovery

// A set of feature names. Only features that both sides list may be used.
class Features {
public:
    Features() = default;
    static Features parse(std::string_view comma_separated);  // empty and repeated names are dropped
    bool has(std::string_view name) const;
    bool shell_v2() const { return shell_v2_; }  // has() of what every command asks for
    bool empty() const { return names_.empty(); }
    Features intersect(const Features& other) const;
    const std::string& join() const { return names_; }  // comma separated, sorted

private:
    explicit Features(std::string names);

    bool shell_v2_ = false;
    std::string names_;  // one block of memory: every phone has two sets
};

struct Banner {
    AdbState state = AdbState::host;  // device, recovery, sideload, rescue, bootloader; any other word reads as host
    std::string product;              // ro.product.name
    std::string model;                // ro.product.model
    std::string device;               // ro.product.device
    Features features;                // empty when absent: clears an older set
};

// Never fails: what is not understood is left out. A trailing NUL and a trailing ';' are accepted (old daemons).
Banner parse_banner(std::string_view text);
// What this host says of itself: "host::features=..." without NUL.
std::string host_banner(const Features& ours);
// The features drover can use; delayed_ack only when asked for.
const Features& host_features(bool delayed_ack);

}  // namespace drover::adb
