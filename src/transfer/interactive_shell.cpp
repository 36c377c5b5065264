#include "transfer/interactive_shell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/duration.hpp"

namespace drover::transfer {

InteractiveShell::InteractiveShell(fleet::Phone& phone, InteractiveSink& sink, Options options)
    : phone_(phone), sink_(sink), options_(std::move(options)), link_(phone, *this) {}

InteractiveShell::~InteractiveShell() {
    if (id_ != 0) carrier_->close(id_);
}

void InteractiveShell::start() { link_.start(options_.limits); }

void InteractiveShell::on_no_link(const Error& why, Phase) { end(tl::unexpected(why)); }

void InteractiveShell::on_link(adb::Carrier& carrier) {
    v2_ = carrier.peer().features.shell_v2();
    std::string service = "shell:" + options_.command;
    if (v2_) {
        service = options_.terminal ? fmt::format("shell,v2,TERM={},pty:{}", options_.term, options_.command)
                                    : fmt::format("shell,v2,raw:{}", options_.command);
    }
    const auto id = carrier.open(service, *this);
    if (!id) return end(tl::unexpected(id.error()));
    carrier_ = &carrier;
    id_ = *id;
    phone_.loop().arm_after(open_deadline_, options_.limits.open);
}

void InteractiveShell::on_deadline() {
    end(fail(Code::open_deadline, fmt::format("nothing within {}", to_string(options_.limits.open))));
}

void InteractiveShell::on_open() {
    open_deadline_.cancel();
    open_ = true;
    sink_.on_open();
    if (options_.terminal) resize(options_.size);
    if (const std::string early = std::exchange(early_, {}); !early.empty()) type(as_bytes(early));
    if (input_ended_) end_of_input();
    flush();
}

adb::Ack InteractiveShell::on_data(ByteView bytes) {
    if (ended_) return adb::Ack::now;
    if (!v2_) {
        sink_.on_output(OutputStream::out, bytes);
        return adb::Ack::later;
    }
    const auto fed = parser_.feed(bytes, *this);
    if (!fed) {
        end(tl::unexpected(fed.error()));
    } else if (parser_.exit_code()) {
        end(std::optional<int>(*parser_.exit_code()));
    }
    return ended_ ? adb::Ack::now : adb::Ack::later;
}

void InteractiveShell::on_shell_bytes(OutputStream stream, ByteView bytes) { sink_.on_output(stream, bytes); }

void InteractiveShell::on_closed(const std::optional<Error>& why) {
    id_ = 0;
    if (why) return end(tl::unexpected(*why));
    if (v2_) return end(fail(Code::exit_code_unknown, "the phone closed the shell without saying its exit code"));
    end(std::optional<int>());
}

void InteractiveShell::packet(adb::ShellId id, ByteView data) {
    std::uint8_t head[adb::kShellHeaderBytes] = {static_cast<std::uint8_t>(id)};
    store_le32(head + 1, static_cast<std::uint32_t>(data.size()));
    pending_ += as_text(head);
    pending_ += as_text(data);
    flush();
}

void InteractiveShell::type(ByteView keys) {
    if (!open_) {
        early_ += as_text(keys);  // which of the protocols it will be is not known yet
    } else if (v2_) {
        packet(adb::ShellId::in, keys);
    } else {
        pending_ += as_text(keys);
        flush();
    }
}

void InteractiveShell::end_of_input() {
    input_ended_ = true;
    if (v2_ && open_) packet(adb::ShellId::close_in, {});
}

void InteractiveShell::resize(const WindowSize& s) {
    if (!v2_ || !open_) return;
    std::string text = fmt::format("{}x{},{}x{}", s.rows, s.columns, s.width, s.height);
    text.push_back('\0');  // as adb sends it
    packet(adb::ShellId::window_size, as_bytes(text));
}

void InteractiveShell::acknowledge() {
    if (id_ != 0) carrier_->acknowledge(id_);
}

void InteractiveShell::flush() {
    if (id_ == 0 || !open_) return;
    const std::size_t limit = std::min(carrier_->write_limit(), kPendingBytesMax);
    const std::size_t unacked = carrier_->unacked(id_);
    const std::size_t n = std::min(pending_.size(), limit - std::min(limit, unacked));
    if (n > 0) {
        const std::string now = pending_.substr(0, n);
        pending_.erase(0, n);
        carrier_->write(id_, as_bytes(now));
    }
    if (pending_.empty()) sink_.on_room();
}

void InteractiveShell::end(const Result<std::optional<int>>& end) {
    if (std::exchange(ended_, true)) return;
    open_deadline_.cancel();
    link_.cancel();
    if (id_ != 0) carrier_->close(std::exchange(id_, 0));
    sink_.on_end(end);
}

}  // namespace drover::transfer
