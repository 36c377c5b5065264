// Ports for phones when the user names none: below those the system hands out by itself (an outgoing connection of the
// host may sit on such a one), above those adb scans for emulators. The start is random, so that fleets that start at the
// same time rarely try the same ones; each port is given once, so trying them comes to an end. One thread.
#pragma once
#include <cstdint>
#include <optional>

namespace drover::sim {

class PortPicker {
public:
    static constexpr std::uint16_t kFirst = 16'384;
    static constexpr std::uint16_t kLast = 32'767;
    static constexpr std::uint32_t kPorts = kLast - kFirst + 1;

    explicit PortPicker(std::uint32_t random) : next_(random % kPorts) {}

    // nullopt: all were given.
    std::optional<std::uint16_t> next() {
        if (given_ == kPorts) return std::nullopt;
        ++given_;
        const auto port = static_cast<std::uint16_t>(kFirst + next_);
        next_ = (next_ + 1) % kPorts;
        return port;
    }

private:
    std::uint32_t next_;
    std::uint32_t given_ = 0;
};

}  // namespace drover::sim
