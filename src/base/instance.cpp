#include "drover/instance.hpp"

#include <fmt/format.h>

#include <array>

#include "drover/upkeep.hpp"

namespace drover {

std::string_view to_string(Via via) {
    constexpr std::array<std::string_view, 4> kNames{"auto", "tcp", "usb", "server"};
    return kNames[static_cast<std::size_t>(via)];
}

std::string_view to_string(RungKind kind) {
    constexpr std::array<std::string_view, 4> kNames{"reconnect", "usb-reset", "reboot", "ask"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string to_string(const Address& address) {
    if (const auto* tcp = std::get_if<TcpAddress>(&address)) {
        const bool v6 = tcp->host.find(':') != std::string::npos;
        return v6 ? fmt::format("[{}]:{}", tcp->host, tcp->port) : fmt::format("{}:{}", tcp->host, tcp->port);
    }
    if (const auto* usb = std::get_if<UsbPath>(&address)) return "usb:" + usb->path;
    return std::get<Serial>(address).serial;
}

}  // namespace drover
