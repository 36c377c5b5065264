// One virtual phone: its listener, its connections, its commands, its reboots.
//
// One thread: the phone's loop, construction and destruction included. The loop, the spawner and the userland outlive it.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/loop_pool.hpp"
#include "sim/connection.hpp"
#include "sim/device.hpp"
#include "sim/port_picker.hpp"
#include "sim/service.hpp"
#include "sim/spawner.hpp"

namespace drover::sim {

class VirtualPhone final : public Services {
public:
    using Endpoint = boost::asio::ip::tcp::endpoint;
    static constexpr std::size_t kConnectionsMax = 64;  // more are closed at once

    VirtualPhone(Loop& loop, std::shared_ptr<Spawner> spawner, std::shared_ptr<const Profile> profile, std::string id,
                 std::uint32_t number, std::uint64_t seed);
    ~VirtualPhone();
    VirtualPhone(const VirtualPhone&) = delete;
    VirtualPhone& operator=(const VirtualPhone&) = delete;

    // Its own listener. The phone keeps the port while it is away.
    Result<Endpoint> listen(Endpoint wanted);
    // On the first of the ports that nobody has.
    Result<Endpoint> listen_any(const boost::asio::ip::address& address, PortPicker& ports);
    // A connection that a shared listener accepted for this phone.
    void adopt(boost::asio::ip::tcp::socket socket);

    std::shared_ptr<Service> open(std::string_view name, Port& port, const CommandFaults& faults) override;

    // Drops every connection, is away for the profile's absent time, then boots; power_off: stays away.
    void restart(bool power_off);
    // Cuts every connection, as a bad cable does; the phone stays reachable.
    void cut();
    std::size_t queued_bytes() const;  // what waits for slow clients

private:
    enum class Claim : std::uint8_t { unused, shared };
    boost::system::error_code listen_first(Claim claim);
    boost::system::error_code bind_listener(Claim claim);
    boost::system::error_code begin_listening();
    Error cannot_listen(const boost::system::error_code& ec) const;
    void stop_listening();
    void accept();
    void on_retry();
    void go_away();
    void come_back();
    void on_phase_over();
    void on_flap();
    void on_home(const std::shared_ptr<Home>& home);
    void wait_control();
    void publish_boot();
    void publish(std::initializer_list<const char*> properties);
    std::optional<std::string> property(std::string_view name) const;
    SpawnRequest spawn_request() const;
    std::shared_ptr<Service> open_files(Port& port);
    std::shared_ptr<Service> open_command(const std::string& command, const std::string& term, bool v2, bool pty,
                                          bool raw, Port& port, const CommandFaults& faults);

    Loop& loop_;
    std::shared_ptr<Spawner> spawner_;
    Device device_;
    std::uint32_t number_;
    boost::asio::ip::tcp::acceptor acceptor_;
    Endpoint endpoint_;
    bool own_listener_ = false;
    bool listening_ = false;
    std::set<std::shared_ptr<Connection>> connections_;
    std::shared_ptr<Home> home_;
    std::optional<boost::asio::posix::stream_descriptor> control_;
    std::shared_ptr<bool> alive_;  // for callbacks that may come late
    Timer phase_timer_;            // the end of being away, then of booting
    Timer flap_timer_;
    Timer retry_timer_;  // listening or accepting again after it failed
    bool present_ = true;
    bool powered_off_ = false;
    std::uint64_t boots_ = 0;  // since the start; build.prop says what was true then or earlier
};

}  // namespace drover::sim
