// Which job files a client may have run by the server: those that touch nothing but phones. Steps that read or write this host's
// files, run its programs or take its secrets belong to the client's own host, not to the server's.
//
// Judged on the text, key by key: a kind of step that is new is refused until it is listed here. Pure; any thread.
// Failure: Code::bad_job, "FILE:LINE:COLUMN: ..." for the first such key.
#pragma once
#include <string>
#include <string_view>

#include "drover/error.hpp"

namespace drover::http {

// client_notifies: `notify` is the client's own affair, and it said so; without that nobody would be told, silently.
Result<void> check_remote_job(std::string_view text, const std::string& file, bool client_notifies);

}  // namespace drover::http
