#include "cli/out_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "base/assert.hpp"
#include "cli/terminal.hpp"

namespace drover::cli {
namespace {

constexpr OutputLengths kWhole{std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};

// Files are opened for each write: a thousand phones have more files than a process may hold open. A link in a file's place
// is refused, for the directory may be one that others can write to; a pipe in its place is not waited for.
int open_file(const std::filesystem::path& file, int flags) {
    return ::open(file.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0666);
}

std::string why_not(const std::filesystem::path& file) {
    return fmt::format("{}: {}", file.string(), std::strerror(errno));
}

std::string put(const std::filesystem::path& file, std::span<const std::string> pieces) {
    const int fd = open_file(file, O_APPEND);
    if (fd < 0) return why_not(file);
    std::string error;
    for (const auto& piece : pieces) {
        if (error.empty() && !write_all(fd, piece)) error = why_not(file);
    }
    if (::close(fd) != 0 && error.empty()) error = why_not(file);
    return error;
}

// Makes the file, or leaves so many bytes of it; `bytes`: how many there are then.
std::string cut(const std::filesystem::path& file, std::uint64_t& bytes) {
    const int fd = open_file(file, 0);
    if (fd < 0) return why_not(file);
    std::string error;
    struct stat now {};
    const bool known = ::fstat(fd, &now) == 0;
    // What is no regular file, /dev/null say, keeps nothing.
    const auto size = known && S_ISREG(now.st_mode) ? static_cast<std::uint64_t>(now.st_size) : 0;
    if (!known || (size > bytes && ::ftruncate(fd, static_cast<off_t>(bytes)) != 0)) error = why_not(file);
    bytes = std::min(bytes, size);
    ::close(fd);
    return error;
}

void tell_not_written(Row& row, const std::string& error) {
    if (row.ok()) {
        row.code = Code::output_not_written;
        row.error_msg = error;
    } else {
        row.error_msg += " (and its output could not be written: " + error + ")";
    }
}

}  // namespace

Result<std::unique_ptr<OutDir>> OutDir::create(const std::filesystem::path& dir, std::vector<std::string> ids,
                                               const Kept& kept, RowSink& next) {
    DROVER_ASSERT(kept.empty() || kept.size() == ids.size());
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return fail(Code::usage, fmt::format("--out-dir {}: {}", dir.string(), error.message()));
    std::unique_ptr<OutDir> made(new OutDir(dir, std::move(ids), next));
    for (std::size_t i = 0; i < made->targets_.size(); ++i) {
        auto& target = made->targets_[i];
        if (!kept.empty()) target.lengths = kept[i].value_or(kWhole);
        for (const std::size_t stream : {0, 1}) {
            auto& length = stream == 0 ? target.lengths.out : target.lengths.err;
            const auto problem = cut(made->file(target.id, stream), length);
            if (!problem.empty()) return fail(Code::usage, "--out-dir: " + problem);
        }
    }
    made->writer_ = std::thread([out = made.get()] { out->write_loop(); });
    return made;
}

Result<std::unique_ptr<OutDir>> OutDir::create_by_step(const std::filesystem::path& dir, std::vector<std::string> ids,
                                                       std::vector<std::string> steps, Older older, RowSink& next) {
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error) return fail(Code::usage, fmt::format("--artifacts {}: {}", dir.string(), error.message()));
    std::unique_ptr<OutDir> made(new OutDir(dir, std::move(ids), next));
    made->steps_ = std::move(steps);
    made->older_ = older;
    made->writer_ = std::thread([out = made.get()] { out->write_loop(); });
    return made;
}

OutDir::OutDir(std::filesystem::path dir, std::vector<std::string> ids, RowSink& next)
    : dir_(std::move(dir)), next_(next), targets_(ids.size()) {
    for (std::size_t i = 0; i < ids.size(); ++i) targets_[i].id = std::move(ids[i]);
}

OutDir::~OutDir() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        work_.notify_one();
    }
    if (writer_.joinable()) writer_.join();
}

std::filesystem::path OutDir::file(const std::string& id, std::size_t number) const {
    const bool out = number % 2 == 0;
    if (steps_.empty()) return dir_ / (id + (out ? ".out" : ".err"));
    return dir_ / id / steps_[number / 2] / (out ? "stdout" : "stderr");
}

