// What a client asked for: shell:CMD, shell,v2,raw,TERM=x:CMD, exec:CMD (reference: AOSP daemon/services.cpp).
// Pure; any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "sim/profile.hpp"

namespace drover::sim {

struct ShellRequest {
    bool v2 = false;  // framed output with an exit code
    bool pty = false;
    std::string term = "dumb";
    std::string command;  // empty: an interactive shell
};

// Empty when `name` is no shell service or when the phone is too old for it.
std::optional<ShellRequest> parse_shell_request(std::string_view name, const Profile& profile);

}  // namespace drover::sim
