// Tells systemd how a service is doing: its notification protocol, a datagram to the socket named by NOTIFY_SOCKET
// (sd_notify(3)). Any thread. Nobody there: nothing happens.
#pragma once
#include <string_view>

namespace drover::cli {

void sd_notify(std::string_view state);  // "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "STOPPING=1"

}  // namespace drover::cli
