#include "sim/connection.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace drover::sim {

Connection::Connection(Loop& loop, Socket socket, Device& device, Services& services, Millis delay, OnClosed on_closed)
    : loop_(loop),
      socket_(std::move(socket)),
      link_(std::make_unique<DeviceLink>(device, services, *this)),
      on_closed_(std::move(on_closed)),
      delay_(delay),
      late_timer_(Timer::calls<&Connection::on_late>(*this)) {}

void Connection::start() {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    wait_readable();
}

void Connection::close() {
    if (closed_) return;
    const auto self = shared_from_this();
    closed_ = true;
    late_timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    // The link's services may be on the call stack, so it goes later; it needs this connection until then.
    std::shared_ptr<DeviceLink> link = std::move(link_);
    if (on_closed_) std::exchange(on_closed_, nullptr)(self);
    loop_.post([self, link = std::move(link)]() mutable { link.reset(); });
}

void Connection::wake() {
    if (reading_ || woken_ || closed_) return;
    woken_ = true;
    loop_.post([self = shared_from_this()] {
        self->woken_ = false;
        if (!self->closed_) self->settle();
    });
}

// After the link was called: what it wrote leaves, what ended is freed, a wish to drop is granted.
void Connection::settle() {
    flush();
    if (closed_) return;
    link_->reap();
    if (dropping_) {
        close();
        return;
    }
    wait_readable();
}

void Connection::drop() {
    dropping_ = true;
    wake();
}

void Connection::flush() {
    if (closed_) return;
    auto& out = link_->out();
    if (out.empty()) return;
    if (delay_.count() > 0) {
        late_bytes_ += out.size();
        late_.push_back(Late{loop_.now() + delay_, std::exchange(out, {})});
        if (!late_timer_.armed()) loop_.arm(late_timer_, late_.front().due);
        return;
    }
    put(out);
}

void Connection::on_late() {
    const auto self = shared_from_this();
    while (!late_.empty() && late_.front().due <= loop_.now() && !closed_) {
        auto bytes = std::move(late_.front().bytes);
        late_.pop_front();
        late_bytes_ -= bytes.size();
        put(bytes);
    }
    if (closed_) return;
    if (!late_.empty()) {
        loop_.arm(late_timer_, late_.front().due);
    } else if (!waiting_write_) {
        link_->on_drained();
        settle();
    }
}

// Takes the bytes; what the kernel does not want now waits in queue_.
void Connection::put(std::vector<std::uint8_t>& bytes) {
    std::size_t done = 0;
    if (queue_.empty()) {
        while (done < bytes.size()) {
            const ssize_t n =
                ::send(socket_.native_handle(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0) {
                done += static_cast<std::size_t>(n);
            } else if (errno != EINTR) {
                if (errno != EAGAIN) dropping_ = true;
                break;
            }
        }
    }
    if (dropping_ && done < bytes.size()) {
        done = bytes.size();
        wake();
    }
    queue_.insert(queue_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.end());
    constexpr std::size_t kKeptBytes = 4096;
    if (bytes.capacity() > kKeptBytes) std::vector<std::uint8_t>().swap(bytes);
    bytes.clear();
    if (!queue_.empty()) wait_writable();
}

void Connection::wait_writable() {
    if (waiting_write_) return;
    waiting_write_ = true;
    socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& ec) {
        self->waiting_write_ = false;
        if (ec || self->closed_) return;
        if (!self->send_queue()) {
            self->close();
            return;
        }
        if (!self->queue_.empty()) {
            self->wait_writable();
            return;
        }
        self->link_->on_drained();
        self->settle();
    });
}

bool Connection::send_queue() {
    while (sent_ < queue_.size()) {
        const ssize_t n =
            ::send(socket_.native_handle(), queue_.data() + sent_, queue_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            sent_ += static_cast<std::size_t>(n);
        } else if (errno == EAGAIN) {
            return true;
        } else if (errno != EINTR) {
            return false;
        }
    }
    std::vector<std::uint8_t>().swap(queue_);
    sent_ = 0;
    return true;
}

void Connection::wait_readable() {
    // A client that does not take our answers is not read either: what waits for it stays bounded.
    if (waiting_read_ || closed_ || queued() >= DeviceLink::kQueueBytesMax) return;
    waiting_read_ = true;
    socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const boost::system::error_code& ec) {
        self->waiting_read_ = false;
        if (!ec && !self->closed_) self->on_readable();
    });
}

void Connection::on_readable() {
    auto& buffer = loop_.read_buffer();
    reading_ = true;
    for (std::size_t total = 0; total < kReadBytesPerTurn && !dropping_ && !closed_;) {
        const ssize_t n = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) {
            reading_ = false;
            close();
            return;
        }
        total += static_cast<std::size_t>(n);
        link_->feed(ByteView(buffer.data(), static_cast<std::size_t>(n)));
        if (static_cast<std::size_t>(n) < buffer.size()) break;  // the rest, if any, wakes us again
    }
    reading_ = false;
    if (!closed_) settle();
}

}  // namespace drover::sim
