// One listener for thousands of phones: it takes any loopback address, and the address a connection arrived at says
// which phone is meant. Bound to the loopback device, so nothing from outside reaches it.
//
// One thread: loop 0 of the pool, destruction included; connections are handed to their phones' loops.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "base/loop_pool.hpp"
#include "drover/error.hpp"
#include "sim/virtual_phone.hpp"

namespace drover::sim {

class SharedListener {
public:
    using Find = std::function<VirtualPhone*(std::size_t)>;  // called on the phone's loop; null: gone

    // port 0: a free one (port_picker.hpp).
    static Result<std::unique_ptr<SharedListener>> start(LoopPool& pool, std::uint16_t port, Find find,
                                                         std::size_t count);
    // 127.64.0.1 and on, without .0 and .255.
    static boost::asio::ip::address_v4 address_of(std::size_t phone);
    static std::size_t phone_at(const boost::asio::ip::address_v4& address);  // SIZE_MAX: no phone's
    std::uint16_t port() const { return port_; }
    ~SharedListener() { *alive_ = false; }

private:
    SharedListener(LoopPool& pool, Find find, std::size_t count);
    boost::system::error_code listen(std::uint16_t port);
    void accept();

    LoopPool& pool_;
    Find find_;
    std::size_t count_;
    boost::asio::ip::tcp::acceptor acceptor_;
    Timer retry_timer_;
    std::uint16_t port_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::sim
