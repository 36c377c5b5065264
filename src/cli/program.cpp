// The one file that sees CLI11. Numbers, durations and unknown words are judged here, so that every mistake is told in the
// same form: one line, with the nearest name that exists.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <list>

#include "base/duration.hpp"
#include "base/log.hpp"
#include "base/nearest.hpp"
#include "cli/command.hpp"
#include "cli/environment.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {

struct Subcommand::Impl {
    CLI::App* app = nullptr;
    std::vector<std::string>* words = nullptr;
    std::vector<std::string>* paths = nullptr;  // of positionals(), which may also follow "--"
    CLI::Option* paths_option = nullptr;
    std::function<int()> run;
    bool takes_config = false;
    bool takes_server = false;
    bool writes_reports = false;
};

struct Program::Impl {
    explicit Impl(Context& c) : context(c) {}
    struct Entry {
        Subcommand::Impl impl;
        Subcommand subcommand{impl};
    };
    CLI::App app{"Runs commands on a herd of Android phones.", "drover"};
    std::list<Entry> entries;
    Context& context;
    bool version = false;
    std::string refused;  // why the command line cannot be obeyed although it is well formed

    void add_global_options();
    int parse_and_run(std::vector<std::string> args, const std::optional<std::vector<std::string>>& words);
    int run_entry(Entry& entry, const std::optional<std::vector<std::string>>& words);
    std::string say_unknown_command(const std::string& word) const;
    std::string say_unexpected(const CLI::App& sub, const std::string& word) const;
};

namespace {

constexpr std::string_view kFooter = "Options of every command: drover --help";

int usage_error(std::string_view who, std::string_view message) {
    std::cerr << who << ": " << message << '\n';
    return info(Code::usage).exit_code;
}

CLI::ValidationError wrong(std::string_view name, const std::string& message) {
    return CLI::ValidationError(std::string(name), message);
}

// CLI11 counts arguments; people forgot a value or wrote an option twice.
std::string plain(const CLI::ArgumentMismatch& e) {
    std::string text = e.what();
    const auto colon = text.find(": ");
    const auto name = text.substr(0, colon);
    constexpr std::string_view kMissingBegin = ": 1 required ", kMissingEnd = " missing";
    if (colon != std::string::npos && text.find(": At Most ") == colon) return name + ": is given more than once";
    if (colon == std::string::npos || text.compare(colon, kMissingBegin.size(), kMissingBegin) != 0 ||
        !text.ends_with(kMissingEnd))
        return text;
    const auto begin = colon + kMissingBegin.size();
    return fmt::format("{}: the {} is missing", name, text.substr(begin, text.size() - kMissingEnd.size() - begin));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// What an option is called where its value is wanted: "--timeout" -> CLI11 wants a callback that takes the text.
CLI::Option* add_text(CLI::App& app, std::string_view name, std::string_view value, std::string_view help,
                      const std::function<void(const std::string&)>& take) {
    return app.add_option_function<std::string>(std::string(name), take, std::string(help))
        ->type_name(std::string(value));
}

Millis duration_or_throw(std::string_view name, const std::string& text) {
    const auto parsed = parse_duration(text);
    if (!parsed) throw wrong(name, parsed.error().message);
    return *parsed;
}

OutputMode output_mode_or_throw(const std::string& text) {
    static constexpr std::string_view kNames[] = {"fold", "lines", "json", "jsonl"};
    static constexpr OutputMode kModes[] = {OutputMode::fold, OutputMode::lines, OutputMode::json, OutputMode::jsonl};
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
        if (kNames[i] == text) return kModes[i];
    }
    throw wrong("--output",
                fmt::format("'{}' is none of fold, lines, json, jsonl{}", text, did_you_mean(text, kNames)));
}

ReportFile report_or_throw(const std::string& text) {
    static constexpr std::pair<std::string_view, ReportFile::Kind> kKinds[] = {
        {"json", ReportFile::Kind::json},
        {"junit", ReportFile::Kind::junit},
        {"junit-steps", ReportFile::Kind::junit_steps},
        {"html", ReportFile::Kind::html}};
    const auto equals = text.find('=');
    for (const auto& [name, kind] : kKinds) {
        if (equals != std::string::npos && equals + 1 < text.size() && text.substr(0, equals) == name)
            return {kind, text.substr(equals + 1)};
    }
    throw wrong("--report", fmt::format("'{}' is none of json=FILE, junit=FILE, junit-steps=FILE, html=FILE", text));
}

}  // namespace

void Subcommand::flag(std::string_view name, bool& to, std::string_view help) {
    impl_.app->add_flag(std::string(name), to, std::string(help));
}

void Subcommand::text(std::string_view name, std::string_view value, std::string& to, std::string_view help) {
    add_text(*impl_.app, name, value, help, [&to](const std::string& text) { to = text; });
}

