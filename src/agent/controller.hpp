// The controller as an agent sees it: two requests, each waited for. An interface, so that an agent can be tried without HTTP.
//
// Threads: poll() from one, report() from another; both block. Failure: an Answer with status 0 and the reason in its body; missing
// credentials are 401, as if the controller had said so.
#pragma once
#include <atomic>
#include <string>

#include "agent/credentials.hpp"
#include "agent/machine.hpp"
#include "net/tls.hpp"

namespace drover::agent {

class Controller {
public:
    virtual ~Controller() = default;
    virtual Answer poll() = 0;
    virtual Answer report(const std::string& body) = 0;
    virtual bool reload_credentials() = 0;
    virtual void abandon() = 0;  // what is under way returns soon; any thread
};

class HttpController final : public Controller {
public:
    static constexpr std::size_t kAnswerBytesMax = 64 * 1024;

    static Result<std::unique_ptr<Controller>> make(const http::AgentConfig& config);

    Answer poll() override;
    Answer report(const std::string& body) override;
    bool reload_credentials() override { return credentials_.reload(); }
    void abandon() override { abandoned_ = true; }

private:
    explicit HttpController(const http::AgentConfig& config) : config_(config), credentials_(config_) {}
    Answer exchange(std::string method, std::string_view call, std::string body);

    const http::AgentConfig config_;
    Credentials credentials_;
    net::TlsContext tls_;
    std::atomic<bool> abandoned_ = false;
};

}  // namespace drover::agent
