// What a whole call came to: counts by code, and the exit code of the process. Pure; any thread; values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drover/row.hpp"

namespace drover::report {

// How a call ended apart from its rows.
struct Ending {
    std::optional<int> signal;  // the signal that told this process to stop
    bool results_lost = false;  // stdout could not take the results: closed, or a full disk
};

class Tally {
public:
    Tally();
    void add(const Row& row);

    std::size_t rows() const { return rows_; }
    std::size_t ok() const { return count(Code::ok); }
    std::size_t failed() const { return rows_ - ok(); }
    std::size_t count(Code code) const { return counts_[static_cast<std::size_t>(code)]; }

    // The table of exit codes, first match wins:
    //   128 + signal  this process was told to stop (130 SIGINT, 143 SIGTERM, 129 SIGHUP)
    //   22            a phone was held by another run
    //   19            a phone's work was cancelled by someone else
    //   20            a row failed for class link, host or infra, or its phone was absent or unauthorized
    //   21            a row hit a deadline
    //   10            a command or step failed on some phone
    //   1             anything else, results that could not be delivered among it
    //   0             all ok
    int exit_code(const Ending& ending) const;

private:
    std::vector<std::size_t> counts_;  // by Code
    std::size_t rows_ = 0;
};

struct Summary {
    Tally tally;
    int exit_code = 0;
    std::uint64_t ms = 0;  // of the whole call
};

// "20 phones: 18 ok, 2 failed (CPS.0191: 2) in 1.2 s"
std::string summary_line(const Summary& summary);
// "1.2 s", "350 ms", "2 m 05 s"
std::string human_ms(std::uint64_t ms);

}  // namespace drover::report
