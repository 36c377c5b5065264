#include "agent/controller.hpp"

#include <fmt/format.h>

#include "http/digest.hpp"
#include "http/uri.hpp"
#include "net/http_client.hpp"

namespace drover::agent {

Result<std::unique_ptr<Controller>> HttpController::make(const http::AgentConfig& config) {
    std::unique_ptr<HttpController> controller(new HttpController(config));
    if (config.url.tls) {
        auto tls = net::make_client_tls(config.ca);
        if (!tls) return tl::unexpected(tls.error());
        controller->tls_ = std::move(*tls);
    }
    return std::unique_ptr<Controller>(std::move(controller));
}

Answer HttpController::poll() { return exchange("GET", "command", ""); }

Answer HttpController::report(const std::string& body) { return exchange("POST", "command_result", body); }

Answer HttpController::exchange(std::string method, std::string_view call, std::string body) {
    net::Request request;
    request.method = std::move(method);
    request.target = fmt::format("/v3/sources/{}/{}", http::percent_encode(config_.server_id), call);
    request.headers = {{"Content-Type", "application/json"}, {"X-Request-Id", http::random_hex(16)}};
    request.body = std::move(body);
    if (auto can = credentials_.sign(request, std::chrono::system_clock::now()); !can)
        return {401, can.error().message};
    net::ClientOptions options;
    options.timeout = config_.timeout;
    options.answer_bytes_max = kAnswerBytesMax;
    options.tls = tls_;
    options.abandon = &abandoned_;
    auto answer = net::exchange(config_.url, request, options);
    if (!answer) return {0, answer.error().message};
    return {answer->status, std::move(answer->body)};
}

}  // namespace drover::agent