void Subcommand::text(std::string_view name, std::string_view value, std::optional<std::string>& to,
                      std::string_view help) {
    add_text(*impl_.app, name, value, help, [&to](const std::string& text) { to = text; });
}

void Subcommand::path(std::string_view name, std::string_view value, std::optional<std::filesystem::path>& to,
                      std::string_view help) {
    add_text(*impl_.app, name, value, help, [&to, name = std::string(name)](const std::string& text) {
        if (text.empty()) throw wrong(name, "the path is empty");
        to = text;
    });
}

void Subcommand::number(std::string_view name, std::string_view value, std::uint64_t& to, std::string_view help,
                        std::uint64_t min, std::uint64_t max) {
    add_text(*impl_.app, name, value, help, [&to, name = std::string(name), min, max](const std::string& text) {
        const auto parsed = parse_number(text);
        if (!parsed || *parsed < min || *parsed > max) {
            throw wrong(name, fmt::format("'{}' is not a whole number from {} to {}", text, min, max));
        }
        to = *parsed;
    });
}

void Subcommand::duration(std::string_view name, Millis& to, std::string_view help) {
    add_text(*impl_.app, name, "DURATION", help,
             [&to, name = std::string(name)](const std::string& text) { to = duration_or_throw(name, text); });
}

void Subcommand::duration(std::string_view name, std::optional<Millis>& to, std::string_view help) {
    add_text(*impl_.app, name, "DURATION", help,
             [&to, name = std::string(name)](const std::string& text) { to = duration_or_throw(name, text); });
}

void Subcommand::positional(std::string_view value, std::string& to, std::string_view help, Need need) {
    impl_.app->add_option(std::string(value), to, std::string(help))->type_name("")->required(need == Need::required);
}

void Subcommand::positionals(std::string_view value, std::vector<std::string>& to, std::string_view help) {
    const auto text = std::string(help) + "; after -- those that begin with a dash";
    impl_.paths_option = impl_.app->add_option(std::string(value), to, text)->type_name("")->required();
    impl_.paths = &to;
}

void Subcommand::words(std::string_view value, std::vector<std::string>& to, std::string_view help) {
    impl_.words = &to;
    impl_.app->footer(fmt::format("-- {}\n  {}\n\n{}", value, help, kFooter));
}

void Subcommand::action(std::function<int()> run) { impl_.run = std::move(run); }
void Subcommand::takes_config() { impl_.takes_config = true; }
void Subcommand::takes_server() { impl_.takes_server = true; }
void Subcommand::writes_reports() { impl_.writes_reports = true; }

void Program::Impl::add_global_options() {
    add_text(app, "--config", "FILE", "drover.yaml; for phones, its inventory and state_dir, without a server",
             [this](const std::string& text) {
                 if (text.empty()) throw wrong("--config", "the path is empty");
                 context.config = text;
             });
    add_text(app, "--inventory", "FILE", "the phones; else DROVER_INVENTORY, else what the adb server lists",
             [this](const std::string& text) {
                 if (text.empty()) throw wrong("--inventory", "the path is empty");
                 context.inventory = text;
             });
    add_text(app, "--server", "URL", "through a running `drover serve`: http://HOST:PORT, https://HOST or unix:/PATH",
             [this](const std::string& text) { context.server = text; });
    add_text(app, "--output", "FORM", "fold (default on a terminal), lines (elsewhere), json or jsonl",
             [this](const std::string& text) { context.output = output_mode_or_throw(text); });
    app.add_flag_callback(
        "--json", [this] { context.output = OutputMode::json; }, "short for --output json");
    app.add_option_function<std::vector<std::string>>(
           "--report",
           [this](const std::vector<std::string>& all) {
               for (const auto& text : all) context.reports.push_back(report_or_throw(text));
           },
           "also write the rows to a file: json=FILE, junit=FILE (a suite a phone), junit-steps=FILE (a suite a step) "
           "or html=FILE")
        ->type_name("KIND=FILE")
        ->expected(1)
        ->allow_extra_args(false)  // one value each time it is written: the next word is not its own
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_flag("-v,--verbose", context.verbose, "say on stderr what is done, and why");
    app.add_flag("--no-color", context.no_color, "no colors (NO_COLOR and TERM=dumb do the same)");
    app.add_flag("--version", version, "print the version");
}

std::string Program::Impl::say_unknown_command(const std::string& word) const {
    std::vector<std::string_view> names;
    for (const auto& entry : entries) names.push_back(entry.impl.app->get_name());
    return fmt::format("there is no command '{}'{}; see drover --help", word, did_you_mean(word, names));
}

