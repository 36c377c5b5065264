#include "sim/shared_listener.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <random>

namespace drover::sim {

using boost::asio::ip::address_v4;
using boost::asio::ip::tcp;

namespace {
constexpr std::uint32_t kFirstNet = 0x7f400000;  // 127.64.0.0
constexpr std::uint32_t kPerNet = 254;
}  // namespace

address_v4 SharedListener::address_of(std::size_t phone) {
    const auto n = static_cast<std::uint32_t>(phone);
    return address_v4(kFirstNet + (n / kPerNet) * 256 + n % kPerNet + 1);
}

std::size_t SharedListener::phone_at(const address_v4& address) {
    const std::uint32_t value = address.to_uint();
    const std::uint32_t last = value & 0xff;
    if (value < kFirstNet || last == 0 || last == 255) return SIZE_MAX;
    return static_cast<std::size_t>((value - kFirstNet) / 256) * kPerNet + last - 1;
}

SharedListener::SharedListener(LoopPool& pool, Find find, std::size_t count)
    : pool_(pool),
      find_(std::move(find)),
      count_(count),
      acceptor_(pool.at(0).io()),
      retry_timer_(Timer::calls<&SharedListener::accept>(*this)) {}

Result<std::unique_ptr<SharedListener>> SharedListener::start(LoopPool& pool, std::uint16_t port, Find find,
                                                              std::size_t count) {
    std::unique_ptr<SharedListener> made(new SharedListener(pool, std::move(find), count));
    PortPicker ports(std::random_device{}());
    std::optional<std::uint16_t> wanted = port != 0 ? port : ports.next();
    boost::system::error_code ec = made->listen(*wanted);
    while (ec == boost::asio::error::address_in_use && port == 0 && (wanted = ports.next())) ec = made->listen(*wanted);
    if (ec) {
        return fail(Code::out_of_resources, fmt::format("cannot listen on port {} of the loopback device: {}",
                                                        wanted.value_or(PortPicker::kLast), ec.message()));
    }
    made->port_ = *wanted;
    made->accept();
    return made;
}

boost::system::error_code SharedListener::listen(std::uint16_t port) {
    boost::system::error_code ec;
    acceptor_.close(ec);
    acceptor_.open(tcp::v4(), ec);
    if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec && ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0) {
        ec = boost::system::error_code(errno, boost::system::system_category());
    }
    if (!ec) acceptor_.bind({address_v4::any(), port}, ec);
    if (!ec) acceptor_.listen(4096, ec);
    return ec;
}

void SharedListener::accept() {
    acceptor_.async_accept([this, alive = alive_](const boost::system::error_code& ec, tcp::socket socket) {
        if (!*alive || ec == boost::asio::error::operation_aborted) return;
        if (ec) {
            constexpr Millis kRetry{100};
            pool_.at(0).arm_after(retry_timer_, kRetry);
            return;
        }
        boost::system::error_code no_address;
        const auto local = socket.local_endpoint(no_address);
        const std::size_t phone = no_address || !local.address().is_v4() ? SIZE_MAX : phone_at(local.address().to_v4());
        if (phone < count_) {
            Loop& loop = pool_.at(phone % pool_.size());
            const int fd = socket.release(no_address);
            if (!no_address && fd >= 0) {
                // The phone may be gone when this runs: find_ is asked there.
                loop.post([find = find_, phone, fd, &loop] {
                    VirtualPhone* found = find(phone);
                    if (found == nullptr) {
                        ::close(fd);
                        return;
                    }
                    boost::system::error_code failed;
                    tcp::socket moved(loop.io());
                    moved.assign(tcp::v4(), fd, failed);
                    if (!failed) found->adopt(std::move(moved));
                });
            }
        }
        accept();
    });
}

}  // namespace drover::sim
