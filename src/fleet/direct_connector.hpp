// What reaching a phone directly has in common, whatever the wire: a deadline for the connection, then a Link over the
// transport that came of it, its handshake and its end. TcpConnector and UsbConnector add the way to a transport.
//
// Threads: the phone's loop. The connector owns transport and link. Failure: on_down(); hopeless for a phone that trusts none
// of our keys, wants TLS, or does not speak ADB.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "adb/link.hpp"
#include "adb/transport/transport.hpp"
#include "base/loop_pool.hpp"
#include "fleet/connector.hpp"
#include "fleet/key_memory.hpp"

namespace drover::fleet {

struct LinkConnectorOptions {
    adb::LinkOptions link;
    // Of one attempt. Those who wait have tighter limits of their own; these end an attempt nobody would end else.
    std::chrono::milliseconds connect{30'000};    // until there is a transport
    std::chrono::milliseconds handshake{30'000};  // from there to CNXN, or to a decision about our keys
    KeyMemory* key_memory = nullptr;              // may be null
};

// Answers a phone has not taken. One that sends and does not read would make them grow without end.
constexpr std::size_t kBacklogBytesMax = 4 * 1024 * 1024;

class DirectConnector : public Connector, private adb::TransportSink, private adb::LinkObserver {
public:
    void start(ConnectorSink& sink) final;
    void stop() final;

protected:
    using MakeTransport = std::function<std::unique_ptr<adb::Transport>(adb::TransportSink& sink)>;

    DirectConnector(Loop& loop, std::string instance_id, LinkConnectorOptions options);

    // Begins to connect; leads to connected() or failed(), not from inside. The destructor of the derived class calls stop().
    virtual void dial() = 0;
    virtual void drop_dial() = 0;           // nothing may come of dial() any more
    virtual std::string where() const = 0;  // the address, for messages

    void connected(const MakeTransport& make);
    void failed(const Error& why, PhoneEvent event, bool hopeless);
    Loop& loop() { return loop_; }

private:
    void on_bytes(ByteView bytes) override;
    void expect_bytes() override;
    void on_lost(const Error& why) override;
    void on_link_state(adb::LinkState state) override;
    void on_key_accepted(const std::string& fingerprint) override;
    void on_output() override;
    void on_deadline();
    void link_down(const Error& why, bool hopeless);
    void write_answers(bool more_to_come);

    // First what every read needs.
    std::shared_ptr<adb::Link> link_;  // nobody else's: what waits in the loop sees by it whether this is still there
    std::unique_ptr<adb::Transport> transport_;
    ConnectorSink* sink_ = nullptr;
    bool unauthorized_ = false;
    Loop& loop_;
    const std::string instance_id_;
    const LinkConnectorOptions options_;
    Timer deadline_ = Timer::calls<&DirectConnector::on_deadline>(*this);
};

}  // namespace drover::fleet