std::string Program::Impl::say_unexpected(const CLI::App& sub, const std::string& word) const {
    if (!word.starts_with('-') || word == "-") return fmt::format("'{}' is one word too many", word);
    std::vector<std::string> names;
    for (const CLI::App* a : {&sub, &app}) {
        for (const auto* option : a->get_options()) {
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        }
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto name = word.substr(0, word.find('='));
    return fmt::format("there is no option {}{}", name, did_you_mean(name, views));
}

int Program::Impl::run_entry(Entry& entry, const std::optional<std::vector<std::string>>& words) {
    const CLI::App& sub = *entry.impl.app;
    const auto who = "drover " + sub.get_name();
    // An unknown option is the better thing to name than the value that follows it.
    auto left = app.remaining(true);
    std::stable_partition(left.begin(), left.end(), [](const std::string& w) { return w.starts_with('-'); });
    if (!left.empty()) {
        if (entry.impl.words && !words && !left.front().starts_with('-')) {
            return usage_error(who, "put the command after --, as in: " + who + " -- " + left.front());
        }
        return usage_error(who, say_unexpected(sub, left.front()));
    }
    if (context.config && !entry.impl.takes_config) {
        return usage_error(who, "--config: this command takes no configuration file; give --inventory instead");
    }
    if (context.server && !entry.impl.takes_server) {
        return usage_error(who, "--server: this command works on this host alone; leave it out");
    }
    if (!context.reports.empty() && !entry.impl.writes_reports) {
        return usage_error(who, "--report: this command has no rows to report; exec and run have");
    }
    if (words && entry.impl.paths) {
        entry.impl.paths->insert(entry.impl.paths->end(), words->begin(), words->end());
    } else if (words) {
        if (!entry.impl.words) return usage_error(who, "takes nothing after --");
        *entry.impl.words = *words;
    }
    if (context.verbose) log::set_level(log::Level::info);
    return entry.impl.run();
}

int Program::Impl::parse_and_run(std::vector<std::string> args, const std::optional<std::vector<std::string>>& words) {
    const auto chosen = [this]() -> Entry* {
        for (auto& entry : entries) {
            if (entry.impl.app->parsed()) return &entry;
        }
        return nullptr;
    };
    const auto who = [&] {
        const auto* entry = chosen();
        return entry ? "drover " + entry->impl.app->get_name() : std::string("drover");
    };
    for (auto& entry : entries) {
        if (entry.impl.paths_option) entry.impl.paths_option->required(!words || words->empty());
    }
    try {
        std::reverse(args.begin(), args.end());  // CLI11 takes them last first
        app.parse(std::move(args));
    } catch (const CLI::CallForHelp& e) {
        const int code = app.exit(e);
        return std::cout.flush() ? code : 1;
    } catch (const CLI::RequiredError& e) {
        return usage_error(who(), std::string(e.what()) + "; see " + who() + " --help");
    } catch (const CLI::ArgumentMismatch& e) {
        return usage_error(who(), plain(e));
    } catch (const CLI::ParseError& e) {
        return usage_error(who(), e.what());
    }
    auto* entry = chosen();
    if (entry) return run_entry(*entry, words);
    const auto left = app.remaining();
    for (const auto& word : left) {
        return usage_error("drover", word.starts_with('-') ? say_unexpected(app, word) : say_unknown_command(word));
    }
    if (version) {
        ResultStream results;
        results.write("drover " DROVER_VERSION "\n");
        return results.exit_code();
    }
    return usage_error("drover", "which command? see drover --help");
}

Program::Program(Context& context) : impl_(std::make_unique<Impl>(context)) {
    const char* no_color = std::getenv("NO_COLOR");
    context.no_color = (no_color && *no_color) || environment("TERM") == "dumb";
    impl_->app.fallthrough();   // global options may follow the subcommand
    impl_->app.allow_extras();  // judged by us, with the nearest name
    impl_->app.require_subcommand(0, 1);
    impl_->app.get_formatter()->column_width(36);
    impl_->add_global_options();
}

Program::~Program() = default;

Subcommand& Program::add(std::string_view name, std::string_view help) {
    auto& entry = impl_->entries.emplace_back();
    entry.impl.app = impl_->app.add_subcommand(std::string(name), std::string(help));
    entry.impl.app->footer(std::string(kFooter));
    return entry.subcommand;
}

int Program::run(int argc, const char* const* argv) {
    // CLI11 would let words after "--" meet options and subcommands again; they belong to the phones' shell alone.
    std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
    std::optional<std::vector<std::string>> words;
    if (const auto dashes = std::find(args.begin(), args.end(), "--"); dashes != args.end()) {
        words.emplace(dashes + 1, args.end());
        args.erase(dashes, args.end());
    }
    return impl_->parse_and_run(std::move(args), words);
}

int report_error(const Error& error) {
    std::cerr << "drover: " << error.message << '\n';
    return info(error.code).exit_code;
}

}  // namespace drover::cli
