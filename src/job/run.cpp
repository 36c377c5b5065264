// drover::run: a job on many phones.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "dispatch/dispatcher.hpp"
#include "dispatch/fleet_impl.hpp"
#include "dispatch/refused_work.hpp"
#include "drover/job.hpp"
#include "job/plan.hpp"
#include "job/staged_call.hpp"
#include "job/work.hpp"

namespace drover {
namespace {

// The smaller one that is not 0, which means all.
std::size_t narrower(std::size_t a, std::size_t b) {
    if (a == 0 || b == 0) return std::max(a, b);
    return std::min(a, b);
}

job::OnceResult once_result(const job::EndedStep& ended) {
    const auto& result = ended.result;
    job::OnceResult out{{result.code, result.error_msg, result.exit_code, Phase::done, true}, {}};
    std::size_t begin = 0;
    for (const auto& run : ended.part.runs) {
        out.output.push_back({run.stream, ended.part.execute_msg.substr(begin, run.end - begin)});
        begin = run.end;
    }
    return out;
}

// Steps that ran once for all phones did so in the run that is taken up.
void restore_once(job::RunShared& run) {
    if (!run.past || !run.host) return;
    for (std::size_t i = 0; i < run.plan.size(); ++i) {
        if (!run.plan[i].step->action->runs_once()) continue;
        std::optional<job::OnceResult> known;
        for (const auto& phone : run.past->phones) {
            const auto ended = phone.ended.find(i);
            // A phone may have given up by itself: what the others say is what came of it.
            if (ended != phone.ended.end() && (!known || known->outcome.code != Code::ok))
                known = once_result(ended->second);
        }
        const bool begun = std::any_of(run.past->phones.begin(), run.past->phones.end(),
                                       [&](const job::PastPhone& phone) { return phone.begun.contains(i); });
        if (!known && begun && !run.plan[i].step->idempotent) known = job::OnceResult{job::interrupted_step(), {}};
        if (known) run.host->once().settle(i, *std::move(known));
    }
}

Result<std::shared_ptr<job::RunShared>> prepare(Fleet& fleet, const Job& job,
                                                const std::vector<const Instance*>& phones, const RunOptions& options) {
    if (const auto facts = job::check_facts(job.model(), phones); !facts) return tl::unexpected(facts.error());
    if (job.model().strategy.sync_steps && options.max_parallel > 0) {
        return fail(Code::bad_job,
                    fmt::format("{}: strategy.sync: all phones go step by step together, so there can be no "
                                "--max-parallel",
                                job.model().file));
    }
    const auto& artifacts = options.artifacts_dir.empty() ? job.model().artifacts : options.artifacts_dir;
    auto secrets = job::Secrets::load(job.model().secrets);
    if (!secrets) return fail(Code::bad_job, fmt::format("{}: {}", job.model().file, secrets.error().message));
    if (const auto places = job::check_places(job.model(), !artifacts.empty()); !places)
        return tl::unexpected(places.error());
    if (const auto sources = job::check_sources(job.model()); !sources) return tl::unexpected(sources.error());
    auto shared = std::make_shared<job::RunShared>(job);
    shared->run_id = options.run_id;
    shared->timeout = options.timeout ? options.timeout : job.model().timeout;
    shared->limits = options.limits;
    shared->output = options.output;
    shared->artifacts = options.artifacts;
    shared->secrets = *std::move(secrets);
    const auto& plan = shared->plan;
    if (std::any_of(plan.begin(), plan.end(), [](const auto& p) { return p.step->action->needs_host(); }))
        shared->host = std::make_unique<job::HostRunner>();
    if (std::any_of(plan.begin(), plan.end(), [](const auto& p) { return p.step->action->needs_files(); })) {
        FleetGround& ground = *fleet.impl().ground;
        shared->files.emplace(job::FileGround{
            ground.disk(), ground.turns(), job.model().strategy.transfers.value_or(ground.options().transfers),
            std::make_shared<transfer::FileDigests>(), artifacts, job.step_directories()});
    }
    shared->journal = options.journal;
    shared->past = options.past;
    shared->numbers = options.numbers;
    shared->positions = options.positions;
    restore_once(*shared);
    return shared;
}

// What the run that is taken up says of its phones; those that are done are no longer among the targets.
void take_up(const job::RunShared& run, std::span<const job::Share> serial, job::StagedCall::Plan& plan) {
    const auto& known = run.past->phones;
    plan.phones = known.size();
    std::vector<std::size_t> batch_of;
    for (const auto size : job::batch_sizes(known.size(), serial))
        batch_of.insert(batch_of.end(), size, batch_of.empty() ? 0 : batch_of.back() + 1);
    std::optional<std::size_t> batch;
    for (const auto number : run.numbers) {
        if (batch != batch_of.at(number)) plan.batches.push_back(0);
        batch = batch_of[number];
        ++plan.batches.back();
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
        const auto& row = known[i].row;
        const bool was_at_it = row || !known[i].ended.empty() || !known[i].begun.empty();
        if (was_at_it && batch_of[i] == batch_of.at(run.numbers.front())) plan.batch_begun = true;
        if (!row || row->ok()) continue;
        ++(job::is_lost(*row) ? plan.lost : plan.failed);
        if (plan.strategy.fail_fast && !plan.fails_fast) plan.fails_fast = job::failed_fast(run.past->head.phones[i]);
    }
}

job::StagedCall::Plan staged(const job::RunShared& run, const std::vector<const Instance*>& phones) {
    job::StagedCall::Plan plan;
    for (const auto* phone : phones) plan.ids.push_back(phone->id);
    plan.strategy = run.job.model().strategy;
    const auto serial = plan.strategy.rollout ? plan.strategy.rollout->serial : std::vector<job::Share>();
    if (run.past) {
        take_up(run, serial, plan);
    } else {
        plan.batches = job::batch_sizes(phones.size(), serial);
    }
    return plan;
}

}  // namespace

std::unique_ptr<Call> run(Fleet& fleet, const Job& job, const std::vector<std::size_t>& targets,
                          const RunOptions& options, RowSink& sink) {
    dispatch::Request request;
    request.targets = fleet.impl().phones_of(targets);
    request.deadline = options.deadline;
    std::vector<const Instance*> phones;
    for (const std::size_t target : targets) phones.push_back(&fleet.instances().at(target));
    const auto shared = prepare(fleet, job, phones, options);
    if (!shared) {
        // A job that cannot be made into commands for every target is run on none: each gets the reason.
        request.make_work = [why = shared.error()](std::size_t, fleet::Phone&) {
            return std::make_unique<dispatch::RefusedWork>(why);
        };
        return dispatch::dispatch(std::move(request), sink);
    }
    const auto& strategy = job.model().strategy;
    request.max_parallel = narrower(options.max_parallel, strategy.max_parallel);
    auto make = [run = *shared, request](std::size_t first, std::size_t count) mutable {
        dispatch::Request batch = request;
        const auto begin = request.targets.begin() + static_cast<std::ptrdiff_t>(first);
        batch.targets.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
        if (run->job.model().strategy.sync_steps) run->barrier = std::make_unique<job::Barrier>(count);
        batch.make_work = [run, first](std::size_t target, fleet::Phone&) {
            return std::make_unique<job::JobWork>(run, first + target);
        };
        return batch;
    };
    if (!strategy.rollout && !strategy.fail_fast) return dispatch::dispatch(make(0, targets.size()), sink);
    auto plan = staged(**shared, phones);
    if (plan.fails_fast) (*shared)->failure.set(*plan.fails_fast);
    plan.deadline = options.deadline;
    return std::make_unique<job::StagedCall>(std::move(plan), std::move(make), sink);
}

}  // namespace drover
