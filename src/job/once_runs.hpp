// Programs of this host that run once for all phones: host-run with `once`. The first phone that comes to an attempt begins it, all
// get its outcome and the beginning of its output. It ends early only when no phone waits for it any longer.
//
// Threads: any; `told` is called by any thread, maybe from inside join(). Ownership: its HostRunner's. Failure: as HostRunner.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "job/action.hpp"
#include "job/step_output.hpp"

namespace drover::job {

class HostListener;
class HostProgram;
class HostRunner;
struct HostCommand;

struct OnceResult {
    struct Piece {
        OutputStream stream;
        std::string bytes;
    };
    Outcome outcome;
    std::vector<Piece> output;  // the first kRegisterBytesMax of each stream
};

class OnceRuns {
public:
    using Told = std::function<void(const OnceResult&)>;

    explicit OnceRuns(HostRunner& runner) : runner_(runner) {}

    // attempt: of this phone, from 1. True: the caller says start(). `told` comes in both cases, unless it leaves.
    bool join(std::size_t step, std::size_t attempt, std::size_t phone, Told told);
    // live: gets all output as it comes, but no end.
    void start(std::size_t step, std::size_t attempt, HostCommand command, std::shared_ptr<HostListener> live);
    // True: it is out, others wait on. False: it was the last one; the program is ended, and `told` comes then.
    bool leave(std::size_t step, std::size_t phone, const Error& why);

    // What came of it in the run that is taken up: no attempt begins any more.
    void settle(std::size_t step, OnceResult result);
    bool settled(std::size_t step) const;

private:
    class Listener;
    struct Entry {
        std::size_t attempt = 0;  // the newest
        bool running = false;
        OnceResult result;  // of that attempt
        std::array<std::size_t, 2> kept_bytes{};
        std::map<std::size_t, Told> waiting;  // by phone
        std::shared_ptr<HostProgram> program;
        std::optional<Error> given_up;  // by all phones
    };
    void keep(std::size_t step, OutputStream stream, std::string_view bytes);
    void end(std::size_t step, const Result<int>& exit);

    HostRunner& runner_;
    mutable std::mutex mutex_;
    std::map<std::size_t, Entry> entries_;
};

// What a program's end means for its step.
Outcome outcome_of_exit(const Result<int>& exit);
Outcome given_up(Outcome outcome, const Error& why);

}  // namespace drover::job
