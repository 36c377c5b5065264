#include "sim/phone_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace drover::sim {
namespace {

adb::SyncStat sync_stat(const struct stat& s) {
    adb::SyncStat out;
    out.mode = s.st_mode;
    out.size = static_cast<std::uint64_t>(s.st_size);
    out.mtime = s.st_mtime;
    return out;
}

adb::SyncStat sync_error(int error) {
    adb::SyncStat out;
    out.error = static_cast<std::uint32_t>(error);
    return out;
}

}  // namespace

Result<PhoneFiles> PhoneFiles::open(const std::string& directory, std::optional<uid_t> user) {
    UniqueFd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!root) return fail(Code::out_of_resources, fmt::format("{}: {}", directory, std::strerror(errno)));
    PhoneFiles files(std::move(root), user);
    if (!files.look_up(".", O_PATH))
        return fail(Code::not_supported,
                    fmt::format("openat2: {}: this kernel cannot keep a phone's files inside", std::strerror(errno)));
    return files;
}

// Only this thread's identity for file access changes; with it go the rights of root over files.
PhoneFiles::AsUser::AsUser(const PhoneFiles& files) : changed_(files.user_.has_value()) {
    if (!changed_) return;
    ::syscall(SYS_setfsgid, *files.user_);
    ::syscall(SYS_setfsuid, *files.user_);
}

PhoneFiles::AsUser::~AsUser() {
    if (!changed_) return;
    ::syscall(SYS_setfsuid, ::geteuid());
    ::syscall(SYS_setfsgid, ::getegid());
}

UniqueFd PhoneFiles::look_up(const std::string& path, int flags) const {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    constexpr int kTries = 16;  // EAGAIN: something was renamed meanwhile
    for (int i = 0; i < kTries; ++i) {
        UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof how)));
        if (fd || errno != EAGAIN) return fd;
    }
    return {};
}

adb::SyncStat PhoneFiles::stat(const std::string& path, bool follow) const {
    const UniqueFd fd = look_up(path, O_PATH | (follow ? 0 : O_NOFOLLOW));
    struct stat s {};
    if (!fd || ::fstat(fd.get(), &s) != 0) return sync_error(errno);
    return sync_stat(s);
}

adb::SyncStat PhoneFiles::stat_entry(DIR* directory, const char* name) {
    struct stat s {};
    if (::fstatat(::dirfd(directory), name, &s, AT_SYMLINK_NOFOLLOW) != 0) return sync_error(errno);
    return sync_stat(s);
}

PhoneFiles::Directory PhoneFiles::list(const std::string& path) const {
    UniqueFd fd = look_up(path, O_RDONLY | O_DIRECTORY);
    if (!fd) return nullptr;
    Directory directory(::fdopendir(fd.get()));
    if (directory) fd.release();
    return directory;
}

UniqueFd PhoneFiles::open_to_read(const std::string& path) const {
    return look_up(path, O_RDONLY | O_NONBLOCK);  // a FIFO nobody writes to is an empty file
}

UniqueFd PhoneFiles::folder_of(const std::string& path, std::string& name, bool make) const {
    const auto end = path.find_last_not_of('/');
    const auto slash = end == std::string::npos ? end : path.rfind('/', end);
    name = end == std::string::npos ? "" : path.substr(slash == std::string::npos ? 0 : slash + 1, end + 1);
    if (const auto tail = name.find('/'); tail != std::string::npos) name.resize(tail);
    if (name.empty() || name == "." || name == "..") {
        errno = EISDIR;
        return {};
    }
    const std::string above = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    UniqueFd folder = look_up(above, O_PATH | O_DIRECTORY);
    if (folder || errno != ENOENT || !make) return folder;
    std::string its_name;
    const UniqueFd parent = folder_of(above, its_name, true);
    constexpr mode_t kMode = 0775;
    if (!parent || (::mkdirat(parent.get(), its_name.c_str(), kMode) != 0 && errno != EEXIST)) return {};
    return look_up(above, O_PATH | O_DIRECTORY);
}

UniqueFd PhoneFiles::create(const std::string& path) const {
    std::string name;
    const UniqueFd folder = folder_of(path, name, true);
    if (!folder) return {};
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) return {};
    return UniqueFd(::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

int PhoneFiles::make_link(const std::string& target, const std::string& path) const {
    std::string name;
    const UniqueFd folder = folder_of(path, name, true);
    if (!folder) return errno;
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT) return errno;
    return ::symlinkat(target.c_str(), folder.get(), name.c_str()) == 0 ? 0 : errno;
}

int PhoneFiles::set_times(const std::string& path, std::int64_t mtime) const {
    std::string name;
    const UniqueFd folder = folder_of(path, name, false);
    if (!folder) return errno;
    timespec times[2]{};
    times[0].tv_sec = times[1].tv_sec = mtime;
    return ::utimensat(folder.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

void PhoneFiles::remove(const std::string& path) const {
    std::string name;
    const UniqueFd folder = folder_of(path, name, false);
    if (folder) ::unlinkat(folder.get(), name.c_str(), 0);
}

}  // namespace drover::sim
