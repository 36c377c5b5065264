// Errors as users see them: a documented code, its class, and a message.
//
// Every failure that leaves drover carries one Code. All codes stand in one table (src/base/codes.cpp), which
// `drover codes` prints; a code, once published, is never reused. Values, no shared state: any thread may use them.
// Operations that can fail return Result<T>; assertions are for drover's own bugs only.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace drover {

// Who has to act. It decides exit codes, retries and metric labels.
enum class ErrorClass : std::uint8_t { none, user, phone, link, host, infra };

enum class Code : std::uint8_t {
    ok,
    phone_not_found,
    command_failed,
    auth_deadline,
    open_deadline,
    first_byte_deadline,
    silence_deadline,
    timeout,
    call_deadline,
    unauthorized,
    no_permission,
    interface_busy,
    wants_tls,
    not_ready,
    refused,
    command_too_long,
    exit_code_unknown,
    not_supported,
    file_failed,
    step_impossible,
    link_lost,
    protocol_error,
    flood,
    server_unreachable,
    server_failed,
    out_of_resources,
    output_not_written,
    store_failed,
    local_file,
    host_program,
    cancelled,
    interrupted,
    held,
    disabled,
    run_stopped,
    not_granted,
    usage,
    bad_config,
    bad_inventory,
    bad_selector,
    bad_job,
    bad_profile,
    bad_key,
    nothing_matched,
    too_few,
    internal,
};

struct CodeInfo {
    Code code;
    std::string_view name;  // as printed: "CPS.0005", "DROVER.1002"; empty for ok
    ErrorClass cls;
    std::string_view text;  // the documented sentence
    int exit_code;          // what a row with this code makes of the process's exit code (reference: cli.md)
};

// The whole table, in the order of the enum; `ok` first.
std::span<const CodeInfo> all_codes();
const CodeInfo& info(Code code);
std::string_view to_string(ErrorClass cls);  // "" for none

struct Error {
    Code code = Code::internal;
    std::string message;  // one line, for people; says what and where

    Error() = default;
    Error(Code c, std::string m) : code(c), message(std::move(m)) {}
    ErrorClass cls() const { return info(code).cls; }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Code code, std::string message) {
    return tl::unexpected<Error>(Error(code, std::move(message)));
}

}  // namespace drover
