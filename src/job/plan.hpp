// From a job to what is done on each phone: every step of every combination, in order. Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "drover/instance.hpp"
#include "job/model.hpp"

namespace drover::job {

struct PlannedStep {
    const Step* step = nullptr;   // the model's
    std::size_t combination = 0;  // of strategy.matrix
    bool finally = false;
};

constexpr std::size_t kPlannedStepsMax = 4'000;

// For each combination the steps, then those of `finally`. The model outlives it.
std::vector<PlannedStep> planned_steps(const Model& job);
std::string combination_text(const Model& job, std::size_t combination);  // "abi=arm64, n=1"; empty without a matrix
std::span<const std::string> combination_values(const Model& job, std::size_t combination);

// The exact command of a step, or what it does instead of one; what is known only while the job runs stays as it is written.
std::string describe(const Step& step, const Scope& scope);

// Whether every step that keeps files says where, or the run has an artifacts directory. Code::bad_job with the place.
Result<void> check_places(const Model& job, bool artifacts);

// Whether the files of this host are there that steps need, up to the first that may make some. Blocks. Code::bad_job with the place.
Result<void> check_sources(const Model& job);

// Whether every phone has every fact that steps without a condition use, and the job is not too long. Code::bad_job:
// "FILE: no value for {{ labels.rack }} on 3 of 5 phones: r1-[01-03]".
Result<void> check_facts(const Model& job, std::span<const Instance* const> phones);

}  // namespace drover::job
