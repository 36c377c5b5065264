#include "adb/link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace drover::adb {

Link::Link(LinkOptions options, LinkObserver& observer) : observer_(observer), options_(std::move(options)) {
    DROVER_ASSERT(options_.keys);
    peer_.version = kVersionChecksum;  // until their CNXN arrives we are there, whatever we announce
    peer_.max_payload = kOldPayloadBytes;
    parser_.set_max_payload(kControlBytesMax);
}

Link::~Link() = default;

void Link::start() {
    const std::string banner = host_banner(host_features(options_.delayed_ack));
    // A real checksum, although 0x01000001 is announced: an old daemon closes at once without it.
    append_packet(out_, Command::cnxn, options_.version, options_.max_payload, drover::as_bytes(banner), true);
    flush_if_idle();
}

Result<void> Link::feed(ByteView bytes) {
    DROVER_ASSERT(!feeding_ && state_ != LinkState::closed);
    feeding_ = true;
    auto result = parser_.feed(bytes, *this);
    feeding_ = false;
    return result;
}

void Link::shut(const Error& why) {
    if (state_ == LinkState::closed) return;
    state_ = LinkState::closed;
    drop_streams(why);
}

// From the back, one at a time: a handler may close or look for any other stream meanwhile.
void Link::drop_streams(const Error& why) {
    receiving_ = 0;
    abandoned_.clear();
    while (!streams_.empty()) {
        const Stream s = std::move(streams_.back());
        streams_.pop_back();
        if (s.handler) s.handler->on_closed(why);
    }
}

void Link::enter(LinkState state) {
    state_ = state;
    observer_.on_link_state(state);
}

void Link::flush_if_idle() {
    if (!feeding_ && !out_.empty()) observer_.on_output();
}

void Link::send(Command command, std::uint32_t arg0, std::uint32_t arg1, ByteView payload) {
    append_packet(out_, command, arg0, arg1, payload, checksums() || command == Command::auth);
}

Link::Stream* Link::find(StreamId id) {
    // Nearly always one stream, or the newest of a few.
    if (!streams_.empty() && streams_.back().id == id) return &streams_.back();
    const auto it =
        std::lower_bound(streams_.begin(), streams_.end(), id, [](const Stream& s, StreamId v) { return s.id < v; });
    return it != streams_.end() && it->id == id ? &*it : nullptr;
}

void Link::erase(StreamId id) {
    Stream* s = find(id);
    DROVER_ASSERT(s);
    streams_.erase(streams_.begin() + (s - streams_.data()));
}

// ---- what the user of a stream asks for ----

Result<StreamId> Link::open(std::string_view service, StreamHandler& handler) {
    if (state_ != LinkState::online) return fail(Code::link_lost, "the link is not online");
    if (service.size() + 1 > peer_.max_payload) {
        return fail(Code::command_too_long, fmt::format("{} bytes with its service name, this phone accepts {}",
                                                        service.size() + 1, peer_.max_payload));
    }
    if (streams_.size() >= kStreamsMax)
        return fail(Code::out_of_resources, fmt::format("{} streams are open on this phone", kStreamsMax));
    if (last_id_ == UINT32_MAX) return fail(Code::link_lost, "the link has used up its stream ids");
    Stream& s = streams_.emplace_back();
    s.id = ++last_id_;
    s.handler = &handler;
    // Old daemons need the trailing NUL, new ones strip it. Without delayed_ack arg1 must be 0.
    thread_local std::string text;  // keeps its memory from command to command
    text.assign(service).push_back('\0');
    send(Command::open, s.id, delayed_ack_ ? options_.window_bytes : 0, drover::as_bytes(text));
    const StreamId id = s.id;
    flush_if_idle();
    return id;
}

void Link::write(StreamId id, ByteView bytes) {
    Stream* s = find(id);
    if (!s || !s->handler) return;
    if (!s->queue) s->queue = std::make_unique<std::vector<std::uint8_t>>();
    DROVER_ASSERT(s->queue->size() + bytes.size() <= kSendQueueBytesMax);
    s->queue->insert(s->queue->end(), bytes.begin(), bytes.end());
    pump(*s);
    flush_if_idle();
}

