// The device side of one ADB connection: bytes in, packets out; no sockets, no clock (reference: AOSP adb.cpp
// handle_packet, sockets.cpp; Android 4's adbd for the old protocol).
//
// One thread: the phone's loop. The device, the services and the host outlive the link. What the client sends is never
// trusted: a wrong length drops the connection, a wrong magic makes a modern phone deaf, as the real ones do.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "adb/packet.hpp"
#include "sim/device.hpp"
#include "sim/service.hpp"

namespace drover::sim {

// The connection under a link.
class LinkHost {
public:
    virtual void wake() = 0;   // packets wait in out(): take them when the current call has returned
    virtual void flush() = 0;  // take them now
    virtual void drop() = 0;   // send what waits if that is possible at once, then close; never from inside
    virtual std::size_t queued() const = 0;  // bytes taken that the kernel has not

protected:
    ~LinkHost() = default;
};

class DeviceLink final : private adb::PacketSink {
public:
    static constexpr std::size_t kStreamsMax = 1024;                 // further OPENs are refused
    static constexpr std::size_t kQueueBytesMax = 1024 * 1024;       // streams stop writing while more than this waits
    static constexpr std::uint32_t kWindowBytes = 32 * 1024 * 1024;  // what adbd grants with delayed_ack

    DeviceLink(Device& device, Services& services, LinkHost& host);
    ~DeviceLink();
    DeviceLink(const DeviceLink&) = delete;
    DeviceLink& operator=(const DeviceLink&) = delete;

    void feed(ByteView bytes);
    // The packets to send; the host takes them out and leaves the vector empty.
    std::vector<std::uint8_t>& out() { return out_; }
    // The kernel took what was queued: streams that waited may write again.
    void on_drained();
    // Frees services that have ended; to be called when no service is on the call stack.
    void reap() { ended_.clear(); }

    bool online() const { return phase_ == Phase::online; }
    std::size_t streams() const { return streams_.size(); }

private:
    enum class Phase : std::uint8_t { fresh, unauthorized, online };
    class Stream;

    Result<void> on_header(const adb::Header& header) override;
    Result<void> on_payload(const adb::Header& header, ByteView piece) override;
    Result<void> on_packet_end(const adb::Header& header, std::uint32_t sum) override;

    void on_cnxn(const adb::Header& header);
    void on_auth(const adb::Header& header);
    void on_open(const adb::Header& header);
    void on_okay(const adb::Header& header);
    void on_wrte(const adb::Header& header);
    void on_clse(const adb::Header& header);

    void send(adb::Command command, std::uint32_t arg0, std::uint32_t arg1, ByteView payload = {});
    void send_okay(const Stream& stream, std::size_t bytes);
    void send_token();
    void go_online();
    bool answer_wrongly(std::uint32_t theirs);  // faults that replace the answer to an OPEN
    void drop_after_part(std::uint32_t theirs, std::uint32_t window);
    Stream* find(std::uint32_t mine, std::uint32_t theirs);
    void end_stream(std::uint32_t mine);
    void drop_streams();
    bool old() const { return device_.profile().protocol == Protocol::old; }

    Device& device_;
    Services& services_;
    LinkHost& host_;
    adb::PacketParser parser_;
    std::vector<std::uint8_t> payload_;  // of the packet that is being read
    std::vector<std::uint8_t> out_;
    std::map<std::uint32_t, std::shared_ptr<Stream>> streams_;  // by our number
    std::vector<std::shared_ptr<Stream>> ended_;
    std::array<std::uint8_t, 20> token_{};
    std::uint32_t max_payload_;
    Phase phase_ = Phase::fresh;
    bool sums_ = true;  // packets we send carry the checksum
    bool delayed_ack_ = false;
    bool deaf_ = false;  // reads on, answers nothing
    bool dropped_ = false;
    bool mute_after_handshake_ = false;
    bool wrong_sums_ = false;
    bool unauthorized_ = false;
};

}  // namespace drover::sim
