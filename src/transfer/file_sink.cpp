#include "transfer/file_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "adb/shell.hpp"

namespace drover::transfer {

tl::unexpected<Error> FileSink::os_error() const {
    return fail(Code::local_file, fmt::format("{}: {}", place_.string(), std::strerror(errno)));
}

Result<void> FileSink::begin() {
    if (fd_ >= 0) return {};
    if (way_ == Way::in_place) {
        fd_ = ::open(place_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
        return fd_ < 0 ? os_error() : Result<void>();
    }
    constexpr std::size_t kRandomChars = 8;
    aside_ = (place_.parent_path() /
              fmt::format(".{}.{}", place_.filename().string(), adb::random_marker().substr(0, kRandomChars)))
                 .string();
    // Not mkstemp(): the umask decides who may read it.
    fd_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return fd_ < 0 ? os_error() : Result<void>();
}

Result<void> FileSink::write(ByteView bytes) {
    if (auto begun = begin(); !begun) return begun;
    bytes_ += bytes.size();
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error();
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
}

Result<void> FileSink::commit() {
    if (auto begun = begin(); !begun) return begun;
    const bool closed = ::close(std::exchange(fd_, -1)) == 0;
    if (closed && way_ == Way::in_place) return {};
    if (!closed || ::rename(aside_.c_str(), place_.c_str()) != 0) return os_error();
    aside_.clear();
    return {};
}

void FileSink::discard() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    if (!aside_.empty()) ::unlink(std::exchange(aside_, {}).c_str());
}

}  // namespace drover::transfer
