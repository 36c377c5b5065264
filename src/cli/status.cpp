#include <algorithm>
#include <map>

#include "cli/herd.hpp"
#include "cli/json_choice.hpp"
#include "cli/reader_watch.hpp"
#include "cli/status_board.hpp"
#include "cli/terminal.hpp"
#include "drover/command.hpp"
#include "report/status_text.hpp"

namespace drover::cli {
namespace {

using report::StatusLine;

struct StatusArguments {
    std::string selector;
    bool watch = false;
    bool history = false;
    std::chrono::milliseconds connect = Limits{}.connect;
};

std::string history_text(const Herd& herd, const std::vector<std::vector<PhoneStatus>>& histories) {
    std::string text;
    for (const auto& history : histories) {
        for (const auto& s : history) text += report::status_change({herd.id_of(s.instance), s});
    }
    return text;
}

// As the fleet knows it now: the reason of a phone that is still not there changes without a change of its state.
Result<void> print_states(Herd& herd, const std::vector<std::size_t>& targets, const Context& context,
                          const StatusArguments& o, ResultStream& results) {
    const auto states = herd.states(targets, o.history ? Herd::Look::history : Herd::Look::now);
    if (!states) return tl::unexpected(states.error());
    std::vector<StatusLine> lines;
    for (const auto& history : *states) lines.push_back({herd.id_of(history.back().instance), history.back()});
    if (context.output == OutputMode::jsonl) {
        for (const auto& line : lines) results.write(report::status_json(line) + "\n");
    } else if (context.output == OutputMode::json) {
        results.write(report::status_document(lines, o.history ? *states : std::vector<std::vector<PhoneStatus>>()));
    } else {
        results.write(o.history ? history_text(herd, *states) : report::status_table(lines));
    }
    return {};
}

// Until the board is woken or ended. `told`: what was printed last of each phone, which a new watch tells again.
void print_changes(const Herd& herd, StatusBoard& board, bool json, std::map<std::string, std::string>& told,
                   ResultStream& results) {
    while (!results.lost()) {
        const auto changes = board.take_changes();
        if (changes.empty()) return;
        for (const auto& s : changes) {
            const StatusLine line{herd.id_of(s.instance), s};
            auto text = json ? report::status_json(line) + "\n" : report::status_change(line);
            auto& last = told[line.instance_id];
            if (last == text) continue;
            results.write(text);
            last = std::move(text);
        }
    }
}

// An id that no phone has is no mistake where one may come.
Result<std::vector<std::size_t>> may_match(Herd& herd, const std::string& selector) {
    auto selection = herd.select(selector);
    if (!selection) return tl::unexpected(selection.error());
    return std::move(selection->targets);
}

// Every change as it comes, also of phones that come later.
Result<void> watch_states(Herd& herd, StatusBoard& board, const Context& context, const std::string& selector,
                          ResultStream& results) {
    const bool may_come = herd.on_discovery([&board] { board.wake(); });
    std::map<std::string, std::string> told;
    while (!results.lost()) {
        const bool later = may_come || !told.empty();
        const auto targets = later ? may_match(herd, selector) : select_targets(herd, selector);
        if (!targets) return tl::unexpected(targets.error());
        if (!later && targets->empty()) return fail(Code::nothing_matched, "no phone matches '" + selector + "'");
        board.forget();
        {
            const auto watch = herd.watch(*targets, board, [&](const Error& why) { board.end(why); });
            print_changes(herd, board, wants_json(context), told, results);
        }
        if (board.ended()) break;
        if (auto renewed = herd.renew(); !renewed) return renewed;
    }
    return {};
}

int status(const Context& context, const StatusArguments& o) {
    ignore_sigpipe();
    StatusBoard board;
    const BoardStop stop(board);
    const auto failed = [&stop](const Error& why) {
        return stop.signal() != 0 ? 128 + stop.signal() : report_error(why);
    };
    auto herd = open_herd(context, {o.watch ? Phones::may_come : Phones::now, std::nullopt, o.connect, stop.token()});
    if (!herd) return failed(herd.error());
    (*herd)->set_patience({std::nullopt, &stop.told()});
    const std::string selector = o.selector.empty() ? "all" : o.selector;
    ResultStream results;
    if (o.watch) {
        const ReaderWatch reader([&board] { board.end(); });
        if (const auto watched = watch_states(**herd, board, context, selector, results); !watched)
            return failed(watched.error());
        if (reader.gone() && stop.signal() == 0) return 1;
    } else {
        const auto targets = select_targets(**herd, selector);
        if (!targets) return failed(targets.error());
        if (targets->empty()) return report_error(Error(Code::nothing_matched, "no phone matches '" + selector + "'"));
        const auto watch = (*herd)->watch(*targets, board, [&](const Error& why) { board.end(why); });
        const auto settled = [](const StatusBoard::States& states) {
            return std::all_of(states.begin(), states.end(), [](const auto& s) { return is_settled(s.second); });
        };
        // A single look waits until the states have something to say.
        (void)board.wait(settled, std::chrono::steady_clock::now() + o.connect);
        if (stop.signal() == 0 && !board.why()) {
            if (const auto printed = print_states(**herd, *targets, context, o, results); !printed)
                return failed(printed.error());
        }
    }
    if (const auto why = board.why()) return report_error(*why);
    const int code = results.exit_code();
    return stop.signal() != 0 ? 128 + stop.signal() : code;
}

}  // namespace

void add_status(Program& program, Context& context) {
    auto o = std::make_shared<StatusArguments>();
    auto& command = program.add("status", "Tells the state of phones, since when and why");
    command.takes_config();
    command.takes_server();
    command.positional("SELECTOR", o->selector, "which phones (all)", Need::optional);
    command.flag("--watch", o->watch, "go on, and print every change");
    command.flag("--history", o->history, "print how each phone came to its state");
    command.duration("--connect-timeout", o->connect, "how long to wait for each phone (5s)");
    command.action([o, &context] { return status(context, *o); });
}

}  // namespace drover::cli
