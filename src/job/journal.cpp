#include "job/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "base/ascii.hpp"
#include "base/quiet_thread.hpp"
#include "base/yaml_tree.hpp"
#include "job/journal_lines.hpp"
#include "job/model.hpp"

namespace drover::job {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivate = 0600;  // outputs of phones are nobody else's business

std::string system_text() { return std::strerror(errno); }

// Old runs make room; one that is at work is locked, and stays.
void remove_old(const fs::path& dir) {
    std::vector<std::pair<fs::file_time_type, fs::path>> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error)) {
        if (entry.path().extension() == ".jsonl") files.emplace_back(entry.last_write_time(error), entry.path());
    }
    if (files.size() < Journal::kRunsKept) return;
    std::sort(files.begin(), files.end());
    files.resize(files.size() - Journal::kRunsKept + 1);
    for (const auto& [time, path] : files) {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        if (::flock(fd, LOCK_EX | LOCK_NB) == 0) fs::remove(path, error);
        ::close(fd);
    }
}

// A run that was killed while it began a program of this host has a child that still shares its lock, for a moment: from its fork to
// its exec.
bool lock_soon(int fd) {
    constexpr std::chrono::milliseconds kStep{10};
    constexpr int kSteps = 200;
    for (int step = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++step) {
        if (errno != EWOULDBLOCK || step == kSteps) return false;
        std::this_thread::sleep_for(kStep);
    }
    return true;
}

bool valid_id(const std::string& id) {
    constexpr std::size_t kIdMax = 64;
    return !id.empty() && id.size() <= kIdMax &&
           std::all_of(id.begin(), id.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

// Locked: nobody is at work at it, and nobody will be.
Result<int> open_ended(const fs::path& dir, const std::string& id) {
    if (!valid_id(id)) return fail(Code::usage, fmt::format("'{}' is no run", id.substr(0, 64)));
    const int fd = ::open((dir / (id + ".jsonl")).c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd < 0) return fail(Code::usage, fmt::format("there is no run '{}' in {}", id, dir.string()));
    if (lock_soon(fd)) return fd;
    ::close(fd);
    return fail(Code::usage, fmt::format("run '{}' is still at work", id));
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

Journal::Journal(int fd, fs::path path)
    : fd_(fd), path_(std::move(path)), writer_(quiet_thread([this] { write_loop(); })) {}

void Journal::close() {
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(ending_, true)) return;
        work_.notify_one();
    }
    writer_.join();
    ::close(fd_);
}

Result<std::unique_ptr<Journal>> Journal::create(const fs::path& dir, const RunHead& head) {
    std::error_code error;
    fs::create_directories(dir, error);
    if (error) return fail(Code::store_failed, fmt::format("{}: {}", dir.string(), error.message()));
    remove_old(dir);
    const auto path = dir / (head.id + ".jsonl");
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate);
    if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        auto why = fail(Code::store_failed, fmt::format("{}: {}", path.string(), system_text()));
        if (fd >= 0) ::close(fd);
        return why;
    }
    // What the run is comes to the disk before anything runs: a journal without it is none.
    if (!write_all(fd, head_line(head)) || ::fdatasync(fd) != 0) {
        auto why = fail(Code::store_failed, fmt::format("{}: {}", path.string(), system_text()));
        ::close(fd);
        fs::remove(path, error);
        return why;
    }
    return std::unique_ptr<Journal>(new Journal(fd, path));
}

Result<Past> Journal::read(const fs::path& dir, const std::string& id) {
    if (!valid_id(id)) return fail(Code::usage, fmt::format("'{}' is no run", id.substr(0, 64)));
    const auto path = dir / (id + ".jsonl");
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error) return fail(Code::usage, fmt::format("there is no run '{}' in {}", id, dir.string()));
    if (size > kBytesMax) return fail(Code::usage, fmt::format("{}: larger than {} bytes", path.string(), kBytesMax));
    std::ifstream in(path, std::ios::binary);
    Past past;
    std::string line;
    while (std::getline(in, line)) {
        // The last one may have been cut off when drover was killed: what it said has not happened.
        if (in.eof() || !take_line(line, past)) continue;
    }
    if (past.head.id != id)
        return fail(Code::usage,
                    fmt::format("{}: says nothing of run '{}': drover was killed before the run began, or its "
                                "disk failed and it said so; run the job anew",
                                path.string(), id));
    return past;
}

