#include "sim/virtual_phone.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "sim/process_service.hpp"
#include "sim/scripted.hpp"
#include "sim/shell_request.hpp"
#include "sim/sync_service.hpp"

namespace drover::sim {

using boost::asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr Millis kRetry{100};
}  // namespace

VirtualPhone::VirtualPhone(Loop& loop, std::shared_ptr<Spawner> spawner, std::shared_ptr<const Profile> profile,
                           std::string id, std::uint32_t number, std::uint64_t seed)
    : loop_(loop),
      spawner_(std::move(spawner)),
      device_(std::move(profile), std::move(id), number, seed),
      number_(number),
      acceptor_(loop.io()),
      alive_(std::make_shared<bool>(true)),
      phase_timer_(Timer::calls<&VirtualPhone::on_phase_over>(*this)),
      flap_timer_(Timer::calls<&VirtualPhone::on_flap>(*this)),
      retry_timer_(Timer::calls<&VirtualPhone::on_retry>(*this)) {
    if (device_.dice(FaultKind::absent)) {
        present_ = false;
        powered_off_ = true;
    }
    if (device_.dice(FaultKind::slow_boot)) {
        device_.set_booted(false);
        loop_.arm_after(phase_timer_, Millis(device_.profile().fault(FaultKind::slow_boot).value));
    }
}

VirtualPhone::~VirtualPhone() {
    *alive_ = false;
    stop_listening();
    cut();
}

Result<VirtualPhone::Endpoint> VirtualPhone::listen(Endpoint wanted) {
    endpoint_ = wanted;
    own_listener_ = true;
    if (const error_code ec = listen_first(Claim::shared)) return tl::unexpected(cannot_listen(ec));
    return endpoint_;
}

Result<VirtualPhone::Endpoint> VirtualPhone::listen_any(const boost::asio::ip::address& address, PortPicker& ports) {
    own_listener_ = true;
    while (const auto port = ports.next()) {
        endpoint_ = Endpoint(address, *port);
        const error_code ec = listen_first(Claim::unused);
        if (!ec) return endpoint_;
        if (ec != boost::asio::error::address_in_use) return tl::unexpected(cannot_listen(ec));
    }
    return fail(Code::out_of_resources, fmt::format("no port from {} to {} is free on {}", PortPicker::kFirst,
                                                    PortPicker::kLast, address.to_string()));
}

error_code VirtualPhone::listen_first(Claim claim) {
    const error_code ec = bind_listener(claim);
    return ec || !present_ ? ec : begin_listening();
}

Error VirtualPhone::cannot_listen(const error_code& ec) const {
    return Error(Code::out_of_resources, fmt::format("cannot listen on {}:{}: {}", endpoint_.address().to_string(),
                                                     endpoint_.port(), ec.message()));
}

// Bound but not yet listening: a client is refused, and nobody else can take the port. After a failure the acceptor is
// closed: a socket without an address must never listen, the system would give it one, and that is not on loopback.
error_code VirtualPhone::bind_listener(Claim claim) {
    stop_listening();
    error_code ec;
    acceptor_.open(tcp::v4(), ec);
    const tcp::acceptor::reuse_address reuse(true);
    // Sharing lets a phone have its port again while old connections end there. It also lets two phones that are away
    // have one port, so a port that must be nobody's is asked for without it.
    if (!ec && claim == Claim::shared) acceptor_.set_option(reuse, ec);
    if (!ec) acceptor_.bind(endpoint_, ec);
    if (!ec && claim == Claim::unused) acceptor_.set_option(reuse, ec);
    if (!ec) endpoint_ = acceptor_.local_endpoint(ec);
    if (ec) stop_listening();
    return ec;
}

// A command between fork and exec holds a copy of the socket: only shutdown ends the listening there too.
void VirtualPhone::stop_listening() {
    listening_ = false;
    error_code ignored;
    if (acceptor_.is_open()) ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    acceptor_.close(ignored);
}

