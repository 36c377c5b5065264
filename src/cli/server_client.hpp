// Talks to a running `drover serve` for a subcommand. Main thread.
// Failure: usage errors for a wrong URL, Code::server_unreachable when nobody answers, and what the server itself said.
#pragma once
#include <boost/json/object.hpp>
#include <string>

#include "cli/server_choice.hpp"

namespace drover::cli {

class ServerClient {
public:
    static Result<ServerClient> find(const Context& context);
    explicit ServerClient(ServerChoice server) : server_(std::move(server)) {}

    // `data` of the answer. `patience`: until it is here.
    using Millis = std::chrono::milliseconds;
    Result<boost::json::object> get(const std::string& target) const { return call("GET", target, {}, kPatience); }
    Result<boost::json::object> post(const std::string& target, std::string body = {},
                                     Millis patience = kPatience) const {
        return call("POST", target, std::move(body), patience);
    }
    const ServerChoice& server() const { return server_; }

private:
    static constexpr Millis kPatience{10'000};
    Result<boost::json::object> call(std::string method, const std::string& target, std::string body,
                                     Millis patience) const;
    ServerChoice server_;
};

// A connection that could not be made or broke, as what it means to a user.
Error lost(const Error& why);

}  // namespace drover::cli
