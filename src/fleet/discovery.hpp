// Phones nobody wrote down: what an adb server lists and what is on this host's USB, as instances with ids of their own.
// Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "adb/smart_socket.hpp"
#include "adb/transport/usb_sysfs.hpp"
#include "drover/instance.hpp"

namespace drover::fleet {

// One instance for each row that is not among `known` (by USB path; where either has none, by serial or address). The id is the
// serial, made fit for an id (1..32 of [A-Za-z0-9._-]); a phone whose serial is empty or repeats is named after its USB path.
// Ids differ from all others; a phone that is still where it was in `before` (what was found last time) keeps the id it had. A
// phone on USB is addressed by its path and serial, is found by either source as the same instance, and `via: auto`; `usb`:
// phones that may be among the rows too, at the same path.
std::vector<Instance> instances_of(std::span<const adb::ServerDevice> rows, std::span<const adb::UsbPhone> usb,
                                   std::span<const Instance> known, std::span<const Instance> before = {});
// Fills in where phones of the inventory are plugged in, as far as the lists tell.
void note_usb_paths(std::span<const adb::ServerDevice> rows, std::span<const adb::UsbPhone> usb,
                    std::span<Instance> known);

}  // namespace drover::fleet
