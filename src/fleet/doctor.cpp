#include "fleet/doctor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/counted.hpp"
#include "base/resource_limits.hpp"

namespace drover::fleet {
namespace {

using enum FindingLevel;

constexpr std::string_view kInstallRules =
    "sudo cp devices/51-drover.rules /etc/udev/rules.d/ && sudo udevadm control --reload && sudo udevadm trigger";
constexpr std::string_view kTap =
    "unlock the phone, accept the key on its screen and tick \"always allow\"; where no question shows, turn USB "
    "debugging "
    "off and on, or revoke its authorizations in the developer options, and plug it in again";

std::string name_of(const adb::UsbPhone& phone) {
    return fmt::format("usb:{} ({}, {})", phone.path, phone.serial.empty() ? "no serial" : phone.serial,
                       phone.product.empty() ? "unnamed" : phone.product);
}

Finding server_finding(const HostFacts& f) {
    Finding finding{ok, "adb-server", {}, {}, {}};
    for (const auto& s : f.servers) finding.details.push_back(fmt::format("adb server, pid {}", s.pid));
    if (f.server_version) {
        finding.what = fmt::format("an adb server answers at {}, version 1.0.{}, {}", f.server_name, *f.server_version,
                                   counted(f.server_devices.size(), "phone"));
        if (!f.phones.empty())
            finding.fix = "none needed: drover leaves USB phones to it, unless an instance says `via: usb`";
        return finding;
    }
    if (!f.servers.empty() || (f.server_error && f.server_error->code == Code::server_failed)) {
        finding.level = problem;
        finding.what = fmt::format("what is at {} does not answer as an adb server: {}", f.server_name,
                                   f.server_error ? f.server_error->message : "no answer");
        finding.fix = f.servers.empty()
                          ? "see what listens there, or name another one in ADB_SERVER_SOCKET"
                          : "set ADB_SERVER_SOCKET if it listens elsewhere; if it hangs, whoever runs it has to "
                            "end it (`adb kill-server`): drover never does";
        return finding;
    }
    finding.level = note;
    finding.what = fmt::format("no adb server at {}: drover opens USB phones by itself", f.server_name);
    return finding;
}

Finding serve_finding(const HostFacts& f) {
    Finding finding{ok, "drover-server", "no drover server runs on this host: drover reaches phones by itself", {}, {}};
    if (!f.serve) return finding;
    if (f.serve->error) {
        finding.level = warning;
        finding.what = fmt::format("no drover server answers at {}: {}", f.serve->socket, f.serve->error->message);
        finding.fix = "start `drover serve` again; where it is not wanted any more, remove its socket";
        return finding;
    }
    finding.what = fmt::format("a drover server runs at {}, version {}, with {}; runs hold {}", f.serve->socket,
                               f.serve->version, counted(f.serve->phones, "phone"), f.serve->held);
    if (f.serve->disabled > 0) finding.what += fmt::format("; {} out of service", f.serve->disabled);
    return finding;
}

Finding holders_finding(const HostFacts& f) {
    Finding finding{ok, "usb-interfaces", {}, {}, {}};
    std::size_t held = 0, strangers = 0;
    bool drover = false;  // a running one has some
    for (const auto& p : f.phones) {
        std::vector<std::string> names;
        for (const auto& h : p.holders) {
            names.push_back(fmt::format("{} (pid {})", h.adb_server ? "adb server" : h.command, h.pid));
            drover = drover || h.command == "drover";
            if (!h.adb_server && h.command != "drover") ++strangers;
        }
        if (!names.empty()) ++held;
        finding.details.push_back(fmt::format("{}: {}", name_of(p.phone),
                                              names.empty() ? "nobody" : fmt::format("{}", fmt::join(names, ", "))));
    }
    finding.what = fmt::format("{} on USB, {} held by other programs", counted(f.phones.size(), "phone"), held);
    if (strangers > 0) {
        finding.level = warning;
        finding.fix = "end the program named below; only one program at a time can use a phone's ADB interface";
    } else if (drover) {
        finding.fix = "none needed: a running drover has them; without --inventory, commands go through its socket";
    } else if (held > 0) {
        finding.fix = "none needed: with `via: auto` drover goes through the adb server";
    }
    if (!f.root) finding.details.emplace_back("(programs of other users show only to root)");
    return finding;
}

Finding rules_finding(const HostFacts& f) {
    Finding finding{ok, "udev", {}, {}, f.rules};
    finding.what = fmt::format("{} rule files give people the ADB interface of phones", f.rules.size());
    const bool all_open = std::all_of(f.phones.begin(), f.phones.end(), [](const auto& p) { return p.may_open; });
    if (f.rules.empty()) {
        finding.level = f.phones.empty() || all_open ? note : problem;
        finding.what = "no udev rule gives people the ADB interface of phones";
        finding.fix = fmt::format("{}; then plug the phones in again", kInstallRules);
    }
    return finding;
}

Finding permissions_finding(const HostFacts& f) {
    Finding finding{ok, "permissions", "all phones on USB can be opened by this user", {}, {}};
    for (const auto& p : f.phones) {
        if (!p.may_open) finding.details.push_back(fmt::format("{}: {}", name_of(p.phone), p.phone.node));
    }
    if (f.phones.empty()) finding.what = "no phone on USB to be opened";
    if (finding.details.empty()) return finding;
    finding.level = f.server_version ? warning : problem;
    finding.what = fmt::format("{} of {} on USB cannot be opened by this user", finding.details.size(),
                               counted(f.phones.size(), "phone"));
    if (f.rules.empty()) {
        finding.fix = fmt::format("{}; then plug the phones in again", kInstallRules);
    } else if (!f.in_plugdev) {
        finding.fix = fmt::format("sudo adduser {} plugdev, log in anew, and plug the phones in again",
                                  f.user.empty() ? "USER" : f.user);
    } else {
        finding.fix = "sudo udevadm control --reload && sudo udevadm trigger; then plug the phones in again";
    }
    return finding;
}

Finding keys_finding(const HostFacts& f) {
    Finding finding{ok, "keys", {}, {}, f.key_warnings};
    finding.what = fmt::format("{} ADB keys", f.keys.size());
    for (const auto& key : f.keys) finding.details.push_back("key " + key.substr(0, 16));
    if (!f.key_warnings.empty()) {
        finding.level = warning;
        finding.fix = "a private key must be readable by its owner only: chmod 600 FILE";
    }
    if (f.keys.empty()) {
        finding.level = warning;
        finding.what = "no ADB key: phones that ask for one stay unauthorized";
        finding.fix = f.key_warnings.empty() ? "drover keygen, then accept the key on each phone" : finding.fix;
    }
    return finding;
}

Finding authorization_finding(const HostFacts& f) {
    Finding finding{ok, "authorization", "no phone waits for its key to be accepted", {}, {}};
    std::set<std::string> told;
    const auto tell = [&](const std::string& serial, const std::string& where) {
        if (told.insert(serial).second) finding.details.push_back(fmt::format("{} ({})", serial, where));
    };
    for (const auto& d : f.server_devices) {
        if (d.state != adb::AdbState::unauthorized) continue;
        tell(d.serial.empty() ? "no serial" : d.serial,
             d.usb_path.empty() ? "adb server" : "adb server, usb:" + d.usb_path);
    }
    for (const auto& p : f.fleet) {
        if (p.state == "unauthorized") tell(p.serial, p.id);
    }
    if (finding.details.empty()) return finding;
    finding.level = warning;
    finding.what = counted(finding.details.size(), "phone") +
                   (finding.details.size() == 1 ? " waits for a tap" : " wait for a tap");
    finding.fix = kTap;
    return finding;
}

unsigned hubs_above(const adb::UsbNodeInfo& device) {
    return static_cast<unsigned>(std::count(device.path.begin(), device.path.end(), '.'));
}

void describe(const adb::UsbController& c, Finding& finding) {
    finding.details.push_back(fmt::format("controller {} ({}): {} devices, {} endpoints, {} root ports", c.name,
                                          fmt::join(c.buses, " "), c.devices.size(), c.endpoints(), c.root_ports));
    for (const auto& d : c.devices) {
        const auto port = d.path.substr(d.path.find_last_of("-.") + 1);
        const auto kind = d.phone ? "phone" : d.hub_ports ? fmt::format("hub with {} ports", d.hub_ports) : "device";
        finding.details.push_back(fmt::format("{:{}}{} on {} port {}: {} Mbit/s, {}{}", "", 2 + 2 * hubs_above(d),
                                              d.path, d.parent, port, d.speed, kind,
                                              d.product.empty() ? "" : ", " + d.product));
    }
}

Finding topology_finding(const HostFacts& f) {
    Finding finding{ok, "usb-topology", {}, {}, {}};
    std::size_t devices = 0, slow = 0;
    std::vector<std::string> near;
    for (const auto& c : f.controllers) {
        devices += c.devices.size();
        // Nine tenths: the next hub full of phones would not fit.
        if (c.devices.size() * 10 >= kControllerSlotsMax * 9 || c.endpoints() * 10 >= kControllerEndpointsMax * 9)
            near.push_back(c.name);
        for (const auto& d : c.devices) {
            if (d.phone && d.speed > 0 && d.speed < 480) ++slow;
            if (hubs_above(d) + (d.hub_ports > 0 ? 1 : 0) > kHubDepthMax) near.push_back(d.path);
        }
        describe(c, finding);
    }
    finding.what = fmt::format("{} USB devices on {} host controllers", devices, f.controllers.size());
    if (f.controllers.empty()) {
        finding.level = note;
        finding.what = "this host shows no USB";
    }
    if (slow > 0) {
        finding.level = warning;
        finding.what +=
            fmt::format("; {} {} at less than 480 Mbit/s", counted(slow, "phone"), slow == 1 ? "runs" : "run");
        finding.fix = "exchange the cable or the hub of the phones with 12 Mbit/s";
    }
    if (!near.empty()) {
        finding.level = warning;
        finding.what += fmt::format("; near what many host controllers can take ({} devices, {} endpoints): {}",
                                    kControllerSlotsMax, kControllerEndpointsMax, fmt::join(near, " "));
        finding.fix =
            "spread the phones over more host controllers (PCIe cards with one controller per port), or attach "
            "some by TCP";
    }
    return finding;
}

Finding descriptors_finding(const HostFacts& f) {
    Finding finding{ok, "descriptors", {}, {}, {}};
    if (f.descriptors_hard == 0) {
        finding.level = note;
        finding.what = "the limit of open files is not known";
        return finding;
    }
    constexpr std::uint64_t kPerPhone = 2;  // its link, and one command through an adb server
    const std::uint64_t phones = std::max({f.fleet.size(), f.phones.size(), f.server_devices.size()});
    std::uint64_t needed = kOwnDescriptors + kPerPhone * (phones - f.fleet.size());
    for (const auto& phone : f.fleet) needed += phone.descriptors;
    finding.what = fmt::format("{} open files allowed ({} before drover raises it); {} {} about {}", f.descriptors_hard,
                               f.descriptors_soft, counted(phones, "phone"), phones == 1 ? "needs" : "need", needed);
    if (f.descriptors_hard < needed) {
        finding.level = problem;
        finding.fix =
            "raise the hard limit: LimitNOFILE= in the systemd unit, or `nofile` in /etc/security/limits.conf";
    }
    return finding;
}

Finding fleet_finding(const HostFacts& f) {
    Finding finding{ok, "phones", {}, {}, {}};
    std::size_t well = 0, disabled = 0;
    for (const auto& p : f.fleet) {
        if (p.disabled) {
            ++disabled;
        } else if (p.state == "device" || p.state == "recovery") {
            ++well;
        } else {
            finding.details.push_back(fmt::format("{}: {}: {}", p.id, p.state, p.why));
        }
    }
    finding.what =
        fmt::format("{} of {} {} commands", well, counted(f.fleet.size(), "phone"), well == 1 ? "takes" : "take");
    if (disabled > 0) finding.what += fmt::format(", {} {} disabled", disabled, disabled == 1 ? "is" : "are");
    if (!finding.details.empty()) {
        finding.level = warning;
        finding.fix = "see the reason of each below; `drover status --watch` shows what changes";
    } else if (f.fleet.empty()) {
        finding.level = note;
        finding.what = "drover would find no phone here";
        finding.fix =
            "plug one in with USB debugging on, start from devices/inventory.example.yaml, or try `drover sim`";
    }
    return finding;
}

// Equal numbers at two USB ports are two phones: some makers give all of theirs the same (IdentityBook).
bool may_be_one(const std::vector<const PhoneFacts*>& equal) {
    const auto ports = std::count_if(equal.begin(), equal.end(), [](const auto* p) { return !p->usb_path.empty(); });
    return equal.size() > 1 && static_cast<std::size_t>(ports) < equal.size();
}

Finding identity_finding(const HostFacts& f) {
    Finding finding{ok, "identity", "no phone is in the inventory twice", {}, {}};
    std::map<std::string, std::vector<const PhoneFacts*>> by_serial;
    std::size_t told = 0;
    for (const auto& p : f.fleet) {
        if (p.own_serial.empty()) continue;
        ++told;
        by_serial[p.own_serial].push_back(&p);
    }
    if (told < 2)
        finding.what =
            "fewer than two phones told their serial number: whether one is in the inventory twice is not known";
    for (const auto& [serial, phones] : by_serial) {
        if (!may_be_one(phones)) continue;
        std::vector<std::string> ids;
        for (const auto* p : phones) ids.push_back(fmt::format("{} ({})", p->id, p->serial));
        finding.details.push_back(fmt::format("serial number {}: {}", serial, fmt::join(ids, ", ")));
    }
    if (finding.details.empty()) return finding;
    finding.level = warning;
    finding.what = fmt::format(
        "{} serial numbers are told by more than one instance of the inventory: a phone that is "
        "written down twice gets every command twice",
        finding.details.size());
    finding.fix =
        "leave one instance of each below, or let drover tell them apart before it uses them: `discover: [usb]` or "
        "`[server]` in the inventory; where they are two phones whose maker numbered them alike, nothing is to be done";
    return finding;
}

}  // namespace

std::string_view to_string(FindingLevel level) {
    constexpr std::array<std::string_view, 4> kNames{"ok", "note", "warning", "problem"};
    return kNames[static_cast<std::size_t>(level)];
}

std::vector<Finding> judge(const HostFacts& facts) {
    return {server_finding(facts),      serve_finding(facts), holders_finding(facts),       rules_finding(facts),
            permissions_finding(facts), keys_finding(facts),  authorization_finding(facts), topology_finding(facts),
            descriptors_finding(facts), fleet_finding(facts), identity_finding(facts)};
}

}  // namespace drover::fleet
