// What a virtual phone is: its protocol, properties, keys, answers and faults. The built-in profile is a healthy modern
// phone; profile files (profile_file.hpp) change it. Plain values, immutable once a phone uses them; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adb/banner.hpp"
#include "base/duration.hpp"

namespace drover::sim {

// modern: 0x01000001, payloads to 1 MiB, features, shell v2. old: 0x01000000 with checksums, 4,096 bytes, no features.
enum class Protocol : std::uint8_t { modern, old };
// none: no AUTH at all. trusted: only the keys of the profile. nobody: every key is refused, as a phone nobody tapped.
enum class AuthMode : std::uint8_t { none, trusted, nobody };

// Ways a phone misbehaves. The order is that of kFaultInfos.
enum class FaultKind : std::uint8_t {
    absent,
    mute,
    mute_after_handshake,
    wants_tls,
    unauthorized,
    junk,
    stray_open,
    flood,
    flapping,
    slow,
    slow_boot,
    equal_serial,
    new_serial,
    bad_magic,
    bad_checksum,
    oversize_header,
    refuse_open,
    silent,
    drop,
    huge_output,
    no_exit_code,
    exit_code,
};
constexpr std::size_t kFaultKinds = 22;

// When the dice are thrown for a fault's rate.
enum class FaultWhen : std::uint8_t { phone, connection, command };
// The one number a fault may have, by its key in a profile.
enum class FaultValue : std::uint8_t { none, bytes, packets, time, code };

struct FaultInfo {
    FaultKind kind;
    std::string_view name;  // its key in a profile
    FaultWhen when;
    FaultValue value;
    std::uint64_t fallback;  // the value when the profile gives none; times in milliseconds
};
const std::array<FaultInfo, kFaultKinds>& fault_infos();

struct Fault {
    double rate = 0;  // 0: never, 1: always
    std::uint64_t value = 0;
    Millis down{1000};  // flapping only: how long it stays away
};

struct Profile {
    std::string name = "modern";
    Protocol protocol = Protocol::modern;
    AuthMode auth = AuthMode::none;
    std::vector<std::string> trusted_keys;          // public key lines
    std::map<std::string, std::string> properties;  // ${id} and ${number} stand for the phone's own
    std::vector<std::string> packages;
    std::vector<std::string> features;  // empty for an old phone

    bool real_shell = true;        // commands run in mksh; else only the scripted ones exist
    bool scripted = true;          // whole commands such as `true` are answered without a process
    bool crlf = false;             // plain shell: LF becomes CRLF, as the terminals of old phones did
    bool separate_writes = false;  // scripted: output and close leave in two writes
    Millis reply_delay{0};         // scripted: from OKAY to the output
    Millis absent_time{1500};      // after a reboot: no answer at all
    Millis boot_time{3000};        // then: adbd answers, sys.boot_completed is not yet 1

    std::array<Fault, kFaultKinds> faults{};
    const Fault& fault(FaultKind kind) const { return faults[static_cast<std::size_t>(kind)]; }
    Fault& fault(FaultKind kind) { return faults[static_cast<std::size_t>(kind)]; }
    // Switches a fault on with its usual value.
    void set_fault(FaultKind kind, double rate = 1);

    bool has_feature(std::string_view name) const;
    adb::Features feature_set() const;
};

Profile modern_profile();
Profile old_profile();

// Property names and values as Android takes them; also what keeps them usable as file names.
constexpr std::size_t kPropertyNameMax = 128;
constexpr std::size_t kPropertyValueMax = 1024;
bool valid_property_name(std::string_view name);

}  // namespace drover::sim
