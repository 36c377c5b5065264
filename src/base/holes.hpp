// Files with holes: what is all zeros is not written but skipped, so that the images of disks take no more room than they need; and
// what is a hole is not read from the disk. Each file on one thread. Failure: false or -1, and errno.
#pragma once
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>

#include "base/bytes.hpp"

namespace drover {

constexpr std::size_t kHoleBytesMin = 4096;  // less is no block of any file system

inline bool is_hole(ByteView bytes) {
    return bytes.size() >= kHoleBytesMin && bytes.front() == 0 &&
           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// Instead of a write. end_hole() must follow when the file is done.
inline bool skip_hole(int fd, ByteView bytes) { return ::lseek(fd, static_cast<off_t>(bytes.size()), SEEK_CUR) >= 0; }

// A file that ends in a hole gets its length.
inline bool end_hole(int fd) {
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    return at >= 0 && ::ftruncate(fd, at) == 0;
}

// Reads a file from where it stands, as read(2).
class HoleReader {
public:
    ssize_t read(int fd, std::span<std::uint8_t> to) {
        if (at_ >= end_) look(fd);
        const auto most = static_cast<std::size_t>(std::min(static_cast<off_t>(to.size()), end_ - at_));
        const ssize_t n = hole_ ? skip(fd, to.first(most)) : ::read(fd, to.data(), most);
        at_ += n > 0 ? n : 0;
        return n;
    }

private:
    static ssize_t skip(int fd, std::span<std::uint8_t> to) {
        std::fill(to.begin(), to.end(), std::uint8_t{0});
        return skip_hole(fd, to) ? static_cast<ssize_t>(to.size()) : -1;
    }
    // What begins where the file stands. Where nobody can say, all is data.
    void look(int fd) {
        hole_ = false;
        end_ = std::numeric_limits<off_t>::max();
        const off_t at = ::lseek(fd, 0, SEEK_CUR);
        if (at < 0) return;
        at_ = at;
        off_t next = ::lseek(fd, at, SEEK_DATA);
        if (next < 0 && errno == ENXIO) next = ::lseek(fd, 0, SEEK_END);
        hole_ = next > at;
        if (next == at) next = ::lseek(fd, at, SEEK_HOLE);
        if (next > at) end_ = next;
        ::lseek(fd, at, SEEK_SET);
    }

    off_t at_ = 0;
    off_t end_ = 0;  // of the hole, or the data, that it stands in
    bool hole_ = false;
};

}  // namespace drover