error_code VirtualPhone::begin_listening() {
    error_code ec;
    if (!acceptor_.is_open()) ec = bind_listener(Claim::shared);
    if (!ec) acceptor_.listen(128, ec);
    if (ec) {
        stop_listening();
        return ec;
    }
    listening_ = true;
    accept();
    return ec;
}

// Listening or accepting failed a moment ago.
void VirtualPhone::on_retry() {
    if (!present_) return;
    if (listening_) {
        accept();
    } else if (begin_listening()) {
        loop_.arm_after(retry_timer_, kRetry);
    }
}

void VirtualPhone::accept() {
    acceptor_.async_accept([this, alive = alive_](const error_code& ec, tcp::socket socket) {
        if (!*alive || ec == boost::asio::error::operation_aborted) return;
        if (!listening_) return;  // it went away while this was on its way
        if (ec) {
            loop_.arm_after(retry_timer_, kRetry);
            return;
        }
        adopt(std::move(socket));
        accept();
    });
}

void VirtualPhone::adopt(tcp::socket socket) {
    if (!present_ || connections_.size() >= kConnectionsMax) return;
    if (device_.dice(FaultKind::new_serial)) {
        device_.renew_serial();
        publish({"ro.serialno", "ro.boot.serialno"});
    }
    const Millis delay(device_.dice(FaultKind::slow) ? device_.profile().fault(FaultKind::slow).value : 0);
    auto connection =
        std::make_shared<Connection>(loop_, std::move(socket), device_, *this, delay,
                                     [this](const std::shared_ptr<Connection>& c) { connections_.erase(c); });
    connections_.insert(connection);
    connection->start();
    if (!flap_timer_.armed() && device_.dice(FaultKind::flapping)) {
        loop_.arm_after(flap_timer_, Millis(device_.profile().fault(FaultKind::flapping).value));
    }
}

void VirtualPhone::cut() {
    while (!connections_.empty()) {
        const auto connection = *connections_.begin();
        connections_.erase(connection);
        connection->close();
    }
}

std::size_t VirtualPhone::queued_bytes() const {
    std::size_t sum = 0;
    for (const auto& connection : connections_) sum += connection->queued();
    return sum;
}

void VirtualPhone::go_away() {
    present_ = false;
    retry_timer_.cancel();
    // First the listener: a client that sees its connection end and comes back at once is refused.
    if (own_listener_) {
        if (const error_code ec = bind_listener(Claim::shared))
            log::warn("{}: {}", device_.id(), cannot_listen(ec).message);
    }
    cut();
}

void VirtualPhone::come_back() {
    present_ = true;
    if (!own_listener_) return;
    if (const error_code ec = begin_listening()) {
        log::warn("{}: {}; it tries again", device_.id(), cannot_listen(ec).message);
        loop_.arm_after(retry_timer_, kRetry);
    }
}

void VirtualPhone::restart(bool power_off) {
    if (powered_off_) return;
    powered_off_ = power_off;
    flap_timer_.cancel();
    phase_timer_.cancel();
    device_.set_booted(false);
    publish_boot();
    go_away();
    if (!power_off) loop_.arm_after(phase_timer_, device_.profile().absent_time);
}

void VirtualPhone::on_phase_over() {
    if (!present_) {
        come_back();
        loop_.arm_after(phase_timer_, device_.profile().boot_time);
        return;
    }
    ++boots_;
    device_.set_booted(true);
    publish_boot();
}

void VirtualPhone::on_flap() {
    if (present_) {
        go_away();
        loop_.arm_after(flap_timer_, device_.profile().fault(FaultKind::flapping).down);
    } else {
        come_back();
    }
}

void VirtualPhone::publish_boot() { publish({"sys.boot_completed", "init.svc.bootanim"}); }

void VirtualPhone::publish(std::initializer_list<const char*> properties) {
    if (!home_) return;
    for (const char* name : properties) home_->write_property(name, device_.property(name));
}

