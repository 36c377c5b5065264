// The phone behind a USB node: the rules by which adbd reads and writes USB, and behind them a virtual phone of `drover sim`,
// reached over TCP. So it is the same phone on both wires.
//
// Threads: made and destroyed on its loop; node() and wait_for() from any thread; what it noted after the program under test has ended.
// Ownership: the testbed owns phones. Failure: a host that breaks the rules is noted, and its link fails.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/loop_pool.hpp"
#include "usb/adbd_usb.hpp"
#include "usb/usb_node.hpp"

namespace drover::test {

struct UsbPhoneOptions {
    UsbNodeOptions node;
    bool glues = false;   // header and payload in one transfer, as some gadget drivers do
    bool splits = false;  // a payload in two transfers
    std::string junk;     // sent at once, before anybody asks
};

class UsbPhone : public std::enable_shared_from_this<UsbPhone> {
public:
    static constexpr std::size_t kSaidBytesMax = 64 * 1024;

    UsbPhone(Loop& loop, std::uint16_t port, UsbPhoneOptions options);

    void start();
    void stop();  // closes the way to the virtual phone
    UsbNode& node() { return node_; }
    // Until the phone has said `text` within one packet, or has before.
    bool wait_for(std::string_view text, std::chrono::milliseconds limit);
    // What the host did that adbd would have stumbled over.
    const std::vector<std::string>& violations() const { return violations_; }
    // Sizes of the payloads so far, in both directions.
    const std::vector<std::size_t>& sent() const { return sent_; }
    const std::vector<std::size_t>& received() const { return received_; }

private:
    void to_phone(ByteView packet);
    void stumble(std::string why);
    void read_phone();
    void say_packet(ByteView packet);

    Loop& loop_;
    const UsbPhoneOptions options_;
    boost::asio::ip::tcp::socket socket_;
    HostBlocks from_host_;
    PhonePackets from_phone_;
    bool deaf_ = false;  // stumbled; hears again when somebody claims the interface
    std::vector<std::uint8_t> buffer_;
    std::vector<std::string> violations_;
    std::vector<std::size_t> sent_;
    std::vector<std::size_t> received_;
    std::mutex said_mutex_;
    std::condition_variable said_more_;
    std::string said_;  // the last kSaidBytesMax of all payloads
    UsbNode node_;
};

}  // namespace drover::test
