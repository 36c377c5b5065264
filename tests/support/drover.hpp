// The real `drover` program for integration tests, and virtual phones to run it on. Only for tests that have
// DROVER_PROGRAM (where.hpp). Same rules as support/process.hpp.
#pragma once
#include <fmt/format.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "where.hpp"

namespace drover::test {

using EnvChanges = std::map<std::string, std::optional<std::string>>;

// `drover ARGS…`, with nothing of the developer's own setup in its environment.
inline ProcessOptions drover_command(std::vector<std::string> args, EnvChanges env = {}) {
    ProcessOptions options;
    options.argv = std::move(args);
    options.argv.insert(options.argv.begin(), DROVER_PROGRAM);
    options.env = std::move(env);
    for (const char* name :
         {"DROVER_INVENTORY", "DROVER_SERVER", "XDG_RUNTIME_DIR", "ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT"}) {
        options.env.emplace(name, std::nullopt);
    }
    return options;
}

// As on a full disk: no file of this command can grow past so many blocks of 512 bytes. The counters of a coverage build would be
// cut there too, and spoilt for every process after it; so this one writes none.
inline ProcessOptions with_small_files(ProcessOptions options, int blocks) {
    options.argv.insert(options.argv.begin(), {"sh", "-c", fmt::format("ulimit -f {}; exec \"$@\"", blocks), "sh"});
    options.env["GCOV_PREFIX"] = "/dev/null";
    options.env["GCOV_ERROR_FILE"] = "/dev/null";
    return options;
}

inline Finished run_drover(std::vector<std::string> args, EnvChanges env = {}) {
    return run(drover_command(std::move(args), std::move(env)));
}

// `drover sim --count N --port 0`, waited for until all phones listen; ended with this object.
class SimProcess {
public:
    explicit SimProcess(int count, std::vector<std::string> more_args = {})
        : process_(drover_command(arguments(dir_, count, std::move(more_args)))) {
        if (!process_.wait_for_line(fmt::format("ready: {} phone", count))) {
            throw std::runtime_error("drover sim did not get ready:\n" + process_.out() + process_.err());
        }
    }
    std::string inventory() const { return (dir_ / "inventory.yaml").string(); }
    Process& process() { return process_; }

private:
    static std::vector<std::string> arguments(const TempDir& dir, int count, std::vector<std::string> more) {
        std::vector<std::string> args{"sim",
                                      "--count",
                                      std::to_string(count),
                                      "--port",
                                      "0",
                                      "--write-inventory",
                                      (dir / "inventory.yaml").string()};
        args.insert(args.end(), more.begin(), more.end());
        return args;
    }

    TempDir dir_;
    Process process_;
};

}  // namespace drover::test
