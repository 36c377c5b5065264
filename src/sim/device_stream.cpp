#include "sim/device_stream.hpp"

#include "base/assert.hpp"

namespace drover::sim {

using adb::Command;
using adb::Header;

bool DeviceLink::Stream::can_write() const {
    if (link_ == nullptr || link_->out_.size() + link_->host_.queued() >= kQueueBytesMax) return false;
    return link_->delayed_ack_ ? window_ > 0 : !in_flight_;
}

std::size_t DeviceLink::Stream::write_max() const { return link_ == nullptr ? 0 : link_->max_payload_; }

void DeviceLink::Stream::write(ByteView bytes) {
    DROVER_ASSERT(can_write() && bytes.size() <= write_max());
    in_flight_ = true;
    window_ -= static_cast<std::int64_t>(bytes.size());
    link_->send(Command::wrte, mine_, theirs_, bytes);
}

void DeviceLink::Stream::taken(std::size_t bytes) {
    untaken_ -= bytes;
    if (link_ != nullptr) link_->send_okay(*this, bytes);
}

bool DeviceLink::Stream::note_received(std::size_t bytes) {
    untaken_ += bytes;
    // Whoever keeps the rules has one payload in flight, or passes the window by one payload.
    return untaken_ <= (link_->delayed_ack_ ? kWindowBytes : 0) + adb::kMaxPayloadBytes;
}

void DeviceLink::Stream::flush() {
    if (link_ != nullptr) link_->host_.flush();
}

void DeviceLink::Stream::close() {
    if (link_ == nullptr) return;
    DeviceLink& link = *link_;
    // Old daemons close with our number left out (AOSP adb.cpp, the comment on A_CLSE).
    link.send(Command::clse, link.old() ? 0 : mine_, theirs_);
    link.end_stream(mine_);
}

void DeviceLink::Stream::on_okay(ByteView payload) {
    in_flight_ = false;
    if (link_->delayed_ack_ && payload.size() == 4) window_ += static_cast<std::int32_t>(load_le32(payload.data()));
    if (service) service->on_can_write();
}

DeviceLink::Stream* DeviceLink::find(std::uint32_t mine, std::uint32_t theirs) {
    const auto it = streams_.find(mine);
    if (it == streams_.end() || it->second->theirs() != theirs) return nullptr;
    return it->second.get();
}

void DeviceLink::end_stream(std::uint32_t mine) {
    const auto it = streams_.find(mine);
    if (it == streams_.end()) return;
    it->second->detach();
    ended_.push_back(std::move(it->second));
    streams_.erase(it);
}

void DeviceLink::drop_streams() {
    while (!streams_.empty()) {
        const auto stream = streams_.begin()->second;
        end_stream(stream->mine());
        if (stream->service) stream->service->on_closed();
    }
}

void DeviceLink::send_okay(const Stream& stream, std::size_t bytes) {
    std::uint8_t count[4];
    store_le32(count, static_cast<std::uint32_t>(bytes));
    send(Command::okay, stream.mine(), stream.theirs(), delayed_ack_ ? ByteView(count) : ByteView());
}

bool DeviceLink::answer_wrongly(std::uint32_t theirs) {
    if (device_.dice(FaultKind::refuse_open)) {
        send(Command::clse, 0, theirs);
        return true;
    }
    const bool magic = device_.dice(FaultKind::bad_magic);
    const bool oversize = device_.dice(FaultKind::oversize_header);
    if (!magic && !oversize) return false;
    Header h;
    h.command = static_cast<std::uint32_t>(magic ? Command::okay : Command::wrte);
    h.arg0 = device_.next_stream_id();
    h.arg1 = theirs;
    if (oversize) h.length = static_cast<std::uint32_t>(device_.profile().fault(FaultKind::oversize_header).value);
    h.magic = magic ? 0x12345678 : ~h.command;
    const auto raw = adb::encode(h);
    out_.insert(out_.end(), raw.begin(), raw.end());
    host_.wake();
    return true;
}

// The command was accepted and had begun to print when the connection broke.
void DeviceLink::drop_after_part(std::uint32_t theirs, std::uint32_t window) {
    Stream stream(*this, device_.next_stream_id(), theirs, window);
    send_okay(stream, kWindowBytes);
    static constexpr std::uint8_t part[] = {1, 4, 0, 0, 0, 'p', 'a', 'r', 't'};
    send(Command::wrte, stream.mine(), theirs, old() ? ByteView(part).subspan(5) : ByteView(part));
    dropped_ = true;
    host_.drop();
}

void DeviceLink::on_open(const Header& header) {
    const std::uint32_t theirs = header.arg0;
    if (phase_ != Phase::online || theirs == 0) return;
    // With delayed_ack the second argument is the client's window; without it must be 0.
    const bool window_fits = delayed_ack_ ? header.arg1 != 0 : header.arg1 == 0;
    if (!window_fits || streams_.size() >= kStreamsMax) {
        send(Command::clse, 0, theirs);
        return;
    }
    if (answer_wrongly(theirs)) return;
    if (device_.dice(FaultKind::drop)) {
        drop_after_part(theirs, header.arg1);
        return;
    }
    std::string_view name = as_text(payload_);
    while (!name.empty() && name.back() == '\0') name.remove_suffix(1);

    auto stream =
        std::make_shared<Stream>(*this, device_.next_stream_id(), theirs, static_cast<std::int64_t>(header.arg1));
    if (!device_.dice(FaultKind::silent)) {
        CommandFaults faults;
        faults.no_exit_code = device_.dice(FaultKind::no_exit_code);
        if (device_.dice(FaultKind::exit_code)) {
            faults.exit_code = static_cast<std::uint8_t>(device_.profile().fault(FaultKind::exit_code).value);
        }
        if (device_.dice(FaultKind::huge_output)) {
            faults.extra_output_bytes = device_.profile().fault(FaultKind::huge_output).value;
        }
        stream->service = services_.open(name, *stream, faults);
        if (!stream->service) {
            send(Command::clse, 0, theirs);
            return;
        }
    }
    streams_.emplace(stream->mine(), stream);
    send_okay(*stream, kWindowBytes);
    if (stream->service) stream->service->start();
}

void DeviceLink::on_okay(const Header& header) {
    if (phase_ != Phase::online || header.arg0 == 0 || header.arg1 == 0) return;
    if (streams_.find(header.arg1) == streams_.end()) {
        // The client still believes in a stream we have closed: it is told again (AOSP adb.cpp, A_OKAY).
        send(Command::clse, header.arg1, header.arg0);
        return;
    }
    if (Stream* stream = find(header.arg1, header.arg0)) stream->on_okay(payload_);
}

void DeviceLink::on_wrte(const Header& header) {
    if (phase_ != Phase::online || header.arg0 == 0 || header.arg1 == 0) return;
    Stream* stream = find(header.arg1, header.arg0);
    if (stream == nullptr) return;
    if (!stream->note_received(payload_.size())) {
        dropped_ = true;
        host_.drop();
        return;
    }
    if (stream->service) stream->service->on_data(payload_);
}

void DeviceLink::on_clse(const Header& header) {
    if (phase_ != Phase::online || header.arg1 == 0) return;
    const auto it = streams_.find(header.arg1);
    // A client may leave its own number out; the number of another stream of its is not ours to close.
    if (it == streams_.end() || (header.arg0 != 0 && it->second->theirs() != header.arg0)) return;
    const auto stream = it->second;
    stream->close();
    if (stream->service) stream->service->on_closed();
}

}  // namespace drover::sim
