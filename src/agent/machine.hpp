// Everything an agent decides: when to poll, which command to carry out, when and what to report, what to remember.
//
// Pure: time, chance, the ledger and what happens outside are handed in. One thread. Each command goes received → running → done →
// reported; each step is in the ledger before what it allows happens. So a command is carried out at most once, and its result
// is told at least once. What was running when the process died ends as failed. Polling never waits for a command.
// Failure: a ledger that cannot be written holds back the step; it is tried again.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "agent/ledger.hpp"
#include "agent/pace.hpp"
#include "base/timer_wheel.hpp"

namespace drover::agent {

// What a request brought. status 0: no answer, and why.
struct Answer {
    int status = 0;
    std::string body;
};

// What the machine makes happen. Each may be answered later only, never from inside the call.
class Effects {
public:
    virtual void poll() = 0;                           // on_poll_answer() comes
    virtual void report(const std::string& body) = 0;  // on_report_answer() comes
    virtual void execute(const Command& command) = 0;  // on_finished() comes
    // Reads the credentials anew; true when they are others than the last request had.
    virtual bool reload_credentials() = 0;

protected:
    ~Effects() = default;
};

struct MachineOptions {
    PaceOptions pace;
    std::size_t parallel = 4;  // START and SYNC at once; others wait
    std::function<double()> random;
    std::function<std::int64_t()> wall_ms;  // since 1970, UTC
};

class Machine {
public:
    // Commands not settled; past it new ones are left with the controller.
    static constexpr std::size_t kEntriesMax = 200;

    Machine(MachineOptions options, Ledger& ledger, Effects& effects);

    // Reads the ledger and begins. Once, before anything else.
    Result<void> start(TimePoint now);
    void on_poll_answer(const Answer& answer, TimePoint now);
    void on_report_answer(const Answer& answer, TimePoint now);
    void on_finished(const Key& key, const Outcome& outcome, TimePoint now);
    void on_time(TimePoint now);
    TimePoint next() const;  // when on_time() is wanted
    // Nothing is polled, carried out or reported any more; what finishes is still written down.
    void stop() { stopped_ = true; }

    std::size_t entries() const { return entries_.size(); }

private:
    struct Item {
        Entry entry;
        bool saved = true;                // the ledger has it as it is
        bool resend = false;              // reported, but the controller asked again
        std::uint64_t settled_after = 0;  // polls begun when the report was settled
    };
    // One of the two kinds of request.
    struct Line {
        Pace pace;
        TimePoint due{};
        std::optional<TimePoint> look;  // denied: when to look for other credentials
        std::uint64_t credentials = 0;  // which ones its last request had
        bool busy = false;
    };

    void take(const std::optional<Command>& command);
    void forget_settled(const std::optional<Command>& command);
    void repeated(Item& item);
    void begin_what_may(TimePoint now);
    void end_waiting(const Item& by, TimePoint now);
    void finish(Item& item, const Outcome& outcome, TimePoint now);
    bool save(Item& item, TimePoint now);
    void send_reports(TimePoint now);
    const Item* next_report() const;
    void settle(Item& item, EntryState state, TimePoint now);
    void pause(Line& line, Verdict verdict, std::string_view what, const Answer& answer, TimePoint now);
    void look_for_credentials(TimePoint now);
    bool are_there_others();

    const MachineOptions options_;
    Ledger& ledger_;
    Effects& effects_;
    std::map<Key, Item> entries_;
    Line poll_, report_;
    std::optional<Key> reporting_;
    std::uint64_t polls_ = 0;
    std::uint64_t credentials_ = 0;  // how often others were seen
    std::int64_t order_ = 0, done_order_ = 0;
    std::optional<TimePoint> save_again_;
    bool stopped_ = false;
};

}  // namespace drover::agent
