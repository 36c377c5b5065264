#include "sim/profile.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace drover::sim {
namespace {

constexpr std::array<FaultInfo, kFaultKinds> kFaultInfos{{
    {FaultKind::absent, "absent", FaultWhen::phone, FaultValue::none, 0},
    {FaultKind::mute, "mute", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::mute_after_handshake, "mute-after-handshake", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::wants_tls, "wants-tls", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::unauthorized, "unauthorized", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::junk, "junk", FaultWhen::connection, FaultValue::bytes, 64},
    {FaultKind::stray_open, "stray-open", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::flood, "flood", FaultWhen::connection, FaultValue::packets, 100'000},
    {FaultKind::flapping, "flapping", FaultWhen::connection, FaultValue::time, 2000},
    {FaultKind::slow, "slow", FaultWhen::connection, FaultValue::time, 500},
    {FaultKind::slow_boot, "slow-boot", FaultWhen::phone, FaultValue::time, 30'000},
    {FaultKind::equal_serial, "equal-serial", FaultWhen::phone, FaultValue::none, 0},
    {FaultKind::new_serial, "new-serial", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::bad_magic, "bad-magic", FaultWhen::command, FaultValue::none, 0},
    {FaultKind::bad_checksum, "bad-checksum", FaultWhen::connection, FaultValue::none, 0},
    {FaultKind::oversize_header, "oversize-header", FaultWhen::command, FaultValue::bytes, 64 * 1024 * 1024},
    {FaultKind::refuse_open, "refuse-open", FaultWhen::command, FaultValue::none, 0},
    {FaultKind::silent, "silent", FaultWhen::command, FaultValue::none, 0},
    {FaultKind::drop, "drop", FaultWhen::command, FaultValue::none, 0},
    {FaultKind::huge_output, "huge-output", FaultWhen::command, FaultValue::bytes, 20'000'000},
    {FaultKind::no_exit_code, "no-exit-code", FaultWhen::command, FaultValue::none, 0},
    {FaultKind::exit_code, "exit-code", FaultWhen::command, FaultValue::code, 1},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kFaultInfos.size(); ++i) {
        if (static_cast<std::size_t>(kFaultInfos[i].kind) != i) return false;
    }
    return true;
}
static_assert(in_order());

std::map<std::string, std::string> common_properties() {
    return {{"ro.product.name", "drover_phone"},
            {"ro.product.brand", "drover"},
            {"ro.product.manufacturer", "drover"},
            {"ro.product.cpu.abi", "x86_64"},
            {"ro.serialno", "${id}"},
            {"ro.boot.serialno", "${id}"},
            {"ro.debuggable", "0"},
            {"ro.build.type", "user"},
            {"ro.build.tags", "release-keys"},
            {"persist.sys.timezone", "Etc/UTC"},
            {"persist.sys.locale", "en-US"},
            {"ro.vphone.size", "1080x2400"},
            {"ro.vphone.density", "420"}};
}

}  // namespace

const std::array<FaultInfo, kFaultKinds>& fault_infos() { return kFaultInfos; }

void Profile::set_fault(FaultKind kind, double rate) {
    fault(kind).rate = rate;
    fault(kind).value = fault_infos()[static_cast<std::size_t>(kind)].fallback;
}

bool Profile::has_feature(std::string_view name_) const {
    return std::find(features.begin(), features.end(), name_) != features.end();
}

adb::Features Profile::feature_set() const {
    std::string list;
    for (const auto& feature : features) list += feature + ",";
    return adb::Features::parse(list);
}

Profile modern_profile() {
    Profile p;
    p.properties = common_properties();
    p.properties.insert({{"ro.product.model", "Virtual Phone"},
                         {"ro.product.device", "vphone"},
                         {"ro.build.version.release", "14"},
                         {"ro.build.version.sdk", "34"},
                         {"ro.build.fingerprint", "drover/drover_phone/vphone:14/DRV1/1:user/release-keys"}});
    p.packages = {"android", "com.android.settings", "com.android.shell", "com.android.systemui"};
    // What Android 14 sends, in its order (AOSP transport.cpp supported_features), but for abb and abb_exec, which are a
    // service of their own: without them adb installs through `cmd package`, as drover does.
    p.features = {"shell_v2",
                  "cmd",
                  "stat_v2",
                  "ls_v2",
                  "fixed_push_mkdir",
                  "apex",
                  "fixed_push_symlink_timestamp",
                  "remount_shell",
                  "track_app",
                  "sendrecv_v2",
                  "sendrecv_v2_brotli",
                  "sendrecv_v2_lz4",
                  "sendrecv_v2_zstd",
                  "sendrecv_v2_dry_run_send",
                  "openscreen_mdns",
                  "devicetracker_proto_format",
                  "delayed_ack"};
    return p;
}

Profile old_profile() {
    Profile p;
    p.name = "old";
    p.protocol = Protocol::old;
    p.crlf = true;
    p.properties = common_properties();
    p.properties.insert({{"ro.product.model", "Old Virtual Phone"},
                         {"ro.product.device", "oldphone"},
                         {"ro.build.version.release", "4.4.4"},
                         {"ro.build.version.sdk", "19"},
                         {"ro.build.fingerprint", "drover/drover_phone/oldphone:4.4.4/DRV1/1:user/release-keys"}});
    p.packages = {"android", "com.android.settings", "com.android.shell"};
    return p;
}

bool valid_property_name(std::string_view name) {
    if (name.empty() || name.size() > kPropertyNameMax || name.front() == '.' || name.back() == '.') return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '@' || c == ':'; });
}

}  // namespace drover::sim
