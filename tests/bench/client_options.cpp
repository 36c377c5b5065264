#include "client_options.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace drover::bench {
namespace {

[[noreturn]] void refuse(std::string_view why) {
    fmt::print(stderr, "bench: {}\n", why);
    std::exit(2);
}

std::size_t number(std::string_view option, std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        refuse(fmt::format("{} wants a number, not '{}'", option, text));
    return value;
}

// A thousand phones are a thousand descriptors.
void allow_many_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

ClientOptions parse_client_options(int argc, char** argv) {
    ClientOptions o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto value = [&]() -> std::string_view {
            if (i + 1 == argc) refuse(fmt::format("{} wants a value", option));
            return argv[++i];
        };
        if (option == "--inventory") {
            o.inventory = value();
        } else if (option == "--phones") {
            o.phones = number(option, value());
        } else if (option == "--calls") {
            o.calls = number(option, value());
        } else if (option == "--warm-up") {
            o.warm_up_calls = number(option, value());
        } else if (option == "--peer") {
            o.peer = static_cast<pid_t>(number(option, value()));
        } else if (option == "--back-to-back") {
            o.pattern = Pattern::back_to_back;
        } else if (option == "--delayed-ack") {
            o.delayed_ack = true;
        } else if (option == "--exit-ends") {
            o.exit_ends = true;
        } else {
            refuse(fmt::format("unknown option '{}'", option));
        }
    }
    if (o.inventory.empty() || o.phones == 0 || o.calls == 0)
        refuse("--inventory, and at least one phone and one call, are needed");
    allow_many_files();
    return o;
}

}  // namespace drover::bench