void VirtualPhone::on_home(const std::shared_ptr<Home>& home) {
    if (home_) return;
    home_ = home;
    // They may have changed while the directory was made.
    if (!device_.booted() || boots_ > 0) publish_boot();
    if (device_.profile().fault(FaultKind::new_serial).rate > 0) publish({"ro.serialno", "ro.boot.serialno"});
    const int fd = ::dup(home->control_fd());
    if (fd < 0) return;
    control_.emplace(loop_.io(), fd);
    wait_control();
}

// A phone's own `reboot` and `shutdown` write their name here.
void VirtualPhone::wait_control() {
    control_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this, alive = alive_](const error_code& ec) {
                             if (ec || !*alive) return;
                             std::array<char, 256> text;
                             const ssize_t n = ::read(control_->native_handle(), text.data(), text.size());
                             const std::string_view words(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
                             if (words.find("shutdown") != std::string_view::npos) {
                                 restart(true);
                             } else if (words.find("reboot") != std::string_view::npos) {
                                 restart(false);
                             }
                             wait_control();
                         });
}

// What `setprop` in a shell has written comes first.
std::optional<std::string> VirtualPhone::property(std::string_view name) const {
    if (home_) {
        if (auto value = home_->read_property(name)) return value;
    }
    return device_.property(name);
}

std::shared_ptr<Service> VirtualPhone::open(std::string_view name, Port& port, const CommandFaults& faults) {
    if (name.starts_with("reboot:")) {
        loop_.post([this, alive = alive_] {
            if (*alive) restart(false);
        });
        Scripted nothing;
        return std::make_shared<ScriptedService>(loop_, port, nothing, Millis(std::chrono::hours(1)),
                                                 ShellOutput::Options{}, faults);
    }
    if (name == "sync:") return open_files(port);
    const auto request = parse_shell_request(name, device_.profile());
    if (!request) return nullptr;
    const bool raw = name.starts_with("exec:");
    return open_command(request->command, request->term, request->v2, request->pty, raw, port, faults);
}

SpawnRequest VirtualPhone::spawn_request() const {
    SpawnRequest spawn;
    spawn.id = device_.id();
    spawn.number = number_;
    if (!home_) {
        spawn.properties = device_.properties();
        spawn.packages = device_.profile().packages;
    }
    return spawn;
}

std::shared_ptr<Service> VirtualPhone::open_files(Port& port) {
    const auto features = adb::SyncFeatures::of(device_.profile().feature_set());
    return std::make_shared<SyncService>(loop_, spawner_, port, spawn_request(), features,
                                         [this, alive = alive_](const std::shared_ptr<Home>& home) {
                                             if (*alive) on_home(home);
                                         });
}

std::shared_ptr<Service> VirtualPhone::open_command(const std::string& command, const std::string& term, bool v2,
                                                    bool pty, bool raw, Port& port, const CommandFaults& faults) {
    const Profile& profile = device_.profile();
    ShellOutput::Options options;
    options.v2 = v2;
    options.crlf = profile.crlf && !raw && !v2;
    options.separate_writes = profile.separate_writes;
    if (profile.scripted) {
        auto reply = parse_scripted(command, [this](std::string_view name) { return property(name); });
        if (reply)
            return std::make_shared<ScriptedService>(loop_, port, std::move(*reply), profile.reply_delay, options,
                                                     faults);
    }
    if (!profile.real_shell) {
        Scripted unknown;
        unknown.text = fmt::format("sh: {}: not found\n", command.substr(0, command.find(' ')));
        unknown.exit_code = 127;
        return std::make_shared<ScriptedService>(loop_, port, std::move(unknown), profile.reply_delay, options, faults);
    }
    SpawnRequest spawn = spawn_request();
    spawn.command = command;
    spawn.term = term;
    spawn.merge_stderr = !v2;
    spawn.pty = pty;
    options.separate_writes = false;
    return std::make_shared<ProcessService>(loop_, spawner_, port, std::move(spawn), options, faults, raw,
                                            [this, alive = alive_](const std::shared_ptr<Home>& home) {
                                                if (*alive) on_home(home);
                                            });
}

}  // namespace drover::sim
