#include "sim/profile_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "adb/auth.hpp"
#include "base/unique_fd.hpp"

namespace drover::sim {
namespace {

namespace fs = std::filesystem;
using yaml::MapReader;
using yaml::Node;
using yaml::Problems;

constexpr std::size_t kKeyFileBytesMax = 8 * 1024;  // a key's line has about 700

constexpr yaml::KeySpec kKeys[] = {
    {"protocol", false, "string", "modern or old"},
    {"auth", false, "string", "none, trusted or nobody"},
    {"trusted-keys", false, "array", "public key lines, or {file: PATH}"},
    {"properties", false, "object", "what getprop says; ${id} and ${number} are the phone's own"},
    {"packages", false, "array", "what pm lists"},
    {"features", false, "array", "instead of the usual ones"},
    {"without-features", false, "array", "left out of them"},
    {"shell", false, "string", "real: mksh; scripted: only the commands that need no process"},
    {"scripted", false, "boolean", "answer `true`, `echo` and the like without a process"},
    {"crlf", false, "boolean", "LF becomes CRLF in shells without protocol"},
    {"reply-delay", false, "string", "scripted: from OKAY to the output"},
    {"separate-writes", false, "boolean", "scripted: output and close in two writes"},
    {"absent-time", false, "string", "how long a reboot keeps the phone away"},
    {"boot-time", false, "string", "from then to sys.boot_completed"},
    {"faults", false, "object", "how it misbehaves"},
};

void read_protocol(const MapReader& map, Profile& profile) {
    const auto protocol = map.word("protocol", {"modern", "old"});
    if (!protocol) return;
    const Profile usual = *protocol == "old" ? old_profile() : modern_profile();
    if (usual.protocol == profile.protocol) return;
    profile.protocol = usual.protocol;
    profile.features = usual.features;
    profile.crlf = usual.crlf;
    for (const char* key :
         {"ro.build.version.release", "ro.build.version.sdk", "ro.build.fingerprint", "ro.product.model"}) {
        profile.properties[key] = usual.properties.at(key);
    }
}

// The first line of a small file. It may be any path: a device or a pipe must neither hang this nor fill the memory.
Result<std::string> first_line(const fs::path& path) {
    const auto failed = [&path](std::string_view why) {
        return fail(Code::bad_profile, fmt::format("{}: {}", path.string(), why));
    };
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return failed(std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return failed("is no regular file");
    std::string text(kKeyFileBytesMax + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t n = ::read(fd.get(), text.data() + size, text.size() - size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed(std::strerror(errno));
        if (n == 0) break;
        size += static_cast<std::size_t>(n);
    }
    if (size > kKeyFileBytesMax) return failed(fmt::format("has more than {} bytes", kKeyFileBytesMax));
    text.resize(std::min(size, text.find('\n')));
    if (adb::fingerprint_of(text).empty()) return failed("holds no adb public key (the line of an adbkey.pub file)");
    return text;
}

void read_key(const Node& item, const std::string& path, const fs::path& folder, Profile& profile, Problems& problems) {
    if (item.is_map()) {
        static constexpr yaml::KeySpec keys[] = {{"file", true}};
        const MapReader map(item, path, keys, problems);
        const auto name = map.string("file");
        if (!name) return;
        auto line = first_line(folder / *name);
        if (line) {
            profile.trusted_keys.push_back(std::move(*line));
        } else {
            map.problem("file", line.error().message);
        }
    } else if (auto text = yaml::read_string(item, path, problems)) {
        if (adb::fingerprint_of(*text).empty()) {
            problems.add(item.mark, path, "is no adb public key (the line of an adbkey.pub file)");
        } else {
            profile.trusted_keys.push_back(std::move(*text));
        }
    }
}

void read_keys(const MapReader& map, const fs::path& folder, Profile& profile, Problems& problems) {
    const Node* list = map.find("trusted-keys");
    if (list == nullptr) return;
    if (!list->is_sequence()) {
        map.problem("trusted-keys", fmt::format("must be a list, not {}", yaml::to_string(list->kind)));
        return;
    }
    profile.trusted_keys.clear();
    for (std::size_t i = 0; i < list->items.size(); ++i) {
        read_key(list->items[i], fmt::format("{}[{}]", map.path_of("trusted-keys"), i), folder, profile, problems);
    }
}

void read_properties(const MapReader& map, Profile& profile, Problems& problems) {
    const auto entries = map.string_map("properties");
    if (!entries) return;
    for (const auto& entry : *entries) {
        const std::string path = fmt::format("{}.{}", map.path_of("properties"), entry.key);
        const bool splits_banner = entry.key.starts_with("ro.product.") && entry.value.find(';') != std::string::npos;
        if (!valid_property_name(entry.key)) {
            problems.add(entry.key_mark, path, "is no property name: letters, digits and . _ - @ :");
        } else if (entry.value.size() >= kPropertyValueMax || entry.value.find('\n') != std::string::npos ||
                   splits_banner) {
            problems.add(entry.mark, path,
                         fmt::format("must be one line under {} bytes{}", kPropertyValueMax,
                                     splits_banner ? " without ';'" : ""));
        } else {
            profile.properties[entry.key] = entry.value;
        }
    }
}

// Also names of files in the phone's directory.
bool valid_name(std::string_view name) {
    return valid_property_name(name) && name.find(',') == std::string_view::npos &&
           name.find(';') == std::string_view::npos;
}

std::optional<std::vector<std::string>> read_names(const MapReader& map, std::string_view key) {
    auto names = map.strings(key);
    if (!names) return names;
    for (const auto& name : *names) {
        if (!valid_name(name)) {
            map.problem(key, fmt::format("'{}' is no name: letters, digits and . _ - @ :", name));
            return std::nullopt;
        }
    }
    return names;
}

std::string_view value_key(FaultValue value) {
    switch (value) {
        case FaultValue::none: return "";
        case FaultValue::bytes: return "bytes";
        case FaultValue::packets: return "packets";
        case FaultValue::time: return "time";
        case FaultValue::code: return "code";
    }
    return "";
}

void read_fault_value(const MapReader& map, const FaultInfo& info, Fault& fault) {
    const std::string_view key = value_key(info.value);
    if (info.value == FaultValue::time) {
        if (const auto time = map.duration(key)) fault.value = static_cast<std::uint64_t>(time->count());
    } else if (info.value != FaultValue::none) {
        const std::int64_t max = info.value == FaultValue::code      ? 255
                                 : info.value == FaultValue::packets ? 1'000'000
                                                                     : UINT32_MAX;
        if (const auto number = map.integer(key, 0, max)) fault.value = static_cast<std::uint64_t>(*number);
    }
    if (info.kind == FaultKind::flapping) {
        if (const auto down = map.duration("down")) fault.down = *down;
    }
}

// Without its own words on what is wrong: a rate is one of several things that may stand there.
std::optional<double> rate_of(const Node& node) {
    Problems unsaid{yaml::Source{}};
    return yaml::read_number(node, "", 0, 1, unsaid);
}

void read_fault(const FaultInfo& info, const Node& node, const std::string& path, Profile& profile,
                Problems& problems) {
    Fault fault;
    fault.rate = 1;
    fault.value = info.fallback;
    if (node.is_map()) {
        std::vector<yaml::KeySpec> keys = {{"rate"}};
        if (info.value != FaultValue::none) keys.push_back({value_key(info.value)});
        if (info.kind == FaultKind::flapping) keys.push_back({"down"});
        const MapReader map(node, path, keys, problems);
        if (const auto rate = map.number("rate", 0, 1)) fault.rate = *rate;
        read_fault_value(map, info, fault);
    } else if (node.is_scalar() && node.text == "always") {
        fault.rate = 1;
    } else if (node.is_scalar() && node.text == "never") {
        fault.rate = 0;
    } else if (const auto rate = rate_of(node)) {
        fault.rate = *rate;
    } else {
        problems.add(node.mark, path, "must be always, never, a rate from 0 to 1, or a map");
        return;
    }
    profile.fault(info.kind) = fault;
}

void read_faults(const MapReader& map, Profile& profile, Problems& problems) {
    const Node* faults = map.find("faults");
    if (faults == nullptr) return;
    std::vector<yaml::KeySpec> keys;
    for (const FaultInfo& info : fault_infos()) keys.push_back({info.name});
    const MapReader reader(*faults, map.path_of("faults"), keys, problems);
    for (const FaultInfo& info : fault_infos()) {
        if (const Node* node = reader.find(info.name))
            read_fault(info, *node, reader.path_of(info.name), profile, problems);
    }
}

}  // namespace

std::span<const yaml::KeySpec> profile_keys() { return kKeys; }

void apply_profile_keys(const MapReader& map, const fs::path& folder, Profile& profile, Problems& problems) {
    read_protocol(map, profile);
    if (const auto auth = map.word("auth", {"none", "trusted", "nobody"})) {
        profile.auth = *auth == "trusted" ? AuthMode::trusted : *auth == "nobody" ? AuthMode::nobody : AuthMode::none;
    }
    read_keys(map, folder, profile, problems);
    read_properties(map, profile, problems);
    if (auto packages = read_names(map, "packages")) profile.packages = std::move(*packages);
    if (auto features = read_names(map, "features")) profile.features = std::move(*features);
    if (const auto without = read_names(map, "without-features")) {
        std::erase_if(profile.features,
                      [&](const auto& f) { return std::find(without->begin(), without->end(), f) != without->end(); });
    }
    if (profile.protocol == Protocol::old && !profile.features.empty()) {
        map.problem("features", "an old phone has none");
    }
    if (const auto shell = map.word("shell", {"real", "scripted"})) profile.real_shell = *shell == "real";
    profile.scripted = map.boolean("scripted").value_or(profile.scripted);
    profile.crlf = map.boolean("crlf").value_or(profile.crlf);
    profile.separate_writes = map.boolean("separate-writes").value_or(profile.separate_writes);
    profile.reply_delay = map.duration("reply-delay").value_or(profile.reply_delay);
    profile.absent_time = map.duration("absent-time").value_or(profile.absent_time);
    profile.boot_time = map.duration("boot-time").value_or(profile.boot_time);
    read_faults(map, profile, problems);
    const Node* keys = map.find("trusted-keys");
    if (profile.auth == AuthMode::trusted && profile.trusted_keys.empty() && (keys == nullptr || keys->items.empty())) {
        map.problem("auth", "`trusted` needs at least one key in trusted-keys");
    }
}

}  // namespace drover::sim
