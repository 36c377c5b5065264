// What a subcommand is made of: its options, what it does, and the global options it shares with all others.
//
// One thread (main's). A subcommand's add_NAME() is called once at start-up; what its options write to must live until
// Program::run() has returned. Failure: a wrong command line is one line on stderr and exit code 2, before anything runs.
//
// This header hides CLI11, which is slow to compile: only program.cpp includes it. Each subcommand is one file:
//
//     void add_hello(Program& program, Context& context) {
//         auto o = std::make_shared<HelloOptions>();
//         auto& command = program.add("hello", "Says hello");
//         command.number("--count", "N", o->count, "how many times", 1, 100);
//         command.action([o, &context] { return hello(*o, context); });
//     }
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"

namespace drover::cli {

enum class OutputMode : std::uint8_t { automatic, fold, lines, json, jsonl };

struct ReportFile {
    enum class Kind : std::uint8_t { json, junit, junit_steps, html };
    Kind kind = Kind::json;
    std::filesystem::path path;
};

// The options that every subcommand takes, before or after its name.
struct Context {
    std::optional<std::filesystem::path> inventory;  // as given; DROVER_INVENTORY is looked at by open_fleet()
    std::optional<std::filesystem::path> config;     // of `serve` and what belongs to it
    std::optional<std::string> server;               // the URL of a running `drover serve`
    OutputMode output = OutputMode::automatic;
    std::vector<ReportFile> reports;
    bool verbose = false;
    bool no_color = false;  // --no-color or NO_COLOR
};

enum class Need : std::uint8_t { optional, required };

// One subcommand. Names of options begin with "--"; `value` is what the help calls the value.
class Subcommand {
public:
    using Millis = std::chrono::milliseconds;

    void flag(std::string_view name, bool& to, std::string_view help);
    void text(std::string_view name, std::string_view value, std::string& to, std::string_view help);
    void text(std::string_view name, std::string_view value, std::optional<std::string>& to, std::string_view help);
    void path(std::string_view name, std::string_view value, std::optional<std::filesystem::path>& to,
              std::string_view help);
    // A whole number from min to max, without a sign.
    void number(std::string_view name, std::string_view value, std::uint64_t& to, std::string_view help,
                std::uint64_t min, std::uint64_t max);
    // With a unit: 500ms, 10s, 5m.
    void duration(std::string_view name, Millis& to, std::string_view help);
    void duration(std::string_view name, std::optional<Millis>& to, std::string_view help);

    void positional(std::string_view value, std::string& to, std::string_view help, Need need);
    // At least one; those that begin with a dash follow "--".
    void positionals(std::string_view value, std::vector<std::string>& to, std::string_view help);
    // The words after "--". A subcommand that does not ask for them refuses them.
    void words(std::string_view value, std::vector<std::string>& to, std::string_view help);

    // What the subcommand does; gives the exit code.
    void action(std::function<int()> run);

    // Subcommands that do not say so refuse --config, --server, or --report.
    void takes_config();
    void takes_server();
    void writes_reports();

    struct Impl;
    explicit Subcommand(Impl& impl) : impl_(impl) {}

private:
    Impl& impl_;
};

class Program {
public:
    explicit Program(Context& context);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    Subcommand& add(std::string_view name, std::string_view help);
    int run(int argc, const char* const* argv);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Prints "drover: message" on stderr and gives the exit code that belongs to the error's code.
int report_error(const Error& error);

void add_agent(Program& program, Context& context);
void add_codes(Program& program, Context& context);
void add_devices(Program& program, Context& context);
void add_disable(Program& program, Context& context);  // and enable
void add_doctor(Program& program, Context& context);
void add_exec(Program& program, Context& context);
void add_install(Program& program, Context& context);
void add_keygen(Program& program, Context& context);
void add_logcat(Program& program, Context& context);
void add_plan(Program& program, Context& context);
void add_pull(Program& program, Context& context);
void add_push(Program& program, Context& context);
void add_run(Program& program, Context& context);
void add_schema(Program& program, Context& context);
void add_screenshot(Program& program, Context& context);
void add_serve(Program& program, Context& context);
void add_shell(Program& program, Context& context);
void add_sim(Program& program, Context& context);
void add_source(Program& program, Context& context);
void add_task(Program& program, Context& context);
void add_token(Program& program, Context& context);
void add_status(Program& program, Context& context);
void add_uninstall(Program& program, Context& context);
void add_validate(Program& program, Context& context);
void add_version(Program& program, Context& context);
void add_wait(Program& program, Context& context);

}  // namespace drover::cli
