#include "cli/server_client.hpp"

#include "net/http_client.hpp"

namespace drover::cli {

Result<ServerClient> ServerClient::find(const Context& context) {
    auto server = find_server(context);
    if (!server) return tl::unexpected(server.error());
    return ServerClient(std::move(*server));
}

Result<boost::json::object> ServerClient::call(std::string method, const std::string& target, std::string body,
                                               Millis patience) const {
    net::ClientOptions options;
    options.timeout = patience;
    const auto answer =
        net::exchange(server_.url, server_.request(std::move(method), target, std::move(body)), options);
    if (!answer) return tl::unexpected(lost(answer.error()));
    return data_of(*answer);
}

Error lost(const Error& why) { return Error(Code::server_unreachable, "drover server " + why.message); }

}  // namespace drover::cli
