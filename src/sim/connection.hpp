// One TCP connection of a virtual phone: moves bytes between a socket and a DeviceLink.
//
// One thread: the phone's loop. Kept alive by its own pending operations and by the phone; close() ends it, after which
// the phone is not called again. An idle connection holds no buffer: reading uses the loop's.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/loop_pool.hpp"
#include "sim/device_link.hpp"

namespace drover::sim {

class Connection final : public LinkHost, public std::enable_shared_from_this<Connection> {
public:
    using Socket = boost::asio::ip::tcp::socket;
    using OnClosed = std::function<void(const std::shared_ptr<Connection>&)>;
    static constexpr std::size_t kReadBytesPerTurn = 256 * 1024;  // then other phones of the loop have their turn

    // delay: what is sent leaves that much later (a slow phone).
    Connection(Loop& loop, Socket socket, Device& device, Services& services, Millis delay, OnClosed on_closed);
    void start();
    void close();

    void wake() override;
    void flush() override;
    void drop() override;
    std::size_t queued() const override { return queue_.size() - sent_ + late_bytes_; }

private:
    void wait_readable();
    void on_readable();
    void wait_writable();
    bool send_queue();  // false: the connection is dead
    void put(std::vector<std::uint8_t>& bytes);
    void on_late();
    void settle();

    struct Late {
        TimePoint due;
        std::vector<std::uint8_t> bytes;
    };

    Loop& loop_;
    Socket socket_;
    std::unique_ptr<DeviceLink> link_;
    OnClosed on_closed_;
    std::vector<std::uint8_t> queue_;
    std::size_t sent_ = 0;  // of queue_
    std::deque<Late> late_;
    std::size_t late_bytes_ = 0;
    Millis delay_;
    Timer late_timer_;
    bool reading_ = false;  // inside feed(): one flush follows for all of it
    bool woken_ = false;    // a flush is posted
    bool waiting_read_ = false;
    bool waiting_write_ = false;
    bool dropping_ = false;
    bool closed_ = false;
};

}  // namespace drover::sim
