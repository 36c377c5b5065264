#include "report/summary.hpp"

#include <fmt/format.h>

#include <array>

#include "base/counted.hpp"

namespace drover::report {
namespace {

// Earlier wins. 2 and 3 never come from rows of a call that began, but a row that says so is believed.
constexpr std::array kOrder{2, 3, 18, 22, 19, 20, 21, 10, 1};

}  // namespace

Tally::Tally() : counts_(all_codes().size(), 0) {}

void Tally::add(const Row& row) {
    ++counts_[static_cast<std::size_t>(row.code)];
    ++rows_;
}

int Tally::exit_code(const Ending& ending) const {
    if (ending.signal) return 128 + *ending.signal;
    for (const int candidate : kOrder) {
        for (const auto& code : all_codes()) {
            if (code.exit_code != candidate || count(code.code) == 0) continue;
            // When nobody reads the results any more, drover itself stops what still runs: no fault of host or phones.
            if (code.code == Code::interrupted && ending.results_lost) continue;
            return candidate;
        }
    }
    return ending.results_lost ? 1 : 0;
}

std::string human_ms(std::uint64_t ms) {
    if (ms < 1'000) return fmt::format("{} ms", ms);
    if (ms < 60'000) return fmt::format("{}.{} s", ms / 1'000, ms % 1'000 / 100);
    return fmt::format("{} m {:02} s", ms / 60'000, ms % 60'000 / 1'000);
}

std::string summary_line(const Summary& summary) {
    const auto& tally = summary.tally;
    auto text = fmt::format("{}: {} ok", counted(tally.rows(), "phone"), tally.ok());
    if (tally.failed() > 0) {
        text += fmt::format(", {} failed (", tally.failed());
        bool first = true;
        for (const auto& code : all_codes()) {
            const auto n = tally.count(code.code);
            if (code.code == Code::ok || n == 0) continue;
            text += fmt::format("{}{}: {}", first ? "" : ", ", code.name, n);
            first = false;
        }
        text += ')';
    }
    return text + " in " + human_ms(summary.ms);
}

}  // namespace drover::report
