#include "sim/process_service.hpp"

#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace drover::sim {

namespace {
constexpr std::size_t kSizeBytesMax = 64;
}

using boost::asio::posix::stream_descriptor;

ProcessService::ProcessService(Loop& loop, std::shared_ptr<Spawner> spawner, Port& port, SpawnRequest request,
                               ShellOutput::Options options, const CommandFaults& faults, bool raw, OnHome on_home)
    : loop_(loop),
      spawner_(std::move(spawner)),
      port_(&port),
      request_(std::move(request)),
      output_(port, options, faults),
      on_home_(std::move(on_home)),
      v2_(options.v2),
      raw_(raw) {
    err_.id = ShellId::err;
}

ProcessService::~ProcessService() { end(); }

void ProcessService::start() {
    spawner_->spawn(std::move(request_), loop_,
                    [self = shared_from_this()](Result<Child> child) { self->on_spawned(std::move(child)); });
}

void ProcessService::refuse(const Error& error) {
    const std::string text = "sh: " + error.message + "\n";
    output_.add(ShellId::err, as_bytes(text));
    output_.finish(126);
    if (!output_.pump()) port_ = nullptr;
}

void ProcessService::on_spawned(Result<Child> child) {
    if (port_ == nullptr && !lingers_) {
        if (child) spawner_->bury(child->pid);
        return;
    }
    if (!child) {
        if (!lingers_) refuse(child.error());
        return;
    }
    pid_ = child->pid;
    if (!lingers_) out_.fd.emplace(loop_.io(), child->out.release());
    if (child->err && !lingers_) err_.fd.emplace(loop_.io(), child->err.release());
    in_.emplace(loop_.io(), child->in.release());
    pidfd_.emplace(loop_.io(), child->pidfd.release());
    on_home_(child->home);
    if (!early_size_.empty()) resize(std::exchange(early_size_, {}));
    wait_exit();
    pump();
    write_input();
}

void ProcessService::wait_readable(Source& source) {
    if (!source.fd || source.waiting || output_.room() == 0) return;
    source.waiting = true;
    source.fd->async_wait(stream_descriptor::wait_read,
                          [self = shared_from_this(), &source](const boost::system::error_code& ec) {
                              source.waiting = false;
                              if (!ec && self->port_ != nullptr && source.fd) self->read_some(source);
                          });
}

void ProcessService::read_some(Source& source) {
    auto& buffer = loop_.read_buffer();
    const std::size_t most = std::min(buffer.size(), output_.room());
    if (most > 0) {
        const ssize_t n = ::read(source.fd->native_handle(), buffer.data(), most);
        if (n > 0) {
            output_.add(source.id, ByteView(buffer.data(), static_cast<std::size_t>(n)));
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            source.fd.reset();  // a terminal ends with EIO
        }
    }
    pump();
}

void ProcessService::wait_exit() {
    pidfd_->async_wait(stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec && (self->port_ != nullptr || self->lingers_)) self->on_exit();
    });
}

void ProcessService::on_exit() {
    siginfo_t info{};
    // It stays unburied until the stream has ended: so long its number cannot be given to another process group.
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    if (info.si_pid == 0) return wait_exit();  // woken too early: it has not ended
    if (lingers_) return end();
    exit_code_ = info.si_code == CLD_EXITED ? info.si_status : 0x80 | info.si_status;
    pump();
}

void ProcessService::pump() {
    if (port_ == nullptr) return;
    // As adbd: the end is the end of both pipes, then the exit code. A child in the background that keeps them keeps the stream.
    if (!out_.fd && !err_.fd && exit_code_ && !output_.finished())
        output_.finish(static_cast<std::uint8_t>(*exit_code_));
    if (!output_.pump()) {
        end();
        return;
    }
    wait_readable(out_);
    wait_readable(err_);
}

void ProcessService::on_can_write() { pump(); }

void ProcessService::on_data(ByteView bytes) {
    unacknowledged_ += bytes.size();
    if (v2_) {
        parse_input(bytes);
    } else {
        input_.insert(input_.end(), bytes.begin(), bytes.end());
    }
    write_input();
}

void ProcessService::parse_input(ByteView bytes) {
    while (!bytes.empty()) {
        if (packet_left_ == 0) {
            framing_.push_back(bytes.front());
            bytes = bytes.subspan(1);
            if (framing_.size() < ShellOutput::kShellHeaderBytes) continue;
            packet_id_ = static_cast<ShellId>(framing_[0]);
            packet_left_ = load_le32(framing_.data() + 1);
            framing_.clear();
            if (packet_id_ == ShellId::close_in) input_ended_ = true;
            continue;
        }
        const ByteView piece = bytes.first(std::min<std::size_t>(packet_left_, bytes.size()));
        packet_left_ -= static_cast<std::uint32_t>(piece.size());
        bytes = bytes.subspan(piece.size());
        if (packet_id_ == ShellId::window_size && size_.size() < kSizeBytesMax) {
            size_ += as_text(piece);
            if (packet_left_ == 0) resize(std::exchange(size_, {}));
        }
        if (packet_id_ == ShellId::in && !input_ended_) input_.insert(input_.end(), piece.begin(), piece.end());
    }
}

// "ROWSxCOLUMNS,WIDTHxHEIGHT", for a terminal only.
void ProcessService::resize(std::string_view text) {
    winsize size{};
    const std::string copy(text);
    if (std::sscanf(copy.c_str(), "%hux%hu,%hux%hu", &size.ws_row, &size.ws_col, &size.ws_xpixel, &size.ws_ypixel) < 2)
        return;
    if (in_) {
        ::ioctl(in_->native_handle(), TIOCSWINSZ, &size);
    } else if (pid_ < 0) {
        early_size_ = copy;  // the terminal is not there yet
    }
}

void ProcessService::write_input() {
    if ((port_ == nullptr && !lingers_) || pid_ < 0) return;
    while (in_ && !input_.empty()) {
        const ssize_t n = ::write(in_->native_handle(), input_.data(), input_.size());
        if (n > 0) {
            input_.erase(input_.begin(), input_.begin() + n);
        } else if (n < 0 && errno == EAGAIN) {
            if (input_waiting_) return;
            input_waiting_ = true;
            in_->async_wait(stream_descriptor::wait_write,
                            [self = shared_from_this()](const boost::system::error_code& ec) {
                                self->input_waiting_ = false;
                                if (!ec) self->write_input();
                            });
            return;
        } else if (n < 0 && errno != EINTR) {
            in_.reset();  // the command has closed its stdin; what follows is swallowed
        }
    }
    input_.clear();
    if (input_ended_) in_.reset();
    // Acknowledging late holds the client back.
    if (unacknowledged_ > 0 && port_ != nullptr) port_->taken(std::exchange(unacknowledged_, 0));
}

// As adbd: the end of an exec: stream is the end of the command's input, as `adb exec-in` has it, and nobody reads what it prints.
void ProcessService::on_closed() {
    if (!raw_ || exit_code_) return end();
    port_ = nullptr;
    lingers_ = true;
    out_.fd.reset();
    err_.fd.reset();
    input_ended_ = true;
    loop_.arm_after(linger_, kLingerMax);
    write_input();
}

void ProcessService::end() {
    port_ = nullptr;
    lingers_ = false;
    linger_.cancel();
    out_.fd.reset();
    err_.fd.reset();
    in_.reset();
    pidfd_.reset();
    if (pid_ > 0) spawner_->bury(std::exchange(pid_, -1));
}

}  // namespace drover::sim
