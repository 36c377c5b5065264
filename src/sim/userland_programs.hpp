// The programs of a phone: names of toybox applets that may be reached, and mksh scripts. Constants.
#pragma once
#include <span>
#include <string_view>

namespace drover::sim {

struct Program {
    std::string_view name;
    std::string_view text;  // mksh, without the #! line
};

// Nothing that changes a machine: no mount, reboot, insmod, swapon, chroot, su, network tools, device tools.
std::span<const std::string_view> allowed_applets();
std::span<const Program> programs();
// Stand-ins where a phone has no user of its own (its commands may not change modes, owners and times of files).
std::span<const Program> unprivileged_programs();

}  // namespace drover::sim
