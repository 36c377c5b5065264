// usbredir as QEMU's usb-redir device speaks it, with libusbredirparser under it: what a USB device has to answer besides its
// bulk endpoints. A high-speed device with one ADB interface, bulk OUT 1 and bulk IN 1.
//
// One thread. Ownership: the peer outlives it; it does not own the socket. Failure: read() and write() say false when QEMU is
// gone or speaks nonsense.
#pragma once
#include <usbredirparser.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace drover::test {

// Who has the endpoints.
class RedirPeer {
public:
    virtual void on_connected() = 0;  // QEMU said hello
    virtual void on_out(ByteView transfer) = 0;
    virtual void on_in(std::uint64_t id, std::size_t room) = 0;  // a read waits
    virtual void on_cancel(std::uint64_t id) = 0;                // it is no longer wanted
    virtual void on_reset() = 0;

protected:
    ~RedirPeer() = default;
};

class RedirParser {
public:
    static constexpr std::size_t kPacketBytes = 512;

    RedirParser(int fd, std::string serial, RedirPeer& peer);

    bool read();
    bool write();  // as much as the socket takes
    bool wants_write() const;

    void plug();
    void unplug();
    // status: usb_redir_success, usb_redir_babble, usb_redir_cancelled.
    void end_in(std::uint64_t id, std::uint8_t status, ByteView bytes);

private:
    struct Callbacks;
    struct Destroy {
        void operator()(usbredirparser* p) const { usbredirparser_destroy(p); }
    };
    void answer_control(std::uint64_t id, usb_redir_control_packet_header header);
    std::string descriptor(std::uint16_t value) const;

    const int fd_;
    const std::string serial_;
    RedirPeer& peer_;
    std::uint8_t configuration_ = 1;
    std::unique_ptr<usbredirparser, Destroy> parser_;
};

}  // namespace drover::test