void Link::pump(Stream& s) {
    if (!s.queue || s.remote == 0) return;
    auto& queue = *s.queue;
    std::size_t sent = 0;
    while (sent < queue.size() && (delayed_ack_ ? s.send_window > 0 : !s.write_in_flight)) {
        std::size_t n = std::min<std::size_t>(queue.size() - sent, peer_.max_payload);
        if (delayed_ack_) n = std::min<std::size_t>(n, static_cast<std::size_t>(s.send_window));
        send(Command::wrte, s.id, s.remote, ByteView(queue).subspan(sent, n));
        sent += n;
        s.send_window -= static_cast<std::int64_t>(n);
        s.in_flight += n;
        s.write_in_flight = true;
    }
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(sent));
}

std::size_t Link::unacked(StreamId id) {
    const Stream* s = find(id);
    return s ? s->in_flight + (s->queue ? s->queue->size() : 0) : 0;
}

void Link::acknowledge(StreamId id) {
    Stream* s = find(id);
    if (!s || !s->held) return;
    s->held = false;
    if (s->ack_due) send_ack(*s);
    flush_if_idle();
}

void Link::send_ack(Stream& s) {
    s.ack_due = false;
    std::uint8_t count[4];
    store_le32(count, std::exchange(s.unacked, 0));
    send(Command::okay, s.id, s.remote, delayed_ack_ ? ByteView(count) : ByteView());
}

void Link::close(StreamId id) {
    Stream* s = find(id);
    if (!s || !s->handler) return;
    if (id == receiving_) {
        s->handler = nullptr;  // the packet that is coming in still gets its OKAY, then CLSE follows
        return;
    }
    if (s->remote == 0) {
        abandoned_.push_back(id);  // its OKAY, when it comes, is answered by CLSE
        if (abandoned_.size() > kAbandonedMax) abandoned_.erase(abandoned_.begin());
    } else {
        // A WRTE that was never acknowledged can leave the process of a later stream running on the phone.
        if (s->ack_due) send_ack(*s);
        send(Command::clse, s->id, s->remote);
    }
    erase(id);
    flush_if_idle();
}

// ---- what comes from the phone ----

Result<void> Link::on_header(const Header& h) {
    if (h.is(Command::wrte)) {
        // Only the stream's own ids on both sides; anything else is late or forged, and its payload is passed over.
        const Stream* s = state_ == LinkState::online ? find(h.arg1) : nullptr;
        if (!s || s->remote == 0 || s->remote != h.arg0) return {};
        if (auto ok = check_window(*s, h); !ok) return ok;
        receiving_ = s->id;
        return {};
    }
    control_.clear();
    const bool handshake = h.is(Command::cnxn) || h.is(Command::auth);
    if (handshake && h.length > kControlBytesMax) {
        return fail(Code::protocol_error,
                    fmt::format("{} of {} bytes, the limit is {}", name_of(h.command), h.length, kControlBytesMax));
    }
    return {};
}

Result<void> Link::on_payload(const Header& h, ByteView piece) {
    if (h.is(Command::wrte)) {
        if (receiving_ == 0) return {};
        const Stream* s = find(receiving_);
        if (!s->handler) return {};
        const StreamId id = receiving_;
        const Ack ack = s->handler->on_data(piece);
        // The handler may have opened or closed streams: look again.
        if (ack == Ack::later) {
            if (Stream* again = find(id)) again->held = true;
        }
        return {};
    }
    // OPEN and unknown packets may be long: their payload is not kept.
    if (control_.size() + piece.size() <= kControlBytesMax) control_.insert(control_.end(), piece.begin(), piece.end());
    return {};
}

// A peer at 0x01000001 may send 0, also in its CNXN; until then only its own word tells which version it speaks.
bool Link::must_verify(const Header& h) const {
    if (state_ == LinkState::online) return checksums();
    if (h.is(Command::cnxn)) return h.arg0 < kVersionNoChecksum || h.check != 0;
    return h.is(Command::auth) && h.check != 0;
}

