#include "store/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace drover::store {

Result<int> take_lock(const std::filesystem::path& file) {
    const auto name = file.string() + ".lock";
    const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(Code::store_failed, fmt::format("{}: cannot be opened", name));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return fail(Code::store_failed, fmt::format("{}: another drover uses this task store", file.string()));
    }
    return fd;
}

void release_lock(int lock) { ::close(lock); }

}  // namespace drover::store
