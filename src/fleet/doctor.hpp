// What a farm host needs to be well: facts gathered by gather_facts(), and what follows from them as findings, each with what to do.
//
// Pure; any thread; values are the caller's. Failure: none; what could not be found out is a finding or is left out.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adb/smart_socket.hpp"
#include "adb/transport/usb_holder.hpp"
#include "adb/transport/usb_topology.hpp"

namespace drover::fleet {

struct UsbPhoneFacts {
    adb::UsbPhone phone;
    bool may_open = false;  // this user may read and write its node
    std::vector<adb::UsbHolder> holders;
};

// A phone that drover knows, as far as a link to it got.
struct PhoneFacts {
    std::string id;
    std::string serial;  // or its address
    std::string state;   // adb's word
    std::string why;
    bool disabled = false;
    std::string own_serial = {};    // as the phone tells it; empty: it was not asked, or has none
    std::string usb_path = {};      // "1-4.2"; empty: it is not on this host's USB, or named by its serial
    std::uint64_t descriptors = 2;  // of this process, while a command runs on it
};

// A running `drover serve`, or the socket that one left behind.
struct ServeFacts {
    std::string socket;
    std::optional<Error> error = {};  // why it does not answer
    std::string version = {};
    std::uint64_t phones = 0, disabled = 0, held = 0;  // in service, out of it, by runs
};

struct HostFacts {
    std::string user;
    bool root = false;
    bool in_plugdev = false;
    std::vector<std::string> rules;     // udev rule files that give people the ADB interface of phones
    std::vector<UsbPhoneFacts> phones;  // on USB, with an ADB interface
    std::vector<adb::UsbController> controllers;
    std::vector<adb::UsbHolder> servers;  // adb servers among this host's processes
    std::string server_name;              // where one is looked for: "127.0.0.1:5037"
    std::optional<unsigned> server_version;
    std::optional<Error> server_error;  // why there is no version
    std::vector<adb::ServerDevice> server_devices;
    std::optional<ServeFacts> serve;  // none: no socket is there
    std::vector<std::string> keys;    // fingerprints of the usable ones
    std::vector<std::string> key_warnings;
    std::uint64_t descriptors_soft = 0, descriptors_hard = 0;  // 0: not known
    std::vector<PhoneFacts> fleet;                             // what drover itself would use, tried
};

enum class FindingLevel : std::uint8_t { ok, note, warning, problem };
std::string_view to_string(FindingLevel level);

struct Finding {
    FindingLevel level = FindingLevel::ok;
    // "adb-server", "drover-server", "usb-interfaces", "udev", "permissions", "keys", "authorization", "usb-topology",
    // "descriptors", "phones", "identity"
    std::string topic;
    std::string what;
    std::string fix;                   // what to do; empty where there is nothing
    std::vector<std::string> details;  // a line each
};

// In the order in which people should read and act.
std::vector<Finding> judge(const HostFacts& facts);

// Limits seen on real controllers (reports of farm owners): past these a phone is not enumerated any more.
constexpr unsigned kControllerSlotsMax = 32, kControllerEndpointsMax = 96, kBusAddressesMax = 127;
constexpr unsigned kHubDepthMax = 5;  // hubs in a row that USB allows

}  // namespace drover::fleet
