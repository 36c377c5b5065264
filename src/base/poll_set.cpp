#include "base/poll_set.hpp"

#include <cerrno>
#include <system_error>

#include "base/prefetch.hpp"

namespace drover {
namespace {

int new_epoll() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

}  // namespace

boost::asio::execution_context::id PollSet::id;

PollSet::PollSet(boost::asio::execution_context& io)
    : service(io), epoll_(static_cast<boost::asio::io_context&>(io), new_epoll()) {}

void PollSet::shutdown() {
    boost::system::error_code ignored;
    epoll_.close(ignored);
}

bool PollSet::add(int fd, PollHandler& handler) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &handler;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0) return false;
    wait();
    return true;
}

void PollSet::remove(int fd, PollHandler& handler) {
    (void)::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
    for (std::size_t i = 0; i < batch_size_; ++i) {
        if (batch_[i].data.ptr == &handler) batch_[i].data.ptr = nullptr;
    }
}

void PollSet::wait() {
    if (waiting_) return;
    waiting_ = true;
    epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;  // the loop ends
        waiting_ = false;
        turn();
        wait();
    });
}

// One step for each of those that come next: a pointer can be followed only where the step before brought it.
void PollSet::expect(std::size_t i) {
    constexpr std::size_t kHandlerBytes = 2 * kCacheLineBytes;
    if (i < batch_size_) prefetch(batch_[i].data.ptr, kHandlerBytes);
    for (const std::size_t before : {2, 1}) {
        const std::size_t behind = kStepsAhead - before;
        if (i < behind || i - behind >= batch_size_) continue;
        if (void* handler = batch_[i - behind].data.ptr) static_cast<PollHandler*>(handler)->expect_poll(before);
    }
}

void PollSet::turn() {
    const int n = ::epoll_wait(epoll_.native_handle(), batch_.data(), static_cast<int>(kBatchMax), 0);
    batch_size_ = n < 0 ? 0 : static_cast<std::size_t>(n);
    for (std::size_t i = 0; i < batch_size_ + kStepsAhead; ++i) {
        expect(i);
        if (i < kStepsAhead) continue;
        const epoll_event event = batch_[i - kStepsAhead];
        if (!event.data.ptr) continue;  // removed by a handler before it
        PollEvents events;
        events.hung_up = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        events.readable = events.hung_up || (event.events & EPOLLIN) != 0;
        events.writable = (event.events & EPOLLOUT) != 0;
        static_cast<PollHandler*>(event.data.ptr)->on_poll(events);
    }
    batch_size_ = 0;
}

}  // namespace drover
