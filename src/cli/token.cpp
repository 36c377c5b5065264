// drover token: who may call the HTTP API. The file keeps SHA-256 only; the token itself is printed once.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/counted.hpp"
#include "cli/json_choice.hpp"
#include "cli/serve_config.hpp"
#include "cli/service_host.hpp"
#include "cli/terminal.hpp"
#include "dispatch/selector.hpp"
#include "http/credentials.hpp"

namespace drover::cli {
namespace {

constexpr std::size_t kTokenRandomBytes = 32;

struct TokenOptions {
    std::string action, tenant;
    std::string instances = "all";
    std::optional<std::filesystem::path> from;
};

// A token that exists already: never from argv, where everybody on the host could read it.
Result<std::string> read_token(const std::filesystem::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return fail(Code::usage, fmt::format("{}: cannot be read", file.string()));
    if ((info.st_mode & 0077) != 0)
        return fail(Code::usage, fmt::format("{}: others may read this token; chmod 600 it", file.string()));
    std::ifstream stream(file);
    std::string token((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
    if (token.empty() || token.size() > http::kTokenBytesMax) {
        return fail(Code::usage, fmt::format("{}: a token has 1 to {} bytes", file.string(), http::kTokenBytesMax));
    }
    return token;
}

int add(const Context& context, const std::filesystem::path& file, std::vector<http::TokenEntry> tokens,
        const TokenOptions& o) {
    if (const auto good = dispatch::Selector::check(o.instances); !good)
        return report_error(good.error().to_error(o.instances));
    auto token = o.from ? read_token(*o.from) : Result<std::string>(http::random_hex(kTokenRandomBytes));
    if (!token) return report_error(token.error());
    tokens.push_back({o.tenant, http::sha256(*token), o.instances});
    if (const auto made = make_state_dir(file.parent_path()); !made) return report_error(made.error());
    if (const auto saved = http::save_tokens(file, tokens); !saved) return report_error(saved.error());
    say(fmt::format("drover: {} knows a token of '{}' now; SIGHUP makes a running serve read it", file.string(),
                    o.tenant));
    boost::json::object told{{"schema", 1}, {"tenant", o.tenant}, {"instances", o.instances}};
    // Of one that exists already the owner knows it.
    if (!o.from) told["token"] = *token;
    return print_result(context, o.from ? "" : *token + "\n", told);
}

int remove(const Context& context, const std::filesystem::path& file, std::vector<http::TokenEntry> tokens,
           const TokenOptions& o) {
    const auto removed = std::erase_if(tokens, [&](const http::TokenEntry& t) { return t.tenant == o.tenant; });
    if (removed == 0)
        return report_error(Error(Code::usage, fmt::format("{}: no token of '{}'", file.string(), o.tenant)));
    if (const auto saved = http::save_tokens(file, tokens); !saved) return report_error(saved.error());
    say(fmt::format("drover: {} removed; SIGHUP makes a running serve forget", counted(removed, "token")));
    return print_result(context, "", {{"schema", 1}, {"tenant", o.tenant}, {"removed", removed}});
}

int list(const Context& context, const std::vector<http::TokenEntry>& tokens) {
    std::string lines;
    boost::json::array all;
    for (const auto& t : tokens) {
        const auto digest = http::to_hex(t.digest);
        lines += fmt::format("{}  {}  sha256 {}…\n", t.tenant, t.instances, digest.substr(0, 12));
        all.push_back(boost::json::object{{"tenant", t.tenant}, {"instances", t.instances}, {"sha256", digest}});
    }
    return print_result(context, lines, {{"schema", 1}, {"tokens", std::move(all)}});
}

int run_token(const Context& context, const TokenOptions& o) {
    ignore_sigpipe();
    const auto config = read_config(context);
    if (!config) return report_error(config.error());
    auto tokens = http::load_tokens(config->tokens);
    if (!tokens) return report_error(tokens.error());
    if (o.action == "list") return list(context, *tokens);
    if (o.action != "add" && o.action != "remove") {
        return report_error(
            Error(Code::usage, fmt::format("token: '{}' is none of add NAME, list, remove NAME", o.action)));
    }
    if (!http::valid_tenant(o.tenant)) {
        return report_error(Error(
            Code::usage,
            fmt::format("token {}: the name has letters, digits, '.', '_' and '-', at most 64, and is not 'local'",
                        o.action)));
    }
    return o.action == "add" ? add(context, config->tokens, std::move(*tokens), o)
                             : remove(context, config->tokens, std::move(*tokens), o);
}

}  // namespace

void add_token(Program& program, Context& context) {
    auto o = std::make_shared<TokenOptions>();
    auto& command = program.add("token", "Who may call the HTTP API: add NAME, list, remove NAME");
    command.takes_config();
    command.positional("ACTION", o->action, "add, list or remove", Need::required);
    command.positional("NAME", o->tenant, "of the tenant", Need::optional);
    command.text("--instances", "SELECTOR", o->instances, "add: the phones it may use (all)");
    command.path("--from", "FILE", o->from, "add: takes the token in this file instead of a new one");
    command.action([o, &context] { return run_token(context, *o); });
}

}  // namespace drover::cli
