// How an agent proves who it is: a token as configured, a token in a file, or an access key that signs each request.
//
// Any thread. Files are read for each request, so that a new token needs no restart; others than the owner must not be able to
// read them. Failure: Code::bad_config, naming the file; a secret never stands in a message.
#pragma once
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "http/agent_config.hpp"
#include "net/http_message.hpp"

namespace drover::agent {

class Credentials {
public:
    explicit Credentials(const http::AgentConfig& config) : config_(config) {}

    // Adds the headers that authenticate `request`, which is complete but for these.
    Result<void> sign(net::Request& request, std::chrono::system_clock::time_point now);
    // Reads them anew; true when they are others than sign() has used last.
    bool reload();
    // Whether there are any, for --check-config.
    Result<void> check() const;

private:
    struct Secret {
        std::string token;           // or
        std::string access, secret;  // both
        bool operator==(const Secret&) const = default;
    };
    Result<Secret> read() const;

    const http::AgentConfig& config_;
    std::mutex mutex_;
    Secret used_;
};

}  // namespace drover::agent
