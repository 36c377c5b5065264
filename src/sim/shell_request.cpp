#include "sim/shell_request.hpp"

namespace drover::sim {

std::optional<ShellRequest> parse_shell_request(std::string_view name, const Profile& profile) {
    ShellRequest request;
    const auto colon = name.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view head = name.substr(0, colon);
    request.command = std::string(name.substr(colon + 1));
    if (profile.protocol == Protocol::old) {
        if (head != "shell") return std::nullopt;
        return request;
    }
    if (head == "exec") return request;
    if (head != "shell" && !head.starts_with("shell,")) return std::nullopt;
    request.pty = request.command.empty();  // interactive without being told otherwise
    for (head.remove_prefix(5); !head.empty();) {
        head.remove_prefix(1);
        const std::string_view option = head.substr(0, head.find(','));
        head.remove_prefix(option.size());
        if (option == "v2") {
            request.v2 = true;
        } else if (option == "pty") {
            request.pty = true;
        } else if (option == "raw") {
            request.pty = false;
        } else if (option.starts_with("TERM=")) {
            request.term = std::string(option.substr(5));
        } else if (!option.empty()) {
            return std::nullopt;
        }
    }
    if (request.v2 && !profile.has_feature("shell_v2")) return std::nullopt;
    return request;
}

}  // namespace drover::sim
