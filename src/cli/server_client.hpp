// Talks to a running `drover serve` for a subcommand. Main thread.
// Failure: usage errors for a wrong URL, Code::server_unreachable when nobody answers, and what the server itself said.
#pragma once
#include <atomic>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "cli/server_choice.hpp"

namespace drover::cli {

// How long whoever asks can wait for answers, whatever each question may take otherwise.
struct Patience {
    std::optional<std::chrono::steady_clock::time_point> until = {};
    const std::atomic<bool>* abandon = nullptr;  // becomes true: give up soon
};

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
    void set_patience(Patience patience) { patience_ = patience; }
    // What a question that may take so long otherwise has; some time also when it is over, to learn why.
    Millis time_for(Millis question) const;

private:
    static constexpr Millis kPatience{10'000};
    static constexpr Millis kPatienceMin{1'000};
    Result<boost::json::object> call(std::string method, const std::string& target, std::string body,
                                     Millis patience) const;
    ServerChoice server_;
    Patience patience_;
};

// A connection that could not be made or broke, as what it means to a user.
Error lost(const Error& why);

}  // namespace drover::cli
