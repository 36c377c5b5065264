// The journal of a run: what was begun and what ended on each phone, in a file, so that a run that was killed can be taken up
// again without doing anything twice.
//
//   STATE/runs/ID.jsonl   one JSON object a line: what the run is; then, as it goes, steps begun, steps ended, rows
//
// Threads: Journal from any thread; a thread of its own writes what came together with one fdatasync. Ownership: whoever opened it;
// the file is locked as long. Failure: opening says what is wrong; a disk that fails later ends the journal, not the run: its file
// is emptied first, for what stops in the middle would make a resumed run do things twice; then this is told, and whoever waits
// for a note goes on, here and later.
#pragma once
#include <condition_variable>
#include <cstdint>
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
#include "drover/row.hpp"
#include "job/scope.hpp"

namespace drover::job {

// What a run is. Phones are numbered as `phones` lists them, steps as the plan does.
struct RunHead {
    std::string id;
    std::string file;         // the job's, absolute
    std::string fingerprint;  // of the job's file and those it uses
    std::vector<std::string> phones;
};

// A step that has ended, with its part of the row's text.
struct EndedStep {
    StepResult result;
    Row part;                      // execute_msg, runs, truncated
    std::optional<Output> output;  // what `register` kept
    bool opened = false;
    std::optional<OutputLengths> lengths;  // of the phone's files in Past::out_dir then
};

// What a journal tells of one phone.
// Where a mistake of the job or the call kept something from being tried, it has not happened: it may be corrected.
struct PastPhone {
    std::optional<Row> row;
    std::map<std::size_t, EndedStep> ended;
    std::set<std::size_t> begun;  // and not ended
    OutputLengths lengths;        // with the output of what has ended
};

struct Past {
    RunHead head;
    std::string out_dir;    // where the whole output of the phones goes; empty: nowhere
    std::string artifacts;  // where the files of steps go; empty: nowhere, or an older drover did not say
    std::vector<PastPhone> phones;
};

class Journal {
public:
    static constexpr std::size_t kRunsKept = 100;
    static constexpr std::size_t kBytesMax = std::size_t{1} << 30;  // of a journal that is read

    static Result<std::unique_ptr<Journal>> create(const std::filesystem::path& dir, const RunHead& head);
    struct Reopened;
    static Result<Reopened> reopen(const std::filesystem::path& dir, const std::string& id);
    // Of a run that has ended, without taking it up.
    static Result<Past> read_ended(const std::filesystem::path& dir, const std::string& id);
    // Also while it is at work.
    static Result<Past> read(const std::filesystem::path& dir, const std::string& id);
    ~Journal() { close(); }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // `noted` comes when it is on disk, on the journal's thread.
    void begin(std::size_t phone, std::size_t step, std::function<void()> noted);
    void end(std::size_t phone, std::size_t step, const EndedStep& ended);
    void row(std::size_t phone, const Row& row);
    // From now on. Files elsewhere are none of this run.
    void out_dir(const std::string& dir);
    // From now on; what older steps kept stays where it is.
    void artifacts(const std::string& dir);
    // Why the disk failed, once: at once if it has, else on the journal's thread, before anybody's `noted`. Call it once.
    void on_failure(std::function<void(const std::string& why)> tell);
    // Writes what waits, and calls nobody afterwards; what is added later is dropped. Not from `noted`.
    void close();

private:
    Journal(int fd, std::filesystem::path path);
    void add(std::string line, std::function<void()> noted = {});
    void write_loop();
    std::string make_useless();
    void fail_with(std::string why);

    const int fd_;
    const std::filesystem::path path_;
    mutable std::mutex mutex_;
    std::condition_variable work_;
    std::string waiting_;
    std::vector<std::function<void()>> waiting_noted_;
    std::string failed_;
    std::function<void(const std::string&)> tell_failure_;
    bool ending_ = false;
    std::thread writer_;
};

struct Journal::Reopened {
    std::unique_ptr<Journal> journal;
    Past past;
};

// A hash of the texts of all files; Code::bad_job when one cannot be read.
Result<std::string> fingerprint_of(const std::string& file, const std::vector<std::string>& used_files);

}  // namespace drover::job
