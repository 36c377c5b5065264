#include "adb/transport/usb_holder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/read_some.hpp"

namespace drover::adb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCommandBytesMax = 4096;

std::optional<long> process_id(const std::string& name) {
    long pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid <= 0) return std::nullopt;
    return pid;
}

bool has_open(const fs::path& process, const std::string& node) {
    std::error_code error;
    for (fs::directory_iterator it(process / "fd", error), end; !error && it != end; it.increment(error)) {
        std::error_code unreadable;
        if (fs::read_symlink(it->path(), unreadable) == node) return true;
    }
    return false;
}

std::vector<std::string> command_line(const fs::path& process) {
    const std::string raw = read_some(process / "cmdline", kCommandBytesMax);
    std::vector<std::string> words;
    for (std::size_t from = 0; from < raw.size();) {
        const std::size_t end = std::min(raw.find('\0', from), raw.size());
        words.push_back(raw.substr(from, end - from));
        from = end + 1;
    }
    return words;
}

UsbHolder describe(long pid, const fs::path& process) {
    UsbHolder holder;
    holder.pid = pid;
    const auto words = command_line(process);
    holder.command = words.empty() ? "?" : fs::path(words[0]).filename().string();
    std::replace_if(
        holder.command.begin(), holder.command.end(), [](char c) { return c < 0x20 || c == 0x7F; }, '?');
    // `adb start-server` becomes "adb -L tcp:5037 fork-server server --reply-fd 4"; by hand it is "adb nodaemon server".
    const auto says_server = [](const std::string& word) {
        return word == "server" || word == "fork-server" || word == "nodaemon";
    };
    holder.adb_server = holder.command == "adb" && std::any_of(words.begin(), words.end(), says_server);
    return holder;
}

}  // namespace

std::vector<UsbHolder> find_usb_holders(const std::string& node, long own_pid, const fs::path& proc) {
    std::vector<UsbHolder> holders;
    std::error_code error;
    for (fs::directory_iterator it(proc, error), end; !error && it != end; it.increment(error)) {
        const auto pid = process_id(it->path().filename());
        if (pid && *pid != own_pid && has_open(it->path(), node)) holders.push_back(describe(*pid, it->path()));
    }
    std::sort(holders.begin(), holders.end(), [](const UsbHolder& a, const UsbHolder& b) {
        return a.adb_server != b.adb_server ? a.adb_server : a.pid < b.pid;
    });
    return holders;
}

std::vector<UsbHolder> find_adb_servers(const fs::path& proc) {
    std::vector<UsbHolder> servers;
    std::error_code error;
    for (fs::directory_iterator it(proc, error), end; !error && it != end; it.increment(error)) {
        const auto pid = process_id(it->path().filename());
        if (!pid) continue;
        UsbHolder holder = describe(*pid, it->path());
        if (holder.adb_server) servers.push_back(std::move(holder));
    }
    std::sort(servers.begin(), servers.end(), [](const UsbHolder& a, const UsbHolder& b) { return a.pid < b.pid; });
    return servers;
}

std::string describe_usb_holders(const std::vector<UsbHolder>& holders) {
    if (holders.empty()) {
        return "another process holds the phone's ADB interface; which one, only root can see: end it, or use `via: "
               "server` if it is "
               "an adb server";
    }
    const UsbHolder& first = holders.front();
    if (first.adb_server) {
        return fmt::format(
            "an adb server (pid {}) holds the phone's ADB interface: use `via: server`, or end it with `adb "
            "kill-server`",
            first.pid);
    }
    std::string all;
    for (const auto& h : holders) all += fmt::format("{}{} (pid {})", all.empty() ? "" : ", ", h.command, h.pid);
    return fmt::format("{} holds the phone's ADB interface: end it to use the phone from here", all);
}

}  // namespace drover::adb
