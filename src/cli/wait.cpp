#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/counted.hpp"
#include "base/log.hpp"
#include "cli/herd.hpp"
#include "cli/json_choice.hpp"
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
    if (state == "running") return s.status == 2;  // not one that is up, but out of service
    return s.condition == state || report::status_word(s.status) == state;
}

// A phone passes through these while it connects: whether it is in one shows only once that is over.
bool is_passed_through(const std::string& state) {
    return state != "running" && state != "device" && state != "recovery" && state != "bootloader" &&
           state != "unauthorized" && state != "shut-down";
}

class PhoneWait {
public:
    using Deadline = StatusBoard::TimePoint;

    PhoneWait(const Context& context, Herd& herd, StatusBoard& board, const BoardStop& stop, const WaitArguments& o,
              Deadline began)
        : context_(context), herd_(herd), board_(board), stop_(stop), o_(o), began_(began), until_(began + o.timeout) {}

    // Where discovery goes on, phones that come later count too: which ones match is looked at anew with each that does, and when
    // those of a server are written down otherwise.
    int run() {
        herd_.set_patience({until_, &stop_.told()});
        may_come_ = herd_.on_discovery([&board = board_] { board.wake(); });
        while (true) {
            const auto code = round();
            if (code) return *code;
            if (const auto renewed = herd_.renew(); !renewed) return failed(renewed.error());
        }
    }

private:
    // A server that is given up answers nothing.
    int failed(const Error& why) const { return stop_.signal() != 0 ? 128 + stop_.signal() : report_error(why); }

    // nullopt: other phones are there now.
    std::optional<int> round() {
        const auto targets = select();
        if (!targets) return failed(targets.error());
        wanted_ = o_.count ? o_.count : std::max<std::size_t>(targets->size(), 1);
        if (!may_come_ && targets->empty())
            return report_error(Error(Code::nothing_matched, "no phone matches '" + o_.selector + "'"));
        if (!may_come_ && wanted_ > targets->size()) {
            say(fmt::format("drover: {} wanted, '{}' names {}", counted(wanted_, "phone"), o_.selector,
                            targets->size()));
            return kNeverEnough;
        }
        log::info("{} phones match, {} wanted{}", targets->size(), wanted_, may_come_ ? "; more may come" : "");
        board_.forget();
        const auto watch = herd_.watch(*targets, board_, [&](const Error& why) { board_.end(why); });
        switch (wait()) {
            case StatusBoard::Outcome::holds: return print();
            case StatusBoard::Outcome::woken: return std::nullopt;
            case StatusBoard::Outcome::ended: {
                const auto why = board_.why();
                return why ? report_error(*why) : 128 + stop_.signal();
            }
            case StatusBoard::Outcome::late: break;
        }
        return too_late(*targets);
    }

    // An id that no phone has is a mistake only where none can come.
    Result<std::vector<std::size_t>> select() {
        if (!may_come_) return select_targets(herd_, o_.selector);
        auto selection = herd_.select(o_.selector);
        if (!selection) return tl::unexpected(selection.error());
        return std::move(selection->targets);
    }

    StatusBoard::Outcome wait() {
        if (is_passed_through(o_.state)) {
            const auto settled = [](const StatusBoard::States& states) {
                return std::all_of(states.begin(), states.end(), [](const auto& s) { return is_settled(s.second); });
            };
            const auto outcome = board_.wait(settled, std::min(until_, began_ + Limits{}.connect));
            if (outcome == StatusBoard::Outcome::woken) return outcome;
        }
        const auto enough = [&](const StatusBoard::States& states) {
            there_ = static_cast<std::size_t>(
                std::count_if(states.begin(), states.end(), [&](const auto& s) { return is_in(s.second, o_.state); }));
            if (there_ < wanted_) return false;
            // As they were then: later ones may be others.
            for (const auto& [instance, state] : states) last_.push_back(state);
            return true;
        };
        return board_.wait(enough, until_);
    }

    int too_late(const std::vector<std::size_t>& targets) {
        say(fmt::format("drover: {} of {} {} {} in time", there_, counted(wanted_, "phone"),
                        there_ == 1 ? "was" : "were", o_.state));
        if (targets.empty()) say("drover: no phone matches '" + o_.selector + "'");
        const auto states = herd_.states(targets, Herd::Look::now);
        if (!states) return failed(states.error());
        for (const auto& history : *states) {
            const auto& state = history.back();
            last_.push_back(state);
            if (!is_in(state, o_.state))
                say(fmt::format("drover: {}: {}: {}", herd_.id_of(state.instance), state.condition, state.why));
        }
        const int printed = print();
        return printed != 0 ? printed : kNotInTime;
    }

    // People want the exit code alone.
    int print() const {
        boost::json::array phones;
        for (const auto& state : last_) phones.push_back(report::status_object({herd_.id_of(state.instance), state}));
        return print_result(context_, "",
                            {{"schema", 1},
                             {"state", o_.state},
                             {"wanted", wanted_},
                             {"there", there_},
                             {"phones", std::move(phones)}});
    }

    const Context& context_;
    Herd& herd_;
    StatusBoard& board_;
    const BoardStop& stop_;
    const WaitArguments& o_;
    const Deadline began_, until_;
    bool may_come_ = false;
    std::size_t wanted_ = 0, there_ = 0;
    std::vector<PhoneStatus> last_;
};

int wait_for_phones(const Context& context, const WaitArguments& o) {
    ignore_sigpipe();
    const auto& words = known_states();
    if (std::find(words.begin(), words.end(), o.state) == words.end()) {
        return report_error(Error(Code::usage, fmt::format("--state {}: there is no such state; there are {}", o.state,
                                                           fmt::join(words, ", "))));
    }
    const auto began = std::chrono::steady_clock::now();
    StatusBoard board;
    const BoardStop stop(board);
    auto herd = open_herd(context, {.phones = Phones::may_come, .deadline = o.timeout, .stop = stop.token()});
    if (!herd) return stop.signal() != 0 ? 128 + stop.signal() : report_error(herd.error());
    return PhoneWait(context, **herd, board, stop, o, began).run();
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
