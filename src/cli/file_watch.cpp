#include "cli/file_watch.hpp"

#include <sys/inotify.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"

namespace drover::cli {

namespace fs = std::filesystem;

FileWatch::FileWatch(boost::asio::io_context& io, const std::vector<fs::path>& files, std::function<void()> changed)
    : inotify_(io), quiet_(io), changed_(std::move(changed)) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        log::warn("inotify: {}: changed files are read again on SIGHUP only", std::strerror(errno));
        return;
    }
    inotify_.assign(fd);
    for (const auto& file : files) watch(file);
    read();
}

void FileWatch::watch(const fs::path& file) {
    const fs::path whole = fs::absolute(file);
    const int wd = ::inotify_add_watch(inotify_.native_handle(), whole.parent_path().c_str(),
                                       IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MASK_ADD);
    if (wd < 0) {
        log::warn("cannot watch {}: {}: it is read again on SIGHUP only", whole.string(), std::strerror(errno));
        return;
    }
    names_.emplace(wd, whole.filename());
}

void FileWatch::read() {
    inotify_.async_read_some(boost::asio::buffer(buffer_),
                             [this](const boost::system::error_code& error, std::size_t bytes) {
                                 if (error) return;
                                 if (concerns_us(bytes)) ring();
                                 read();
                             });
}

bool FileWatch::concerns_us(std::size_t bytes) const {
    bool ours = false;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= bytes;) {
        inotify_event event{};
        std::memcpy(&event, buffer_.data() + at, sizeof event);
        const char* const name = buffer_.data() + at + sizeof event;
        // After an overflow nobody knows what was lost.
        if ((event.mask & IN_Q_OVERFLOW) != 0) ours = true;
        if (event.len > 0) ours = ours || names_.contains({event.wd, std::string(name)});
        at += sizeof event + event.len;
    }
    return ours;
}

void FileWatch::ring() {
    const auto now = std::chrono::steady_clock::now();
    if (!std::exchange(rung_, true)) first_ring_ = now;
    quiet_.expires_at(std::min(now + kQuiet, first_ring_ + kPatience));
    quiet_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        rung_ = false;
        changed_();
    });
}

}  // namespace drover::cli
