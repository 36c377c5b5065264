#include "adb/banner.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/utf8.hpp"

namespace drover::adb {
namespace {

struct StateName {
    AdbState state;
    std::string_view text;
};

// What is kept of a phone's own words: real ones use a fraction of it.
constexpr std::size_t kPropertyBytesMax = 256;
constexpr std::size_t kFeaturesMax = 128;
constexpr std::size_t kFeatureBytesMax = 64;

constexpr std::array kStates{
    StateName{AdbState::connecting, "connecting"},
    StateName{AdbState::authorizing, "authorizing"},
    StateName{AdbState::unauthorized, "unauthorized"},
    StateName{AdbState::no_permissions, "no permissions"},
    StateName{AdbState::detached, "detached"},
    StateName{AdbState::offline, "offline"},
    StateName{AdbState::bootloader, "bootloader"},
    StateName{AdbState::device, "device"},
    StateName{AdbState::host, "host"},
    StateName{AdbState::recovery, "recovery"},
    StateName{AdbState::sideload, "sideload"},
    StateName{AdbState::rescue, "rescue"},
};

// Calls f with each part of text between separators, empty parts too.
template <class F>
void split(std::string_view text, char separator, F f) {
    for (;;) {
        const auto end = text.find(separator);
        f(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

std::string joined(const std::vector<std::string_view>& names) {
    std::size_t bytes = names.size();
    for (const auto name : names) bytes += name.size();
    std::string text;
    text.reserve(bytes);  // kept as long as the phone is, so no more than it needs
    for (const auto name : names) {
        if (!text.empty()) text += ',';
        text += name;
    }
    return text;
}

AdbState state_of_type(std::string_view type) {
    for (const AdbState s :
         {AdbState::device, AdbState::recovery, AdbState::sideload, AdbState::rescue, AdbState::bootloader}) {
        if (type == to_string(s)) return s;
    }
    return AdbState::host;
}

}  // namespace

std::string_view to_string(AdbState state) {
    for (const auto& s : kStates) {
        if (s.state == state) return s.text;
    }
    return "offline";
}

AdbState parse_adb_state(std::string_view text) {
    // The only state whose text goes on: "no permissions (user in plugdev group; ...); see [http://...]".
    if (text.starts_with(to_string(AdbState::no_permissions))) return AdbState::no_permissions;
    for (const auto& s : kStates) {
        if (s.text == text) return s.state;
    }
    return AdbState::offline;
}

bool takes_commands(AdbState state) { return state == AdbState::device || state == AdbState::recovery; }

Features Features::parse(std::string_view comma_separated) {
    std::vector<std::string_view> names;
    split(comma_separated, ',', [&](std::string_view name) {
        if (name.empty() || name.size() > kFeatureBytesMax || names.size() == kFeaturesMax) return;
        names.push_back(name);
    });
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return Features(joined(names));
}

Features::Features(std::string names) : names_(std::move(names)) { shell_v2_ = has("shell_v2"); }

bool Features::has(std::string_view name) const {
    bool found = false;
    split(names_, ',', [&](std::string_view one) { found = found || one == name; });
    return found;
}

Features Features::intersect(const Features& other) const {
    std::vector<std::string_view> both;
    split(names_, ',', [&](std::string_view name) {
        if (other.has(name)) both.push_back(name);
    });
    return Features(joined(both));
}

Banner parse_banner(std::string_view text) {
    while (text.ends_with('\0')) text.remove_suffix(1);
    Banner banner;
    const auto type_end = text.find(':');
    banner.state = state_of_type(text.substr(0, type_end));
    if (type_end == std::string_view::npos) return banner;
    const auto properties = text.find(':', type_end + 1);  // between the two colons: a serial nobody fills in
    if (properties == std::string_view::npos) return banner;
    split(text.substr(properties + 1), ';', [&](std::string_view property) {
        const auto equals = property.find('=');
        if (equals == std::string_view::npos) return;
        const auto key = property.substr(0, equals);
        const auto value = property.substr(equals + 1);
        const auto kept = value.substr(0, kPropertyBytesMax);
        if (key == "ro.product.name") banner.product = sanitize_utf8(kept);
        if (key == "ro.product.model") banner.model = sanitize_utf8(kept);
        if (key == "ro.product.device") banner.device = sanitize_utf8(kept);
        if (key == "features") banner.features = Features::parse(value);
    });
    return banner;
}

std::string host_banner(const Features& ours) { return "host::features=" + ours.join(); }

const Features& host_features(bool delayed_ack) {
    // What AOSP's own host lists, so that a daemon treats drover as it treats adb. The libusb, server_status and other
    // names a server adds for its clients are left out.
    static constexpr std::string_view kList =
        "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,apex,abb,fixed_push_symlink_timestamp,abb_exec,remount_shell,"
        "track_app,"
        "sendrecv_v2,sendrecv_v2_brotli,sendrecv_v2_lz4,sendrecv_v2_zstd,sendrecv_v2_dry_run_send";
    static const Features plain = Features::parse(kList);
    static const Features with_delayed_ack = Features::parse(std::string(kList) + ",delayed_ack");
    return delayed_ack ? with_delayed_ack : plain;
}

}  // namespace drover::adb
