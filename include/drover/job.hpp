// Job files: YAML that says which steps run on which phones.
//
// Threads: a Job is immutable once loaded; any thread. Failure: load() collects every mistake of the file, each as
// "FILE:LINE:COLUMN: what, and what to write instead"; nothing has been sent to any phone.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drover/fleet.hpp"

namespace drover {

namespace job {
struct Model;
class Journal;
struct Past;
}  // namespace job

class Job {
public:
    static tl::expected<Job, std::vector<Error>> load(const std::filesystem::path& file);
    static tl::expected<Job, std::vector<Error>> parse(std::string_view text, std::string_view file_name);

    const std::string& name() const;
    const std::optional<std::string>& on() const;  // the selector, if the file has one
    const job::Model& model() const { return *model_; }
    // A directory name for each step of a run, in the order of StepSink's numbers: "03-install-app".
    std::vector<std::string> step_directories() const;
    // How long the steps of `finally` may take together, when the run is told to stop.
    std::chrono::milliseconds finally_limit(const Limits& limits) const;

private:
    explicit Job(std::shared_ptr<const job::Model> model) : model_(std::move(model)) {}
    std::shared_ptr<const job::Model> model_;
};

// Sees every output byte, step by step. As OutputSink; `step` counts all steps of the run, those of `finally` and of every
// combination of the matrix too.
class StepSink {
public:
    // The step begins, or is skipped: what an older run left of it is no longer true. Not for steps that a resumed run has
    // from before.
    virtual void on_step_begin(std::size_t /*target*/, std::size_t /*step*/) {}
    virtual OutputSink::Flow on_step_output(std::size_t target, std::size_t step, OutputStream stream,
                                            std::string_view bytes, std::function<void()> resume) = 0;
    // As OutputSink's.
    virtual void when_kept(std::size_t /*target*/, std::function<void()> then) { then(); }

protected:
    ~StepSink() = default;
};

// How long a phone may take. The job has one limit for each phone, from leaving the queue to its row, connecting included:
// RunOptions::timeout, else the file's `timeout`. A step's own `timeout` bounds that step besides. With neither limit of the
// job, a step without a timeout has limits.total, and so the phone has the sum over its steps. Steps of `finally` are bounded by
// themselves alone.
struct RunOptions {
    std::optional<std::chrono::milliseconds> timeout;  // of all steps together, on each phone
    Limits limits;                                     // of each step; max_output_bytes for the whole row
    std::size_t max_parallel = 0;
    std::optional<std::chrono::milliseconds> deadline;
    OutputSink* output = nullptr;
    StepSink* artifacts = nullptr;
    // Where steps keep files that they get from phones: DIR/INSTANCE/STEP, see step_directories(). Empty: as the
    // job says, or nowhere.
    std::filesystem::path artifacts_dir;
    std::string run_id;  // what run.id stands for
    // Where the run is noted, and what an older part of it noted; `numbers`: what the targets are called there.
    std::shared_ptr<job::Journal> journal;
    std::shared_ptr<const job::Past> past;
    std::vector<std::size_t> numbers;
    std::vector<std::size_t> positions;  // what the sinks of output call the targets; empty: 0, 1, 2
};

// Runs the job's steps on each target; phones go through the steps independently. One row per target.
std::unique_ptr<Call> run(Fleet& fleet, const Job& job, const std::vector<std::size_t>& targets,
                          const RunOptions& options, RowSink& sink);

}  // namespace drover
