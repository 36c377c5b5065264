// One USB phone for QEMU: usbredir on a Unix socket, and behind it a virtual phone of `drover sim`, reached over TCP.
//
// One thread: the io_context's. Ownership: main() owns phones and they outlive its run(). Failure: what cannot be set up throws;
// when QEMU leaves, the phone is silent. A host that breaks adbd's rules is noted.
#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "usb/adbd_usb.hpp"
#include "vm/redir_parser.hpp"

namespace drover::test {

// What all phones together saw.
struct RedirNotes {
    std::vector<std::string> violations;
    std::set<std::size_t> sent, received;  // sizes of payloads
};

class RedirPhone final : public RedirPeer {
public:
    RedirPhone(boost::asio::io_context& io, const std::string& socket_path, std::string serial, std::uint16_t port,
               RedirNotes& notes);

    // Pulls the cable as soon as the phone has said something on a stream; then calls.
    void unplug_at_output(std::function<void()> done);
    void plug();

private:
    using Local = boost::asio::local::stream_protocol;
    struct Read {
        std::uint64_t id;
        std::size_t room;
        std::vector<std::uint8_t> bytes;
    };

    void on_connected() override {}
    void on_out(ByteView transfer) override;
    void on_in(std::uint64_t id, std::size_t room) override;
    void on_cancel(std::uint64_t id) override;
    void on_reset() override {}

    void dial_phone();
    void read_phone();
    void say_packet(ByteView packet);
    void say(ByteView transfer);
    void fill();
    void read_qemu();
    void flush();

    boost::asio::io_context& io_;
    const std::string serial_;
    const std::uint16_t port_;
    RedirNotes& notes_;
    Local::acceptor acceptor_;
    Local::socket qemu_;
    std::unique_ptr<RedirParser> parser_;
    std::unique_ptr<boost::asio::ip::tcp::socket> phone_;  // anew with each plug
    std::vector<std::uint8_t> buffer_;
    HostBlocks from_host_;
    PhonePackets from_phone_;
    std::deque<Read> reads_;
    std::deque<std::vector<std::uint8_t>> packets_;  // USB packets no read has taken
    std::function<void()> unplug_done_;
    bool writing_ = false;
};

}  // namespace drover::test
