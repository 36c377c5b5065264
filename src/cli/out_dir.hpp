// `--out-dir`: the whole stdout and stderr of each phone in files of their own, DIR/ID.out and DIR/ID.err. `--artifacts`: those of
// each step of a job, DIR/ID/STEP/stdout and stderr; a file is there when there was something to put into it, and what an older run
// left there goes when the step begins or is skipped.
//
// Threads: on_output(), on_row() and on_done() on loop threads, where nothing touches the disk; one writer thread does. It passes
// each row on when the phone's output is in its files, and then calls `next`. Ownership: outlives the call that feeds it.
// Memory: kPhoneBytesMax a phone and kQueuedBytesMax for all, plus the rest of the packet that each phone is sending (up to 1 MiB);
// a phone past that waits for the disk.
// Failure: create() says what is wrong before anything is sent; a file that cannot be written later makes that phone's row
// output_not_written, and the rest of its output is read and dropped.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "drover/fleet.hpp"
#include "drover/job.hpp"

namespace drover::cli {

class OutDir final : public OutputSink, public StepSink, public RowSink {
public:
    static constexpr std::size_t kPhoneBytesMax = 512 * 1024;
    static constexpr std::size_t kQueuedBytesMax = 16 * 1024 * 1024;

    // How much of what is in the files of each target stays there; nullopt: all of it. Empty: nothing of any.
    using Kept = std::vector<std::optional<OutputLengths>>;
    // Makes the directory if need be, and the files of all `ids`: one per target, in target order.
    static Result<std::unique_ptr<OutDir>> create(const std::filesystem::path& dir, std::vector<std::string> ids,
                                                  const Kept& kept, RowSink& next);
    // What is in the directory is of an older run, or of this one: it is resumed.
    enum class Older : std::uint8_t { other_run, same_run };
    // steps: the directory of each step below that of the phone. Takes on_step_output() only.
    static Result<std::unique_ptr<OutDir>> create_by_step(const std::filesystem::path& dir,
                                                          std::vector<std::string> ids, std::vector<std::string> steps,
                                                          Older older, RowSink& next);
    ~OutDir();  // writes what is queued
    OutDir(const OutDir&) = delete;
    OutDir& operator=(const OutDir&) = delete;

    Flow on_output(std::size_t target, OutputStream stream, std::string_view bytes,
                   std::function<void()> resume) override;
    void on_step_begin(std::size_t target, std::size_t step) override;
    Flow on_step_output(std::size_t target, std::size_t step, OutputStream stream, std::string_view bytes,
                        std::function<void()> resume) override;
    void when_kept(std::size_t target, std::function<void()> then) override;
    std::optional<OutputLengths> lengths(std::size_t target) override;
    void on_row(Row row) override;
    void on_done() override;

private:
    using Pieces = std::vector<std::string>;  // as they came: one growing string would need twice its size
    struct Target {
        std::string id;
        std::map<std::size_t, Pieces> pending;  // by file: 2 * step, and one more for stderr
        std::set<std::size_t> cleared;          // files of steps that are no longer what an older run left
        std::set<std::size_t> begun;            // those that have a directory
        std::size_t pending_bytes = 0;
        OutputLengths lengths;  // of the files of a whole phone, with what is pending
        std::vector<std::function<void()>> resumes;
        std::vector<std::function<void()>> kept;  // wait until what is pending is written
        bool being_kept = false;                  // the writer has some of this in hand
        std::optional<Row> row;
        std::string error;   // why its files cannot be written
        bool ready = false;  // in ready_
    };
    OutDir(std::filesystem::path dir, std::vector<std::string> ids, RowSink& next);
    std::filesystem::path file(const std::string& id, std::size_t number) const;
    Flow add(std::size_t target, std::size_t number, std::string_view bytes, std::function<void()> resume);
    std::string put_file(Target& target, std::size_t number, const Pieces& pieces);
    void make_ready(std::size_t target);
    void begin_step_locked(Target& target, std::size_t step);
    void write_loop();
    void write_one(std::unique_lock<std::mutex>& lock, Target& target);

    const std::filesystem::path dir_;
    std::vector<std::string> steps_;  // empty: files of whole phones
    Older older_ = Older::other_run;
    RowSink& next_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::vector<Target> targets_;
    std::deque<std::size_t> ready_;
    std::size_t queued_bytes_ = 0;
    bool done_ = false;  // no more rows
    bool ending_ = false;
    std::thread writer_;
};

}  // namespace drover::cli