Result<void> Link::on_packet_end(const Header& h, std::uint32_t sum) {
    if (must_verify(h) && sum != h.check) {
        return fail(Code::protocol_error,
                    fmt::format("{} has checksum {}, its payload sums to {}", name_of(h.command), h.check, sum));
    }
    switch (static_cast<Command>(h.command)) {
        case Command::cnxn: return on_cnxn(h);
        case Command::auth: return on_auth(h);
        case Command::stls:
            if (state_ == LinkState::online) return stray(h);
            return fail(Code::wants_tls, "wants wireless-debugging TLS: use `adb tcpip 5555`, or `via: server`");
        case Command::okay: return on_okay(h);
        case Command::wrte:
            if (receiving_ == 0) return stray(h);
            end_of_write(h);
            return {};
        case Command::clse:
            if (const Stream* s = find(h.arg1); !s || (h.arg0 != 0 && s->remote != 0 && s->remote != h.arg0)) {
                return was_abandoned(h.arg1) ? Result<void>() : stray(h);
            }
            on_clse(h);
            return {};
        case Command::open:
            // A phone may ask for a reverse forward nobody set up. Refused, never fatal.
            if (state_ == LinkState::online) send(Command::clse, 0, h.arg0);
            return stray(h);
        case Command::sync: break;
    }
    return stray(h);
}

void Link::end_of_write(const Header& h) {
    strays_ = 0;
    Stream* s = find(std::exchange(receiving_, 0));
    s->unacked += h.length;
    if (!s->handler) {  // closed meanwhile by its user
        send_ack(*s);
        send(Command::clse, s->id, s->remote);
        erase(s->id);
        return;
    }
    if (s->held) {
        s->ack_due = true;
    } else {
        send_ack(*s);
    }
}

Result<void> Link::on_okay(const Header& h) {
    Stream* s = find(h.arg1);
    if (!s || h.arg0 == 0 || (s->remote != 0 && s->remote != h.arg0)) {
        // A stream we dropped: without CLSE the phone would keep its process. One answer per OKAY, never to CLSE.
        if (state_ == LinkState::online && h.arg0 != 0) send(Command::clse, h.arg1, h.arg0);
        return was_abandoned(h.arg1) ? Result<void>() : stray(h);
    }
    strays_ = 0;
    if (delayed_ack_) {
        if (control_.size() != 4) {
            return fail(Code::protocol_error, fmt::format("OKAY of {} bytes, with delayed_ack it has 4", h.length));
        }
        s->send_window += static_cast<std::int32_t>(load_le32(control_.data()));
        // Sums of 32-bit steps: a phone that keeps granting could otherwise overflow it.
        s->send_window = std::clamp<std::int64_t>(s->send_window, INT32_MIN, INT32_MAX);
    }
    const bool first = s->remote == 0;
    // The first one grants a window and acknowledges nothing.
    const std::uint64_t taken = first ? 0 : delayed_ack_ ? load_le32(control_.data()) : s->in_flight;
    s->in_flight -= std::min(taken, s->in_flight);
    s->remote = h.arg0;
    s->write_in_flight = false;
    pump(*s);
    const StreamId id = s->id;
    StreamHandler* const handler = s->handler;
    const bool drained = s->queue && s->queue->empty() && !first;
    if (first) handler->on_open();
    if (drained) {
        if (const Stream* again = find(id); again && again->handler) handler->on_writable();
    }
    return {};
}

void Link::on_clse(const Header& h) {
    strays_ = 0;
    Stream* s = find(h.arg1);
    const bool opened = s->remote != 0;
    if (opened) send(Command::clse, s->id, s->remote);  // as AOSP's host does
    StreamHandler* const handler = s->handler;
    erase(s->id);
    if (opened) {
        handler->on_closed(std::nullopt);
    } else {
        handler->on_closed(Error(Code::refused, "the phone refused the service"));
    }
}

// An answer to an OPEN that its user gave up: expected, once.
bool Link::was_abandoned(StreamId id) { return std::erase(abandoned_, id) > 0; }

// While its user holds a stream back, the phone may send no more than it was allowed to: that bounds what the user must keep.
Result<void> Link::check_window(const Stream& s, const Header& h) const {
    const std::uint64_t unacked = std::uint64_t{s.unacked} + h.length;
    // With delayed_ack a sender may overshoot by up to one payload.
    const bool ok = delayed_ack_ ? unacked <= std::uint64_t{options_.window_bytes} + peer_.max_payload : !s.ack_due;
    if (ok) return {};
    return fail(Code::protocol_error,
                delayed_ack_ ? fmt::format("{} bytes sent past a window of {}", unacked, options_.window_bytes)
                             : std::string("a second WRTE before the OKAY of the first"));
}

Result<void> Link::stray(const Header& h) {
    if (++strays_ <= kStrayPacketsMax) return {};
    return fail(Code::flood,
                fmt::format("{} packets in a row that nobody asked for, the last one {}", strays_, name_of(h.command)));
}

}  // namespace drover::adb