Result<Past> Journal::read_ended(const fs::path& dir, const std::string& id) {
    const auto fd = open_ended(dir, id);
    if (!fd) return tl::unexpected(fd.error());
    auto past = read(dir, id);
    ::close(*fd);
    return past;
}

Result<Journal::Reopened> Journal::reopen(const fs::path& dir, const std::string& id) {
    const auto fd = open_ended(dir, id);
    if (!fd) return tl::unexpected(fd.error());
    auto past = read(dir, id);
    if (!past) {
        ::close(*fd);
        return tl::unexpected(past.error());
    }
    std::unique_ptr<Journal> journal(new Journal(*fd, dir / (id + ".jsonl")));
    journal->add("\n");  // ends a line that was cut off
    return Reopened{std::move(journal), *std::move(past)};
}

void Journal::begin(std::size_t phone, std::size_t step, std::function<void()> noted) {
    add(begin_line(phone, step), std::move(noted));
}
void Journal::end(std::size_t phone, std::size_t step, const EndedStep& ended) { add(end_line(phone, step, ended)); }
void Journal::out_dir(const std::string& dir) { add(out_dir_line(dir)); }
void Journal::artifacts(const std::string& dir) { add(artifacts_line(dir)); }
void Journal::row(std::size_t phone, const Row& row) { add(row_line(phone, row)); }

void Journal::on_failure(std::function<void(const std::string& why)> tell) {
    std::unique_lock lock(mutex_);
    if (failed_.empty()) {
        tell_failure_ = std::move(tell);
        return;
    }
    const auto why = failed_;
    lock.unlock();
    tell(why);
}

void Journal::add(std::string line, std::function<void()> noted) {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    waiting_ += line;
    if (noted) waiting_noted_.push_back(std::move(noted));
    work_.notify_one();
}

void Journal::write_loop() {
    std::unique_lock lock(mutex_);
    while (true) {
        work_.wait(lock, [this] { return !waiting_.empty() || ending_; });
        if (waiting_.empty()) return;
        const auto lines = std::exchange(waiting_, {});
        const auto noted = std::exchange(waiting_noted_, {});
        const bool dead = !failed_.empty();
        lock.unlock();
        if (!dead && (!write_all(fd_, lines) || ::fdatasync(fd_) != 0)) fail_with(system_text());
        for (const auto& call : noted) call();
        lock.lock();
    }
}

// Steps that nobody noted are about to run: no later run may take this file for the truth.
std::string Journal::make_useless() {
    if (::ftruncate(fd_, 0) == 0 && ::fsync(fd_) == 0) return {};
    if (::unlink(path_.c_str()) == 0) return {};
    return fmt::format("; remove {} and do not resume it: {}", path_.string(), system_text());
}

void Journal::fail_with(std::string why) {
    why += make_useless();
    std::function<void(const std::string&)> tell;
    {
        const std::lock_guard lock(mutex_);
        failed_ = why;
        tell = std::exchange(tell_failure_, {});
    }
    if (tell) tell(why);
}

Result<std::string> fingerprint_of(const std::string& file, const std::vector<std::string>& used_files) {
    std::vector<std::string> files{file};
    files.insert(files.end(), used_files.begin(), used_files.end());
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
    for (const auto& name : files) {
        const auto text = yaml::read_text(yaml::Source{name, Code::bad_job, kJobBytesMax});
        if (!text) return tl::unexpected(text.error());
        const std::uint64_t size = text->size();
        EVP_DigestUpdate(hash.get(), &size, sizeof size);
        EVP_DigestUpdate(hash.get(), text->data(), text->size());
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(hash.get(), bytes.data(), &length);
    std::string out;
    for (unsigned int i = 0; i < length; ++i) out += fmt::format("{:02x}", bytes[i]);
    return out;
}

}  // namespace drover::job