// The first time, what an older run left is in the way; the directory is made when there is something to put into it.
std::string OutDir::put_file(Target& target, std::size_t number, const Pieces& pieces) {
    const auto path = file(target.id, number);
    if (steps_.empty()) return put(path, pieces);
    std::error_code error;
    const auto why = [&](const auto& what) { return fmt::format("{}: {}", what.string(), error.message()); };
    if (target.cleared.insert(number).second) std::filesystem::remove(path, error);
    // Where the place cannot be one, nothing is there.
    if (pieces.empty()) return error && error != std::errc::not_a_directory ? why(path) : std::string();
    if (target.begun.insert(number).second) {
        std::filesystem::create_directories(path.parent_path(), error);
        if (error) return why(path.parent_path());
    }
    return put(path, pieces);
}

// With the lock held.
void OutDir::make_ready(std::size_t target) {
    if (std::exchange(targets_[target].ready, true)) return;
    ready_.push_back(target);
    work_.notify_one();
}

OutputSink::Flow OutDir::on_output(std::size_t target, OutputStream stream, std::string_view bytes,
                                   std::function<void()> resume) {
    return add(target, stream == OutputStream::out ? 0 : 1, bytes, std::move(resume));
}

void OutDir::on_step_begin(std::size_t target, std::size_t step) {
    const std::lock_guard lock(mutex_);
    begin_step_locked(targets_[target], step);
    make_ready(target);
}

// Nothing is to be written yet: that is what put_file() is told.
void OutDir::begin_step_locked(Target& target, std::size_t step) {
    for (const std::size_t stream : {0, 1}) target.pending.try_emplace(2 * step + stream);
}

OutputSink::Flow OutDir::on_step_output(std::size_t target, std::size_t step, OutputStream stream,
                                        std::string_view bytes, std::function<void()> resume) {
    return add(target, 2 * step + (stream == OutputStream::out ? 0 : 1), bytes, std::move(resume));
}

OutputSink::Flow OutDir::add(std::size_t target, std::size_t number, std::string_view bytes,
                             std::function<void()> resume) {
    const std::lock_guard lock(mutex_);
    auto& t = targets_[target];
    if (!t.error.empty()) return Flow::go_on;
    if (steps_.empty()) (number == 0 ? t.lengths.out : t.lengths.err) += bytes.size();
    t.pending[number].emplace_back(bytes);
    t.pending_bytes += bytes.size();
    queued_bytes_ += bytes.size();
    make_ready(target);
    if (t.pending_bytes < kPhoneBytesMax && queued_bytes_ < kQueuedBytesMax) return Flow::go_on;
    t.resumes.push_back(std::move(resume));
    return Flow::later;
}

void OutDir::when_kept(std::size_t target, std::function<void()> then) {
    {
        const std::lock_guard lock(mutex_);
        auto& t = targets_[target];
        if (t.pending_bytes > 0 || !t.kept.empty() || t.being_kept) {
            t.kept.push_back(std::move(then));
            return make_ready(target);
        }
    }
    then();
}

std::optional<OutputLengths> OutDir::lengths(std::size_t target) {
    const std::lock_guard lock(mutex_);
    return targets_[target].lengths;
}

void OutDir::on_row(Row row) {
    const std::lock_guard lock(mutex_);
    const auto target = row.index;
    // A phone that never came to its first step did none of them.
    for (std::size_t i = 0; row.steps.empty() && older_ == Older::other_run && i < steps_.size(); ++i)
        begin_step_locked(targets_[target], i);
    targets_[target].row = std::move(row);
    make_ready(target);
}

void OutDir::on_done() {
    const std::lock_guard lock(mutex_);
    done_ = true;
    work_.notify_one();
}

void OutDir::write_loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        work_.wait(lock, [this] { return !ready_.empty() || done_ || ending_; });
        if (ready_.empty()) break;
        auto& target = targets_[ready_.front()];
        ready_.pop_front();
        target.ready = false;
        write_one(lock, target);
    }
    const bool done = done_;
    lock.unlock();
    if (done) next_.on_done();
}

void OutDir::write_one(std::unique_lock<std::mutex>& lock, Target& target) {
    auto pending = std::exchange(target.pending, {});
    const auto bytes = std::exchange(target.pending_bytes, 0);
    auto resumes = std::exchange(target.resumes, {});
    const auto kept = std::exchange(target.kept, {});
    target.being_kept = bytes > 0 || !kept.empty();
    auto row = std::exchange(target.row, {});
    auto error = target.error;
    lock.unlock();
    for (const auto& [number, pieces] : pending) {
        if (error.empty()) error = put_file(target, number, pieces);
    }
    pending = {};
    lock.lock();
    queued_bytes_ -= bytes;
    target.error = error;
    lock.unlock();
    for (const auto& resume : resumes) resume();
    for (const auto& then : kept) then();
    if (row) {
        if (!error.empty()) tell_not_written(*row, error);
        next_.on_row(std::move(*row));
    }
    lock.lock();
    target.being_kept = false;
}

}  // namespace drover::cli
