#include "transfer/aside_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace drover::transfer {
namespace fs = std::filesystem;
namespace {

// So many drovers may pull the same phone into the same directory at once. Few names: each pull looks at all of them, and
// never at the whole of DIR, where thousands of phones may have theirs.
constexpr int kAsidesMax = 16;

fs::path aside_path(const fs::path& directory, const std::string& name, int number) {
    return directory / fmt::format(".{}.pulling-{}", name, number);
}

// The directory at this path, if it is nobody's. Some file systems have no such locks: then nobody knows, and it stays.
UniqueFd lock_aside(const fs::path& path, bool locks_needed) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return {};
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && (locks_needed || errno == EWOULDBLOCK)) return {};
    // Between the two, another may have taken it for a stale one, and yet another may have made its own.
    struct stat opened {};
    struct stat named {};
    if (::fstat(fd.get(), &opened) != 0 || ::lstat(path.c_str(), &named) != 0) return {};
    const bool same = opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
    return same ? std::move(fd) : UniqueFd();
}

void remove_stale_asides(const fs::path& directory, const std::string& name) {
    for (int number = 0; number < kAsidesMax; ++number) {
        const auto path = aside_path(directory, name, number);
        std::error_code ignored;
        if (const auto held = lock_aside(path, true)) fs::remove_all(path, ignored);
    }
}

}  // namespace

Result<AsideDirectory> AsideDirectory::make(const fs::path& directory, const std::string& name) {
    remove_stale_asides(directory, name);
    for (int number = 0; number < kAsidesMax; ++number) {
        auto path = aside_path(directory, name, number);
        if (::mkdir(path.c_str(), 0700) == 0) {
            if (auto fd = lock_aside(path, false)) return AsideDirectory(std::move(path), std::move(fd));
        } else if (errno != EEXIST) {
            return fail(Code::local_file, std::strerror(errno));
        }
    }
    return fail(
        Code::local_file,
        fmt::format("{} pulls of it are under way, or were ended: remove .{}.pulling-* if none is", kAsidesMax, name));
}

AsideDirectory::AsideDirectory(AsideDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

AsideDirectory& AsideDirectory::operator=(AsideDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    return *this;
}

// Locked until it is gone.
AsideDirectory::~AsideDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace drover::transfer
