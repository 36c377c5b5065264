// The host's end of one ADB connection: handshake, authentication, streams and their windows. Sans-IO: bytes in, packets
// out, events to its observer. The driver above feeds what a transport read and writes what take_output() returns: once
// for everything one read brought (reference: speed.md, "one write per read").
//
// Threads: one, the phone's loop. Ownership: observer, keys and handlers outlive the link. Failure: a peer that breaks the
// protocol, or floods, ends this link only: feed() returns the error, and shut() hands it to every stream. Late packets
// for streams that are gone are normal and counted, until kStrayPacketsMax arrive with no useful one between them.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adb/auth.hpp"
#include "adb/packet.hpp"
#include "adb/stream.hpp"
#include "base/prefetch.hpp"

namespace drover::adb {

enum class LinkState : std::uint8_t { handshaking, authorizing, unauthorized, online, closed };

class LinkObserver {
public:
    virtual void on_link_state(LinkState state) = 0;  // each change but `closed`; online again after a second CNXN
    virtual void on_key_accepted(const std::string& fingerprint) = 0;
    virtual void on_output() = 0;  // there is output, and no feed() is running that would be followed by a flush

protected:
    ~LinkObserver() = default;
};

struct LinkOptions {
    std::shared_ptr<const KeyRing> keys;      // never null
    std::string accepted_key;                 // fingerprint to try first; may be empty
    bool delayed_ack = true;                  // offer it; used only when the phone lists it too
    std::uint32_t window_bytes = 256 * 1024;  // our receive window per stream with delayed_ack: bounds memory
    std::uint32_t version = kVersionNoChecksum;
    std::uint32_t max_payload = kMaxPayloadBytes;
};

class Link final : public Carrier, private PacketSink {
public:
    static constexpr std::uint32_t kStrayPacketsMax = 4096;
    static constexpr std::size_t kStreamsMax = 256;  // open at once on one link
    static constexpr std::size_t kAbandonedMax = 1024;
    static constexpr std::size_t kSendQueueBytesMax = 1024 * 1024;     // per stream
    static constexpr std::size_t kControlBytesMax = kOldPayloadBytes;  // CNXN, AUTH
    static constexpr std::uint32_t kPeerPayloadBytesMin = 64;          // a phone that takes less is broken

    Link(LinkOptions options, LinkObserver& observer);
    ~Link() override;

    void start();  // queues CNXN
    // Bytes from the phone. After an error the link must not be fed again: the owner calls shut(). Not from a callback.
    Result<void> feed(ByteView bytes);
    // The transport is gone, or the owner wants out: every stream gets on_closed(why). Nothing is sent.
    void shut(const Error& why);

    // Packets to be sent; the driver takes them after feed(), and when on_output() says so.
    std::vector<std::uint8_t>& output() { return out_; }
    LinkState state() const { return state_; }
    // It is about to be fed, or asked for a stream.
    void expect_use() const { prefetch(this, kHotBytes); }
    std::size_t stream_count() const { return streams_.size(); }

    const Peer& peer() const override { return peer_; }
    Result<StreamId> open(std::string_view service, StreamHandler& handler) override;
    void write(StreamId id, ByteView bytes) override;
    std::size_t write_limit() const override { return kSendQueueBytesMax; }
    std::size_t unacked(StreamId id) override;
    void acknowledge(StreamId id) override;
    void close(StreamId id) override;

private:
    struct Stream {
        StreamId id = 0;
        std::uint32_t remote = 0;          // 0: no OKAY yet
        StreamHandler* handler = nullptr;  // null: closed by its user inside a packet, ends with that packet
        std::int64_t send_window = 0;      // delayed_ack only, bytes; the phone may drive it below zero
        std::uint64_t in_flight = 0;       // bytes sent that the phone has not acknowledged
        std::uint32_t unacked = 0;         // bytes received and not acknowledged
        bool write_in_flight = false;      // without delayed_ack: one WRTE waits for its OKAY
        bool held = false;                 // the user said Ack::later
        bool ack_due = false;              // a packet ended while held
        std::unique_ptr<std::vector<std::uint8_t>> queue;  // written by the user, not yet sent
    };

    Result<void> on_header(const Header& header) override;
    Result<void> on_payload(const Header& header, ByteView piece) override;
    Result<void> on_packet_end(const Header& header, std::uint32_t sum) override;

    Result<void> on_cnxn(const Header& header);
    Result<void> on_auth(const Header& header);
    Result<void> on_okay(const Header& header);
    void on_clse(const Header& header);
    void end_of_write(const Header& header);
    Result<void> stray(const Header& header);
    bool was_abandoned(StreamId id);
    Result<void> check_window(const Stream& stream, const Header& header) const;
    bool must_verify(const Header& header) const;

    Stream* find(StreamId id);
    void erase(StreamId id);
    void drop_streams(const Error& why);
    void send(Command command, std::uint32_t arg0, std::uint32_t arg1, ByteView payload = {});
    void send_ack(Stream& stream);
    void pump(Stream& stream);
    void enter(LinkState state);
    void flush_if_idle();
    bool checksums() const { return peer_.version < kVersionNoChecksum; }

    // First what every command needs: kHotBytes of a Carrier.
    LinkObserver& observer_;
    LinkState state_ = LinkState::handshaking;
    bool feeding_ = false;
    bool delayed_ack_ = false;
    StreamId last_id_ = 0;
    StreamId receiving_ = 0;    // the stream whose WRTE is coming in
    std::uint32_t strays_ = 0;  // since the last useful packet
    PacketParser parser_;
    std::vector<Stream> streams_;  // sorted by id: ids only grow
    std::vector<std::uint8_t> out_;
    std::vector<std::uint8_t> control_;  // payload of a small packet: CNXN, AUTH, OKAY
    Peer peer_;
    LinkOptions options_;
    std::vector<StreamId> abandoned_;  // closed before their OKAY, and not answered yet; the newest kAbandonedMax
    std::vector<std::size_t> key_order_;
    std::size_t keys_tried_ = 0;
};

}  // namespace drover::adb
