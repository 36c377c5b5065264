#include "agent/task_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "http/answer.hpp"
#include "report/printable.hpp"

namespace drover::agent {
namespace {

tl::unexpected<Error> failed(const std::filesystem::path& file) {
    return fail(Code::output_not_written, fmt::format("{}: {}", file.string(), std::strerror(errno)));
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool copy(int from, int to) {
    std::array<char, 64 * 1024> buffer;
    while (true) {
        const auto n = ::read(from, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) return true;
        if (!write_all(to, {buffer.data(), static_cast<std::size_t>(n)})) return false;
    }
}

}  // namespace

void TaskLog::note(const std::string& task_id, std::string_view text) {
    append(task_id, fmt::format("{} {}\n", http::utc_text(std::chrono::system_clock::now()), text));
}

void TaskLog::add(const std::string& task_id, const Row& row) {
    auto lines = fmt::format("{}: {}\n", row.instance_id,
                             row.ok() ? "ok" : fmt::format("{} {}", info(row.code).name, row.error_msg));
    auto said = report::printable(row.execute_msg, report::Layout::keep);
    if (!said.empty() && !said.ends_with('\n')) said += '\n';
    append(task_id, lines + said);
}

void TaskLog::forget(const std::string& task_id) {
    std::error_code ignored;
    std::filesystem::remove(file_of(task_id), ignored);
}

void TaskLog::append(const std::string& task_id, const std::string& lines) {
    const auto file = file_of(task_id);
    std::error_code ignored;
    std::filesystem::create_directories(directory_, ignored);
    const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    struct stat info {};
    const bool open = fd && ::fstat(fd.get(), &info) == 0;
    if (open && static_cast<std::uint64_t>(info.st_size) + lines.size() > kLogBytesMax) return;
    if (open && write_all(fd.get(), lines)) {
        told_ = false;
        return;
    }
    if (!told_) log::error("agent: {}: {}; the log has a gap", file.string(), std::strerror(errno));
    told_ = true;
}

Result<std::filesystem::path> upload(const std::filesystem::path& file, const http::LogBucket& bucket) {
    const UniqueFd from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from) return failed(file);
    auto target = bucket.directory / file.filename();
    const auto half = target.string() + ".part";
    {
        // Whoever put a link there shall not have it followed.
        const UniqueFd to(::open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!to || !copy(from.get(), to.get()) || ::fsync(to.get()) != 0) return failed(half);
    }
    if (::rename(half.c_str(), target.c_str()) != 0) return failed(target);
    return target;
}

Result<void> reset_mode(const http::LogBucket& bucket) {
    const UniqueFd directory(::open(bucket.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fchmod(directory.get(), bucket.mode) != 0) return failed(bucket.directory);
    return {};
}

}  // namespace drover::agent
