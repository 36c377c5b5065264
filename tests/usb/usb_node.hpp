// One usbfs device node as libusb sees it: URBs that are submitted, wait and are reaped, and two bulk endpoints that keep the
// rules of USB (a read ends with a short packet, when it is full, or with overflow; nothing follows a full last packet).
//
// Threads: ioctls come on the testbed's thread, the other calls from any; one mutex per node. Ownership: the testbed owns nodes.
// A node is a symlink to a terminal: its readiness for writing says "there is something to reap", as with usbfs. A plain file
// would be always ready, and libusb would spin.
#pragma once
#include <umockdev.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace drover::test {

struct UsbNodeOptions {
    std::size_t packet_bytes = 512;    // 1024: SuperSpeed
    bool claimed_elsewhere = false;    // another process has the interface
    std::size_t memory_bytes_max = 0;  // larger transfers get ENOMEM; 0: none do
};

class UsbNode {
public:
    // One OUT transfer of the host. Called with the node's mutex held: take the bytes and leave.
    using OnOut = std::function<void(std::vector<std::uint8_t> transfer)>;

    using OnClaim = std::function<void()>;  // likewise: somebody claimed the interface

    UsbNode(UsbNodeOptions options, OnOut on_out, OnClaim on_claim);
    ~UsbNode();
    UsbNode(const UsbNode&) = delete;
    UsbNode& operator=(const UsbNode&) = delete;

    UMockdevIoctlBase* handler() { return handler_; }
    std::string terminal() const;  // what the node is a link to

    void say(ByteView transfer);  // the phone sends one transfer
    void vanish();                // unplugged: every URB comes back, the node hangs up
    void fail_read(int status);   // ends the oldest waiting read, or the next one, with that (negative) status
    bool wait_until_free(std::chrono::milliseconds limit);  // until nobody has the interface

    bool wait_until_reset(std::chrono::milliseconds limit);  // the port, by anybody

    // What the host did so far.
    struct Seen {
        std::size_t claims = 0;
        std::size_t releases = 0;
        std::size_t resets = 0;
        std::size_t largest_transfer = 0;
        std::size_t no_memory = 0;
        std::vector<std::size_t> read_sizes;
        std::size_t parked = 0;  // reads waiting now
        std::size_t unread = 0;  // packets that no read has taken
    };
    Seen seen();

private:
    struct Done {
        UMockdevIoctlData* urb;
        int status;
    };
    static gboolean on_ioctl(UMockdevIoctlBase*, UMockdevIoctlClient* client, UsbNode* self);
    static void on_client_gone(gpointer self, GObject* client);
    struct Answer {
        long result;
        int error;
    };
    Answer ioctl(UMockdevIoctlClient* client, unsigned long request, UMockdevIoctlData* argument);
    Answer submit(UMockdevIoctlClient* client, UMockdevIoctlData* argument);
    Answer reap(UMockdevIoctlData* argument);
    Answer discard(UMockdevIoctlData* argument);
    Answer control(UMockdevIoctlData* argument);
    void fill();   // parked reads from what the phone sent
    void level();  // the terminal's readiness
    void drop_urbs();
    void set_owner(UMockdevIoctlClient* client);

    const UsbNodeOptions options_;
    const OnOut on_out_;
    const OnClaim on_claim_;
    UMockdevIoctlBase* handler_;
    int master_ = -1;
    int slave_ = -1;
    std::mutex mutex_;
    std::condition_variable freed_, reset_;
    UMockdevIoctlClient* owner_ = nullptr;           // who claimed the interface
    std::deque<UMockdevIoctlData*> parked_;          // reads that wait
    std::deque<Done> done_;                          // URBs to be reaped
    std::deque<std::vector<std::uint8_t>> to_host_;  // packets
    int read_status_ = 0;                            // of the next read
    bool gone_ = false;
    Seen seen_;
};

}  // namespace drover::test
