#include "cli/server_client.hpp"

#include <algorithm>

#include "net/http_client.hpp"

namespace drover::cli {

Result<ServerClient> ServerClient::find(const Context& context) {
    auto server = find_server(context);
    if (!server) return tl::unexpected(server.error());
    return ServerClient(std::move(*server));
}

ServerClient::Millis ServerClient::time_for(Millis question) const {
    if (!patience_.until) return question;
    const auto left = std::chrono::duration_cast<Millis>(*patience_.until - std::chrono::steady_clock::now());
    return std::min(question, std::max(left, kPatienceMin));
}

Result<boost::json::object> ServerClient::call(std::string method, const std::string& target, std::string body,
                                               Millis patience) const {
    net::ClientOptions options;
    options.timeout = time_for(patience);
    options.abandon = patience_.abandon;
    const auto answer =
        net::exchange(server_.url, server_.request(std::move(method), target, std::move(body)), options);
    if (!answer) return tl::unexpected(lost(answer.error()));
    return data_of(*answer);
}

Error lost(const Error& why) { return Error(Code::server_unreachable, "drover server " + why.message); }

}  // namespace drover::cli
