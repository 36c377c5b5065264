#include "fleet/doctor_facts.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <future>
#include <sstream>

#include "adb/auth.hpp"
#include "adb/server_query.hpp"
#include "base/read_some.hpp"

namespace drover::fleet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRuleFileBytesMax = 1024 * 1024;
constexpr std::size_t kRuleFilesMax = 2'000;

// drover's own rule, those of Debian's android-sdk-platform-tools-common ("51-android.rules"), and any that match ff/42/01.
bool is_phone_rule(const fs::path& file) {
    const std::string name = file.filename();
    if (!name.ends_with(".rules")) return false;
    if (name.find("android") != std::string::npos || name.find("drover") != std::string::npos) return true;
    std::error_code error;
    if (fs::file_size(file, error) > kRuleFileBytesMax || error) return false;
    return read_some(file, kRuleFileBytesMax).find("ff4201") != std::string::npos;
}

std::vector<std::string> phone_rules(const std::vector<fs::path>& folders) {
    std::vector<std::string> found;
    std::size_t seen = 0;
    for (const auto& folder : folders) {
        std::error_code error;
        for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
            if (++seen > kRuleFilesMax) break;
            if (is_phone_rule(it->path())) found.push_back(it->path());
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

// "plugdev:x:46:anna,ben" names this user, or is one of the process's groups.
bool is_in_group(const fs::path& groups, const std::string& group, const std::string& user) {
    std::istringstream lines(read_some(groups, kRuleFileBytesMax));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(group + ":")) continue;
        const auto number_at = line.find(':', group.size() + 1);
        const auto members_at = line.rfind(':');
        if (number_at == std::string::npos || members_at <= number_at) return false;
        unsigned id = 0;
        std::from_chars(line.data() + number_at + 1, line.data() + members_at, id);
        std::vector<gid_t> mine(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
        const int n = ::getgroups(static_cast<int>(mine.size()), mine.data());
        mine.resize(static_cast<std::size_t>(std::max(n, 0)));
        if (std::find(mine.begin(), mine.end(), static_cast<gid_t>(id)) != mine.end()) return true;
        std::istringstream members(line.substr(members_at + 1));
        for (std::string name; std::getline(members, name, ',');) {
            if (name == user) return true;
        }
        return false;
    }
    return false;
}

// "Max open files            1024                 524288               files"
void read_descriptor_limit(const fs::path& proc, HostFacts& facts) {
    std::istringstream lines(read_some(proc / "self" / "limits", kRuleFileBytesMax));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("Max open files")) continue;
        std::istringstream words(line.substr(std::string_view("Max open files").size()));
        words >> facts.descriptors_soft >> facts.descriptors_hard;
    }
}

Result<adb::ServerReply> ask(LoopPool& pool, const adb::ServerEndpoint& endpoint, std::string_view request) {
    std::promise<Result<adb::ServerReply>> answer;
    std::unique_ptr<adb::ServerQuery> query;
    pool.run_on(0, [&] {
        query = std::make_unique<adb::ServerQuery>(pool.at(0), endpoint, request, adb::kServerReplyDeadline,
                                                   [&](Result<adb::ServerReply> r) { answer.set_value(std::move(r)); });
    });
    auto reply = answer.get_future().get();
    pool.run_on(0, [&] { query.reset(); });
    if (reply && !reply->okay) return fail(Code::server_failed, reply->text);
    return reply;
}

}  // namespace

HostFacts gather_host_facts(const HostPlaces& places) {
    HostFacts facts;
    const char* user = std::getenv("USER");
    facts.user = user ? user : "";
    facts.root = ::geteuid() == 0;
    facts.in_plugdev = is_in_group(places.groups, "plugdev", facts.user);
    facts.rules = phone_rules(places.udev);
    for (auto& phone : adb::UsbTree(places.usb_devices, places.usb_nodes).phones()) {
        UsbPhoneFacts p;
        p.may_open = ::access(phone.node.c_str(), R_OK | W_OK) == 0;
        p.holders = adb::find_usb_holders(phone.node, ::getpid(), places.proc);
        p.phone = std::move(phone);
        facts.phones.push_back(std::move(p));
    }
    facts.controllers = adb::read_usb_topology(places.usb_devices);
    facts.servers = adb::find_adb_servers(places.proc);
    read_descriptor_limit(places.proc, facts);
    return facts;
}

void gather_keys(HostFacts& facts) {
    const auto ring = adb::KeyRing::load_from_environment(&facts.key_warnings);
    for (const auto& key : ring.keys()) facts.keys.push_back(key.fingerprint());
}

void ask_adb_server(HostFacts& facts, const adb::ServerAddress& address) {
    facts.server_name = to_string(address);
    const auto endpoint = adb::resolve(address);
    if (!endpoint) {
        facts.server_error = endpoint.error();
        return;
    }
    LoopPool pool(1);
    const auto version = ask(pool, *endpoint, "host:version");
    if (!version) {
        facts.server_error = version.error();
        return;
    }
    unsigned number = 0;
    const auto& text = version->text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc() || end != text.data() + text.size()) {
        facts.server_error = Error(Code::server_failed, "its version is no number: '" + text.substr(0, 64) + "'");
        return;
    }
    facts.server_version = number;
    const auto list = ask(pool, *endpoint, "host:devices-l");
    if (list) facts.server_devices = adb::parse_device_list(list->text).devices;
}

}  // namespace drover::fleet
