#include "transfer/pull_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/holes.hpp"
#include "transfer/aside_directory.hpp"

namespace drover::transfer {
namespace {

namespace fs = std::filesystem;

class RealTree final : public PullTree {
public:
    RealTree(fs::path directory, std::string instance)
        : directory_(std::move(directory)), instance_(std::move(instance)) {}
    ~RealTree() override { discard(); }
    RealTree(const RealTree&) = delete;
    RealTree& operator=(const RealTree&) = delete;

    Result<void> make_directory(const std::string& name, std::uint32_t mode) override {
        if (auto begun = begin(); !begun) return begun;
        note_top(name);
        if (::mkdirat(aside_.fd(), name.c_str(), (mode & 0777) | 0700) != 0) return os_error(name);
        return {};
    }
    Result<void> create(const std::string& name, std::uint32_t mode) override {
        if (auto begun = begin(); !begun) return begun;
        note_top(name);
        file_name_ = name;
        file_ = ::openat(aside_.fd(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777);
        return file_ < 0 ? os_error(name) : Result<void>();
    }
    Result<void> write(ByteView bytes) override {
        if (is_hole(bytes)) {
            has_hole_ = true;
            return skip_hole(file_, bytes) ? Result<void>() : os_error(file_name_);
        }
        while (!bytes.empty()) {
            const ssize_t n = ::write(file_, bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return os_error(file_name_);
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return {};
    }
    Result<void> close(std::int64_t mtime) override {
        const timespec times[2] = {{mtime, 0}, {mtime, 0}};
        const bool set = (!std::exchange(has_hole_, false) || end_hole(file_)) && ::futimens(file_, times) == 0;
        const int why = errno;
        const bool closed = ::close(std::exchange(file_, -1)) == 0;
        if (!set) errno = why;
        return set && closed ? Result<void>() : os_error(file_name_);
    }
    Result<void> set_directory_time(const std::string& name, std::int64_t mtime) override {
        const timespec times[2] = {{mtime, 0}, {mtime, 0}};
        if (::utimensat(aside_.fd(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return os_error(name);
        return {};
    }
    Result<void> publish() override {
        if (auto begun = begin(); !begun) return begun;
        const fs::path place = directory_ / instance_;
        if (::mkdir(place.c_str(), 0777) != 0 && errno != EEXIST) return os_error("");
        const int fd = ::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return os_error("");
        Result<void> all;
        for (const auto& name : tops_) {
            if (all) all = move(name, fd);
        }
        ::close(fd);
        if (all) discard();
        return all;
    }
    void discard() override {
        if (file_ >= 0) ::close(std::exchange(file_, -1));
        aside_ = AsideDirectory();
    }

private:
    // What stood there goes aside in the same moment, and away with the rest.
    Result<void> move(const std::string& name, int to) {
        const auto rename = [&](unsigned flags) {
            return ::renameat2(aside_.fd(), name.c_str(), to, name.c_str(), flags) == 0;
        };
        if (rename(RENAME_NOREPLACE)) return {};
        if (errno == EEXIST && rename(RENAME_EXCHANGE)) return {};
        if (errno != EINVAL) return os_error(name);
        // A file system without these: not in one moment, but in the same order.
        std::error_code error;
        fs::remove_all(directory_ / instance_ / name, error);
        return rename(0) ? Result<void>() : os_error(name);
    }
    Result<void> begin() {
        if (aside_) return {};
        auto made = AsideDirectory::make(directory_, instance_);
        if (!made) {
            const auto path = directory_ / instance_;
            return fail(made.error().code, fmt::format("{}: {}", path.string(), made.error().message));
        }
        aside_ = std::move(*made);
        return {};
    }
    void note_top(const std::string& name) {
        if (name.find('/') == std::string::npos) tops_.push_back(name);
    }
    tl::unexpected<Error> os_error(const std::string& name) const {
        const int why = errno;
        const auto path = name.empty() ? directory_ / instance_ : directory_ / instance_ / name;
        return fail(Code::local_file, fmt::format("{}: {}", path.string(), std::strerror(why)));
    }

    const fs::path directory_;
    const std::string instance_;
    AsideDirectory aside_;
    int file_ = -1;
    bool has_hole_ = false;  // in it
    std::string file_name_;
    std::vector<std::string> tops_;
};

}  // namespace

std::unique_ptr<PullTree> make_pull_tree(std::filesystem::path directory, std::string instance) {
    return std::make_unique<RealTree>(std::move(directory), std::move(instance));
}

}  // namespace drover::transfer
