#include "cli/server_choice.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/ascii.hpp"
#include "base/log.hpp"
#include "cli/environment.hpp"
#include "cli/serve_config.hpp"
#include "cli/terminal.hpp"
#include "http/digest.hpp"

namespace drover::cli {
namespace {

namespace json = boost::json;

Result<std::string> find_token() {
    if (auto token = environment("DROVER_TOKEN"); !token.empty()) return token;
    const auto file = environment("DROVER_TOKEN_FILE");
    if (file.empty()) return std::string();
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0)
        return fail(Code::usage, fmt::format("DROVER_TOKEN_FILE: {} cannot be read", file));
    if ((info.st_mode & 0077) != 0)
        return fail(Code::usage, fmt::format("{}: others may read this token; chmod 600 it", file));
    std::ifstream stream(file);
    std::string token((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
    return token;
}

// A token in the environment is for the server that is named there, not for a socket that was found.
Result<ServerChoice> server_on(const std::filesystem::path& socket) {
    auto url = net::parse_url("unix:" + socket.string());
    if (!url) return tl::unexpected(url.error());
    return ServerChoice{std::move(*url), {}};
}

Result<ServerChoice> server_at(const std::string& text) {
    auto url = net::parse_url(text);
    if (!url) return tl::unexpected(url.error());
    auto token = find_token();
    if (!token) return tl::unexpected(token.error());
    return ServerChoice{std::move(*url), std::move(*token)};
}

// --server and DROVER_SERVER.
Result<std::optional<ServerChoice>> named_server(const Context& context) {
    const auto from_env = environment("DROVER_SERVER");
    const auto text = context.server.value_or(from_env);
    if (text.empty() && !context.server) return std::nullopt;
    log::info("fleet: that of the drover server {} ({})", text, context.server ? "--server" : "DROVER_SERVER");
    auto server = server_at(text);
    if (!server)
        return fail(server.error().code, (context.server ? "--server: " : "DROVER_SERVER: ") + server.error().message);
    return std::move(*server);
}

// 0: somebody listens there; else why not.
int knock(const std::filesystem::path& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
    const int error = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

// Servers write the prefix of a code in either case (reference: api.md, ruling 5).
bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return to_lower(x) == to_lower(y); });
}

// The exact code where the server's name for it is one of ours.
Code code_named(const json::object& body, Code otherwise) {
    const auto* name = body.if_contains("error_code");
    if (!name || !name->is_string()) return otherwise;
    for (const auto& entry : all_codes()) {
        if (entry.code != Code::ok && same_word(entry.name, name->get_string())) return entry.code;
    }
    return otherwise;
}

}  // namespace

net::Request ServerChoice::request(std::string method, std::string target, std::string body) const {
    net::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.headers = {{"X-Request-Id", http::random_hex(16)}};
    if (!request.body.empty()) request.headers.push_back({"Content-Type", "application/json"});
    if (!token.empty()) request.headers.push_back({"X-Auth-Token", token});
    return request;
}

Result<std::optional<ServerChoice>> choose_server(const Context& context) {
    auto named = named_server(context);
    const bool inventory_in_environment = !environment("DROVER_INVENTORY").empty();
    if (named && *named && (context.inventory || inventory_in_environment)) {
        say(fmt::format("drover: {} is not used: the phones are those of the drover server ({})",
                        context.inventory ? "--inventory" : "DROVER_INVENTORY",
                        context.server ? "--server" : "DROVER_SERVER"));
    }
    if (!named || *named) return named;
    // Somebody chose the phones; a socket is only found.
    if (context.inventory || context.config) return std::nullopt;
    const auto socket = default_socket_to_use();
    if (socket.empty()) return std::nullopt;
    const int error = knock(socket);
    if (inventory_in_environment) {
        // The variable may be from another day.
        if (error == 0)
            say(fmt::format("drover: DROVER_INVENTORY goes past the running drover server ({})", socket.string()));
        return std::nullopt;
    }
    if (error == EACCES || error == EPERM) {
        return fail(
            Code::server_unreachable,
            fmt::format("{}: a drover server owns the phones of this host, and you may not use its socket; give "
                        "--inventory FILE (or DROVER_INVENTORY) to reach phones directly",
                        socket.string()));
    }
    if (error != 0) {
        say(fmt::format("drover: no drover server listens on {} ({}), phones are reached directly", socket.string(),
                        std::strerror(error)));
        return std::nullopt;
    }
    log::info(
        "fleet: that of the running drover server (its socket {} is there; --inventory or DROVER_INVENTORY would go "
        "directly)",
        socket.string());
    auto server = server_on(socket);
    if (!server) return tl::unexpected(server.error());
    return std::move(*server);
}

Result<ServerChoice> find_server(const Context& context) {
    auto named = named_server(context);
    if (!named) return tl::unexpected(named.error());
    if (*named) return std::move(**named);
    std::filesystem::path socket;
    if (context.config) {
        const auto config = read_config(context);
        if (!config) return tl::unexpected(config.error());
        if (config->socket) socket = *config->socket;
    }
    if (socket.empty()) socket = default_socket_to_use();
    if (socket.empty()) {
        return fail(
            Code::server_unreachable,
            "no running `drover serve` was found on this host: start one, or name one with --server or DROVER_SERVER");
    }
    log::info("server: the socket {}", socket.string());
    return server_on(socket);
}

Result<json::object> data_of(const net::Response& answer) {
    boost::system::error_code error;
    const auto body = json::parse(answer.body, error);
    const auto* object = error ? nullptr : body.if_object();
    if (!object)
        return fail(Code::server_unreachable, fmt::format("the server answered HTTP {} without JSON", answer.status));
    if (answer.status != 200) {
        const auto* message = object->if_contains("error_msg");
        const std::string said = message && message->is_string() ? std::string(message->get_string().c_str()) : "";
        const auto code = code_named(*object, Code::internal);
        if (code != Code::internal) return fail(code, said);
        return fail(answer.status < 500 ? Code::usage : Code::server_unreachable,
                    fmt::format("the server refused: {} (HTTP {})", said, answer.status));
    }
    const auto* data = object->if_contains("data");
    if (!data || !data->is_object()) return fail(Code::server_unreachable, "the server's answer has no data");
    return data->get_object();
}

}  // namespace drover::cli
