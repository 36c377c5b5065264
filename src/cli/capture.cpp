// screenshot and logcat: what a phone shows and says, in one file per phone.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/duration.hpp"
#include "cli/verb.hpp"
#include "dispatch/fleet_impl.hpp"
#include "transfer/operations.hpp"

namespace drover::cli {
namespace {

struct CaptureWords {
    CallOptions call;
    std::optional<std::filesystem::path> dir;
    std::chrono::milliseconds time{10'000};
    std::vector<std::string> words;
};

Result<std::filesystem::path> ready(const CaptureWords& o) {
    const auto dir = o.dir.value_or(".");
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return fail(Code::usage, fmt::format("--dir {}: {}", dir.string(), error.message()));
    return dir;
}

int screenshot(const Context& context, const CaptureWords& o) {
    const auto dir = ready(o);
    if (!dir) return report_error(dir.error());
    Verb verb;
    verb.name = "screenshot";
    verb.timeout = std::chrono::seconds(30);
    verb.make = [&](Fleet& fleet, transfer::TransferLimits limits) {
        const auto place = [dir = *dir](const Instance& phone) { return dir / (phone.id + ".png"); };
        return transfer::make_screenshot(fleet.impl().ground->disk(), place, limits);
    };
    return run_verb(context, o.call, verb);
}

int logcat(const Context& context, const CaptureWords& o) {
    const auto dir = ready(o);
    if (!dir) return report_error(dir.error());
    constexpr std::chrono::seconds kBesides{30};  // connecting, and the last bytes
    Verb verb;
    verb.name = fmt::format("logcat {}", fmt::join(o.words, " "));
    verb.bulk = false;
    verb.timeout = o.time + kBesides;
    verb.silence = std::nullopt;  // a phone may have nothing to say
    verb.make = [&](Fleet& fleet, transfer::TransferLimits limits) {
        limits.enough = o.time;
        const auto place = [dir = *dir](const Instance& phone) { return dir / (phone.id + ".log"); };
        return transfer::make_logcat(fleet.impl().ground->disk(), fmt::format("{}", fmt::join(o.words, " ")), place,
                                     limits);
    };
    return run_verb(context, o.call, verb);
}

}  // namespace

void add_screenshot(Program& program, Context& context) {
    auto o = std::make_shared<CaptureWords>();
    auto& command = program.add("screenshot", "Takes a picture of each phone's screen, DIR/ID.png");
    add_verb_options(command, o->call);
    command.path("--dir", "DIR", o->dir, "where the pictures go (.)");
    command.action([o, &context] { return screenshot(context, *o); });
}

void add_logcat(Program& program, Context& context) {
    auto o = std::make_shared<CaptureWords>();
    auto& command = program.add("logcat", "Writes each phone's log for a while, DIR/ID.log");
    add_verb_options(command, o->call);
    command.path("--dir", "DIR", o->dir, "where the logs go (.)");
    command.duration("--time", o->time, "how long; -- -d ends by itself (10s)");
    command.words("ARGUMENT...", o->words, "further arguments of logcat, as the phone's shell reads them");
    command.action([o, &context] { return logcat(context, *o); });
}

}  // namespace drover::cli
