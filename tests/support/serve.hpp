// The real `drover serve` for integration tests, and curl as a client that nobody here wrote. Only for tests that have
// DROVER_PROGRAM (where.hpp). Same rules as support/process.hpp.
#pragma once
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <memory>

#include "support/drover.hpp"

namespace drover::test {

// A home of its own: state, tokens and socket live below it.
class ServeHome {
public:
    ServeHome() : token_(make_token()) {}

    EnvChanges env() const {
        const auto home = dir_.path().string();
        return {{"HOME", home},
                {"XDG_RUNTIME_DIR", home},
                {"XDG_STATE_HOME", std::nullopt},
                {"DROVER_TOKEN", std::nullopt},
                {"NOTIFY_SOCKET", std::nullopt}};
    }
    const TempDir& dir() const { return dir_; }
    const std::string& token() const { return token_; }
    std::string socket() const { return (dir_ / "drover.sock").string(); }
    Finished drover(std::vector<std::string> args) const { return run_drover(std::move(args), env()); }

private:
    std::string make_token() const {
        auto made = drover({"token", "add", "ci"});
        if (made.code() != 0) throw std::runtime_error("drover token add: " + made.err);
        made.out.pop_back();
        return made.out;
    }
    TempDir dir_;
    std::string token_;
};

class ServeProcess {
public:
    ServeProcess(const ServeHome& home, const std::string& inventory, std::vector<std::string> more = {})
        : process_(drover_command(arguments(inventory, std::move(more)), home.env())) {
        const auto line = process_.wait_for_line("ready: ");
        if (!line) throw std::runtime_error("drover serve did not get ready:\n" + process_.err());
        const auto address = line->substr(7);
        url_ = "http://" + address.substr(0, address.find(' '));
    }
    const std::string& url() const { return url_; }
    Process& process() { return process_; }
    // SIGTERM, and its exit code.
    int stop() {
        process_.signal(SIGTERM);
        const auto ended = process_.wait();
        return ended && ended->code ? *ended->code : -1;
    }

private:
    static std::vector<std::string> arguments(const std::string& inventory, std::vector<std::string> more) {
        std::vector<std::string> args{"serve", "--inventory", inventory, "--listen", "127.0.0.1:0"};
        args.insert(args.end(), more.begin(), more.end());
        return args;
    }
    Process process_;
    std::string url_;
};

struct CurlAnswer {
    int status = 0;
    std::string body;
    boost::json::value json() const { return boost::json::parse(body); }
};

// curl ARGS; -s and the status are asked for here.
inline CurlAnswer curl(std::vector<std::string> args, std::optional<std::string> input = std::nullopt) {
    ProcessOptions options;
    options.argv = {"curl", "-s", "--max-time", "60", "-w", "\n%{http_code}"};
    options.argv.insert(options.argv.end(), args.begin(), args.end());
    options.env = {{"http_proxy", std::nullopt},
                   {"HTTP_PROXY", std::nullopt},
                   {"https_proxy", std::nullopt},
                   {"ALL_PROXY", std::nullopt}};
    options.input = std::move(input);
    const auto finished = run(std::move(options));
    CurlAnswer answer;
    const auto at = finished.out.rfind('\n');
    if (at == std::string::npos) return answer;
    answer.body = finished.out.substr(0, at);
    answer.status = std::stoi(finished.out.substr(at + 1));
    return answer;
}

// A documented call with a token, as its documentation shows it.
inline CurlAnswer call(const ServeHome& home, const ServeProcess& serve, const std::string& path,
                       const std::optional<std::string>& body = std::nullopt) {
    std::vector<std::string> args{"-H", "X-Auth-Token: " + home.token(),
                                  "-H", "x-request-id: test-1",
                                  "-H", "Content-Type: application/json; charset=utf-8"};
    if (body) args.insert(args.end(), {"-d", *body});
    args.push_back(serve.url() + path);
    return curl(std::move(args));
}

}  // namespace drover::test
