#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/herd.hpp"
#include "cli/status_board.hpp"
#include "cli/terminal.hpp"
#include "drover/command.hpp"
#include "report/status_text.hpp"

namespace drover::cli {
namespace {

struct WaitArguments {
    std::string selector;
    std::string state;
    std::uint64_t count = 0;  // 0: all that match
    std::chrono::milliseconds timeout{60'000};
};

constexpr int kNeverEnough = 18, kNotInTime = 22;  // the documented exit codes of waiting

const std::vector<std::string>& known_states() {
    static const std::vector<std::string> words{"running",    "stopped",      "unknown", "starting",
                                                "shut-down",  "absent",       "booting", "recovery",
                                                "bootloader", "unauthorized", "offline", "device"};
    return words;
}

// A status word, a condition, or `device`: adbd is up, booted or not.
bool is_in(const PhoneStatus& s, const std::string& state) {
    if (state == "device") return s.condition == "booting" || s.condition == "running";
    if (state == "shut-down") return s.status == 5;
    return s.condition == state || report::status_word(s.status) == state;
}

// A phone passes through these while it connects: whether it is in one shows only once that is over.
bool is_passed_through(const std::string& state) {
    return state != "running" && state != "device" && state != "recovery" && state != "bootloader" &&
           state != "unauthorized" && state != "shut-down";
}

int wait_for_phones(const Context& context, const WaitArguments& o) {
    const auto& words = known_states();
    if (std::find(words.begin(), words.end(), o.state) == words.end()) {
        return report_error(Error(Code::usage, fmt::format("--state {}: there is no such state; there are {}", o.state,
                                                           fmt::join(words, ", "))));
    }
    StatusBoard board;
    const BoardStop stop(board);
    auto herd = open_herd(context);
    if (!herd) return report_error(herd.error());
    const auto targets = select_targets(**herd, o.selector);
    if (!targets) return report_error(targets.error());
    if (targets->empty()) return report_error(Error(Code::nothing_matched, "no phone matches '" + o.selector + "'"));
    const std::size_t wanted = o.count ? o.count : targets->size();
    if (wanted > targets->size()) {
        say(fmt::format("drover: {} phones wanted, '{}' names {}", wanted, o.selector, targets->size()));
        return kNeverEnough;
    }
    const auto watch = (*herd)->watch(*targets, board, [&](const Error& why) { board.end(why); });
    std::size_t there = 0;
    const auto enough = [&](const StatusBoard::States& states) {
        there = static_cast<std::size_t>(
            std::count_if(states.begin(), states.end(), [&](const auto& s) { return is_in(s.second, o.state); }));
        return there >= wanted;
    };
    const auto now = std::chrono::steady_clock::now();
    if (is_passed_through(o.state)) {
        const auto settled = [](const StatusBoard::States& states) {
            return std::all_of(states.begin(), states.end(), [](const auto& s) { return is_settled(s.second); });
        };
        (void)board.wait(settled, now + std::min(o.timeout, Limits{}.connect));
    }
    switch (board.wait(enough, now + o.timeout)) {
        case StatusBoard::Outcome::holds: return 0;
        case StatusBoard::Outcome::ended: {
            const auto why = board.why();
            return why ? report_error(*why) : 128 + stop.signal();
        }
        case StatusBoard::Outcome::late: break;
    }
    say(fmt::format("drover: {} of {} phones were {} in time", there, wanted, o.state));
    const auto states = (*herd)->states(*targets, Herd::Look::now);
    if (!states) return report_error(states.error());
    for (const auto& history : *states) {
        const auto& state = history.back();
        if (!is_in(state, o.state)) {
            say(fmt::format("drover: {}: {}: {}", (*herd)->id_of(state.instance), state.condition, state.why));
        }
    }
    return kNotInTime;
}

}  // namespace

void add_wait(Program& program, Context& context) {
    auto o = std::make_shared<WaitArguments>();
    o->state = "running";
    auto& command = program.add("wait", "Waits until phones are in a state");
    command.takes_config();
    command.takes_server();
    command.positional("SELECTOR", o->selector, "which phones", Need::required);
    command.text("--state", "STATE", o->state, "running (the default), device, recovery, absent, ...");
    command.number("--count", "N", o->count, "how many of them (all)", 1, 100'000);
    command.duration("--timeout", o->timeout, "how long to wait (60s)");
    command.action([o, &context] { return wait_for_phones(context, *o); });
}

}  // namespace drover::cli
