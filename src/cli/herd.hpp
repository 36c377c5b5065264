// The phones that a subcommand works on: a fleet of this process, or that of a running `drover serve`. Both give the same rows.
//
// Main thread; sinks are called on threads of the herd. Ownership: calls and watches are gone before their herd. Failure:
// Result for what is wrong before anything was sent; after that, a row per target, whatever becomes of the server.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/fleet_choice.hpp"
#include "cli/server_client.hpp"
#include "drover/fleet.hpp"
#include "drover/job.hpp"

namespace drover::cli {

class Herd {
public:
    using Targets = std::vector<std::size_t>;  // what select() gave
    virtual ~Herd() = default;

    // Where the selector asks for a state, phones have so long to connect.
    virtual Result<Selection> select(std::string_view selector,
                                     std::chrono::milliseconds connect = Limits{}.connect) = 0;
    // Phones for one run: `count` of those that the selector names, which run and which no other run holds; 0: all of them, as
    // they are. Waits for so many; asks `stopped` now and then whether that shall end. What run() is given next is held for it,
    // where the phones are a server's; here nobody holds phones. Failure: Code::too_few, Code::not_granted, Code::interrupted.
    struct Choice {
        std::size_t count = 0;
        std::chrono::milliseconds wait{0};
        std::string job;  // for people who meet the hold
    };
    virtual Result<Selection> choose(std::string_view selector, const Choice& choice,
                                     const std::function<bool()>& stopped) = 0;
    // For what a server is asked from now on; here nothing is asked. Not with choose(): the phones would be held for nobody.
    virtual void set_patience(const Patience&) {}
    virtual Fleet* fleet() = 0;  // null: the phones are a server's
    virtual const std::string& id_of(std::size_t target) const = 0;
    // See Fleet.
    virtual Result<std::vector<PhoneInfo>> probe(const Targets& targets, std::chrono::milliseconds connect) = 0;
    // Phones that a run holds for itself, which only a server knows of, get a row that says so unless the command shares.
    enum class Held : std::uint8_t { refused, shared };
    virtual std::unique_ptr<Call> exec(const Targets& targets, ExecOptions options, Held held, RowSink& sink) = 0;
    // text: of the job's file, for a herd that is elsewhere.
    virtual std::unique_ptr<Call> run(const Job& job, const std::string& text, const Targets& targets,
                                      const RunOptions& options, RowSink& sink) = 0;
    // What is known of each target, the state of now last.
    enum class Look : std::uint8_t { now, history };
    virtual Result<std::vector<std::vector<PhoneStatus>>> states(const Targets& targets, Look look) = 0;
    // on_lost: no more states will come; from any thread, at most once.
    virtual std::unique_ptr<Watch> watch(const Targets& targets, StatusSink& sink,
                                         std::function<void(const Error&)> on_lost) = 0;

    // `changed` is called (from any thread, maybe often) when there may be other phones than this herd has; renew() then takes them
    // in. What select() gave before is void with it, and calls and watches must be gone. Called before the first select(), so
    // that nothing is missed. False: no more come by themselves, though somebody may write down others for a server.
    virtual bool on_discovery(std::function<void()>) { return false; }
    virtual Result<void> renew() { return {}; }

    std::vector<std::string> ids_of(const Targets& targets) const;
};

// --server, else DROVER_SERVER, else direct where --inventory, --config or DROVER_INVENTORY is given, else the socket of a running
// `drover serve`, else direct. -v says which and why. The opening is of phones that are reached directly.
Result<std::unique_ptr<Herd>> open_herd(const Context& context, Opening opening = {});

std::string wanted_text(std::size_t count);
// Whether so many phones can ever be had. That none matches is somebody else's to say.
Result<void> check_count(const Selection& selection, std::size_t count);

// What is wrong with a herd that is elsewhere, for what works only on a fleet of this process.
Error direct_only(std::string_view what);

// The targets of `selector`. An id that no phone has is most often a slip of the pen: Code::nothing_matched, unless it is
// allowed; then stderr names it. Says on stderr how many disabled phones were left out.
enum class UnknownIds : std::uint8_t { refused, told };
Result<std::vector<std::size_t>> select_targets(Herd& herd, std::string_view selector,
                                                UnknownIds unknown = UnknownIds::refused);
// The same of what was selected elsewhere.
Result<std::vector<std::size_t>> checked_targets(Result<Selection> selection, UnknownIds unknown);

}  // namespace drover::cli
