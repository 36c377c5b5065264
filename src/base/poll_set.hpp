// The sockets of one loop, in an epoll set of their own that Asio sees as a single descriptor. Asio's own waits cost a system
// call and several locks for each socket and each read; here a wake-up costs two system calls, whatever number of sockets it
// brings.
//
// Threads: the loop's. Ownership: one set a loop, made on first use and ended with it; descriptors and handlers are the
// caller's, remove() before either goes. remove() works from inside any handler: what was removed is not called again.
// Failure: add() says false, with errno, when the kernel has no room.
#pragma once
#include <sys/epoll.h>

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>

#include "base/loop_pool.hpp"

namespace drover {

struct PollEvents {
    bool readable = false;  // or broken: reading tells
    bool writable = false;
    bool hung_up = false;  // the end is among what can be read now, or the socket is broken
};

class PollHandler {
public:
    // Told of changes only: what is not read or written now brings no second call. A short read has emptied a socket
    // unless it hung up.
    virtual void on_poll(PollEvents events) = 0;
    // on_poll() comes soon, after that of `before` others (1 or 2): it is time to prefetch() what it will need. With 2, the handler
    // itself has just been asked for; with 1 it is there, and so is what was asked for then.
    virtual void expect_poll(std::size_t /*before*/) {}

protected:
    ~PollHandler() = default;
};

class PollSet final : public boost::asio::execution_context::service {
public:
    static boost::asio::execution_context::id id;  // how Asio tells its services apart

    static PollSet& of(Loop& loop) { return boost::asio::use_service<PollSet>(loop.io()); }
    explicit PollSet(boost::asio::execution_context& io);

    bool add(int fd, PollHandler& handler);
    void remove(int fd, PollHandler& handler);

private:
    static constexpr std::size_t kBatchMax = 128;  // then other work of the loop has its turn
    static constexpr std::size_t kStepsAhead = 3;  // from first asking for a handler to calling it

    void shutdown() override;
    void wait();
    void turn();
    void expect(std::size_t i);

    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
    bool waiting_ = false;
    std::size_t batch_size_ = 0;
    std::array<epoll_event, kBatchMax> batch_{};
};

}  // namespace drover
