// The one table of codes. Add at the end of a group; never renumber, never reuse.
#include <array>

#include "base/assert.hpp"
#include "drover/error.hpp"

namespace drover {
namespace {

using enum ErrorClass;
constexpr int kCommand = 10, kFarm = 20, kDeadline = 21, kCancelled = 19, kUsage = 2, kNoMatch = 3, kElse = 1;
constexpr int kTooFew = 18, kBusy = 22;

constexpr std::array kTable{
    CodeInfo{Code::ok, "", none, "ok", 0},
    CodeInfo{Code::phone_not_found, "CPS.0005", phone, "Phone is not found.", kFarm},
    CodeInfo{Code::command_failed, "CPS.0191", user, "Run command failed.", kCommand},
    // 1xxx: a deadline. Class phone: the farm is fine, this phone was too slow.
    CodeInfo{Code::auth_deadline, "DROVER.1001", phone, "Authorization did not end in time.", kDeadline},
    CodeInfo{Code::open_deadline, "DROVER.1002", phone, "The phone did not open the command in time.", kDeadline},
    CodeInfo{Code::first_byte_deadline, "DROVER.1003", phone, "No output in time.", kDeadline},
    CodeInfo{Code::silence_deadline, "DROVER.1004", phone, "The output stopped for too long.", kDeadline},
    CodeInfo{Code::timeout, "DROVER.1005", phone, "The command did not end within its timeout.", kDeadline},
    CodeInfo{Code::call_deadline, "DROVER.1006", phone, "The whole call reached its deadline.", kDeadline},
    // 2xxx: the phone cannot or will not.
    CodeInfo{Code::unauthorized, "DROVER.2001", phone, "The phone does not trust this host's keys.", kFarm},
    CodeInfo{Code::no_permission, "DROVER.2002", host, "No permission to open the USB device.", kFarm},
    CodeInfo{Code::interface_busy, "DROVER.2003", host, "Another process holds the phone's ADB interface.", kFarm},
    CodeInfo{Code::wants_tls, "DROVER.2004", link, "The phone cannot be spoken to directly.", kFarm},
    CodeInfo{Code::not_ready, "DROVER.2005", link, "The phone is in a state that takes no commands.", kFarm},
    CodeInfo{Code::refused, "DROVER.2006", phone, "The phone refused to open the command.", kCommand},
    CodeInfo{Code::command_too_long, "DROVER.2007", user, "The command is longer than the phone accepts.", kCommand},
    CodeInfo{Code::exit_code_unknown, "DROVER.2008", phone, "The command ended, its exit code is unknown.", kCommand},
    CodeInfo{Code::not_supported, "DROVER.2009", user, "This way to the phone is not supported.", kCommand},
    CodeInfo{Code::file_failed, "DROVER.2010", phone, "The phone could not read or write a file.", kCommand},
    CodeInfo{Code::step_impossible, "DROVER.2011", user, "The step cannot be made for this phone.", kCommand},
    // 3xxx: the link.
    CodeInfo{Code::link_lost, "DROVER.3001", link, "The link to the phone was lost.", kFarm},
    CodeInfo{Code::protocol_error, "DROVER.3002", link, "The phone broke the ADB protocol.", kFarm},
    CodeInfo{Code::flood, "DROVER.3003", link, "The phone sent too many packets nobody asked for.", kFarm},
    // 4xxx: this host and what runs on it.
    CodeInfo{Code::server_unreachable, "DROVER.4001", infra, "The server between here and the phones does not answer.",
             kFarm},
    CodeInfo{Code::server_failed, "DROVER.4002", infra, "The adb server refused the request.", kFarm},
    CodeInfo{Code::out_of_resources, "DROVER.4003", host, "This host ran out of a resource.", kFarm},
    CodeInfo{Code::output_not_written, "DROVER.4004", host, "The output could not be written to its file.", kFarm},
    CodeInfo{Code::store_failed, "DROVER.4005", host, "The task store on disk failed.", kFarm},
    CodeInfo{Code::local_file, "DROVER.4006", host, "A file of this host could not be read or written.", kFarm},
    CodeInfo{Code::host_program, "DROVER.4008", host, "A program on this host could not be run.", kFarm},
    // 5xxx: somebody decided.
    CodeInfo{Code::cancelled, "DROVER.5001", user, "Cancelled.", kCancelled},
    CodeInfo{Code::interrupted, "DROVER.5002", host, "Interrupted: drover was stopped.", kFarm},
    CodeInfo{Code::held, "DROVER.5003", user, "The phone is held by another run.", kBusy},
    CodeInfo{Code::disabled, "DROVER.5004", user, "The phone is disabled.", kCommand},
    CodeInfo{Code::run_stopped, "DROVER.5005", user, "The run stopped before this phone was done.", kCommand},
    CodeInfo{Code::not_granted, "DROVER.5006", user, "The phones were not free in time.", kBusy},
    // 6xxx: bad input; nothing was sent.
    CodeInfo{Code::usage, "DROVER.6001", user, "Wrong usage.", kUsage},
    CodeInfo{Code::bad_config, "DROVER.6002", user, "The configuration is wrong.", kUsage},
    CodeInfo{Code::bad_inventory, "DROVER.6003", user, "The inventory is wrong.", kUsage},
    CodeInfo{Code::bad_selector, "DROVER.6004", user, "The selector is wrong.", kUsage},
    CodeInfo{Code::bad_job, "DROVER.6005", user, "The job file is wrong.", kUsage},
    CodeInfo{Code::bad_profile, "DROVER.6006", user, "The virtual phone profile is wrong.", kUsage},
    CodeInfo{Code::bad_key, "DROVER.6007", user, "The ADB key cannot be used.", kUsage},
    CodeInfo{Code::nothing_matched, "DROVER.6008", user, "The selector matched no phone.", kNoMatch},
    CodeInfo{Code::too_few, "DROVER.6009", user, "Fewer phones match than are wanted.", kTooFew},
    // 9xxx: drover itself.
    CodeInfo{Code::internal, "DROVER.9001", host, "An error inside drover.", kElse},
};

constexpr bool in_enum_order() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (static_cast<std::size_t>(kTable[i].code) != i) return false;
    }
    return true;
}
static_assert(in_enum_order(), "the table and the enum must list the codes in the same order");

}  // namespace

std::span<const CodeInfo> all_codes() { return kTable; }

const CodeInfo& info(Code code) {
    const auto index = static_cast<std::size_t>(code);
    DROVER_ASSERT(index < kTable.size());
    return kTable[index];
}

std::string_view to_string(ErrorClass cls) {
    constexpr std::array<std::string_view, 6> kNames{"", "user", "phone", "link", "host", "infra"};
    return kNames[static_cast<std::size_t>(cls)];
}

}  // namespace drover
