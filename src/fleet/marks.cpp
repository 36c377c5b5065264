#include "fleet/marks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/unique_fd.hpp"
#include "base/utf8.hpp"

namespace drover::fleet {
namespace {

namespace fs = std::filesystem;

auto failed(std::string_view what, const fs::path& path) {
    return fail(Code::store_failed, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

Result<void> write_whole(const fs::path& path, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) return failed("make", path);
    while (!text.empty()) {
        const ssize_t n = ::write(file.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return failed("write", path);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fsync(file.get()) != 0) return failed("write", path);
    return {};
}

// So that the rename outlives a power cut too; a file system that cannot is not worth a failure.
void sync_folder(const fs::path& folder) {
    const UniqueFd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir) (void)::fsync(dir.get());
}

}  // namespace

fs::path marks_file(const fs::path& state_dir) { return state_dir.empty() ? fs::path() : state_dir / "disabled"; }

std::string to_text(const Marks& marks) {
    std::string text;
    for (const auto& [id, mark] : marks) {
        const auto since = std::chrono::duration_cast<std::chrono::seconds>(mark.since.time_since_epoch()).count();
        text += fmt::format("{}\t{}\t{}\t{}\n", id, since, mark.by, mark.reason);
    }
    return text;
}

std::string clean_reason(std::string_view text) {
    std::string clean = sanitize_utf8(text);
    for (char& c : clean) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    return clean.substr(0, utf8_floor(clean, kReasonBytesMax));
}

Result<Marks> load_marks(const fs::path& state_dir) {
    const fs::path file = marks_file(state_dir);
    Marks marks;
    std::error_code error;
    if (file.empty() || !fs::exists(file, error)) {
        if (!error || file.empty()) return marks;
        return fail(Code::store_failed, fmt::format("cannot read {}: {}", file.string(), error.message()));
    }
    if (fs::file_size(file, error) > kMarksBytesMax || error)
        return fail(Code::store_failed, fmt::format("cannot read {}: it is no file of marks", file.string()));
    std::ifstream in(file);
    if (!in) return failed("read", file);
    return parse_marks({std::istreambuf_iterator<char>(in), {}}, file);
}

Result<Marks> parse_marks(const std::string& text, const fs::path& file) {
    using Clock = std::chrono::system_clock;
    constexpr std::int64_t kSinceMax = std::chrono::floor<std::chrono::seconds>(Clock::duration::max()).count();
    Marks marks;
    std::istringstream in(text);
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        std::istringstream parts(line);
        std::string id, since;
        Mark mark;
        std::getline(parts, id, '\t');
        std::getline(parts, since, '\t');
        std::getline(parts, mark.by, '\t');
        std::getline(parts, mark.reason);
        std::int64_t seconds = 0;
        const auto [end, ec] = std::from_chars(since.data(), since.data() + since.size(), seconds);
        const bool in_range = seconds >= -kSinceMax && seconds <= kSinceMax;
        if (id.empty() || ec != std::errc() || end != since.data() + since.size() || !in_range) {
            return fail(Code::store_failed,
                        fmt::format("{}:{}: this is no mark of a disabled phone; mend or remove the line",
                                    file.string(), number));
        }
        mark.since = Clock::time_point(std::chrono::seconds(seconds));
        marks[id] = std::move(mark);
    }
    return marks;
}

Result<void> change_marks(const fs::path& state_dir, const std::function<void(Marks&)>& change) {
    if (state_dir.empty()) return fail(Code::store_failed, "there is no state directory: set state_dir, or HOME");
    std::error_code error;
    if (fs::create_directories(state_dir, error)) fs::permissions(state_dir, fs::perms::owner_all, error);
    if (error) return fail(Code::store_failed, fmt::format("{}: {}", state_dir.string(), error.message()));
    const fs::path file = marks_file(state_dir);
    const fs::path lock_file = file.string() + ".lock";
    const UniqueFd lock(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return failed("lock", lock_file);
    auto marks = load_marks(state_dir);
    if (!marks) return tl::unexpected(marks.error());
    const Marks before = *marks;
    change(*marks);
    if (*marks == before) return {};
    const fs::path fresh = file.string() + ".new";
    if (auto written = write_whole(fresh, to_text(*marks)); !written) return written;
    fs::rename(fresh, file, error);
    if (error) return fail(Code::store_failed, fmt::format("cannot replace {}: {}", file.string(), error.message()));
    sync_folder(state_dir);
    return {};
}

Result<std::vector<bool>> set_marks(const fs::path& state_dir, const std::vector<std::string>& ids,
                                    const std::optional<Mark>& mark) {
    std::vector<bool> changed;
    const auto written = change_marks(state_dir, [&](Marks& all) {
        for (const auto& id : ids) {
            changed.push_back(all.contains(id) != mark.has_value());
            if (mark) all[id] = *mark;
            if (!mark) all.erase(id);
        }
    });
    if (!written) return tl::unexpected(written.error());
    return changed;
}

}  // namespace drover::fleet
