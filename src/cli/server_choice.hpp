// Which running `drover serve` a command is for, if any, and how it is asked. Main thread.
// Failure: Code::usage for a wrong URL or a token file that others may read; Code::server_unreachable when a socket is there that this
// user may not open: going to the phones directly would fight the server for them.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "net/address.hpp"
#include "net/http_message.hpp"

namespace drover::cli {

struct ServerChoice {
    net::Url url;
    std::string token;  // empty: none; a Unix socket needs none

    // A request to it, with its headers.
    net::Request request(std::string method, std::string target, std::string body = {}) const;
};

// --server, else DROVER_SERVER, else none where --inventory or --config is given, else the Unix socket of a running server. Empty:
// directly. -v says which and why. The token is DROVER_TOKEN, or in the file that DROVER_TOKEN_FILE names.
Result<std::optional<ServerChoice>> choose_server(const Context& context);
// The same for what only a server has, such as tasks; there, --config names the server's own configuration.
Result<ServerChoice> find_server(const Context& context);

// `data` of an answer; an error is what the server said, with its code.
Result<boost::json::object> data_of(const net::Response& answer);

}  // namespace drover::cli
