// How one phone gets a carrier: direct TCP (TcpConnector), direct USB (UsbConnector), through an adb
// server (ServerConnector).
// One more (AutoConnector) chooses between the last two.
// Threads: the phone's loop. Ownership: the phone owns its connector; the sink outlives it. A carrier lives until on_down()
// returns or stop() is called.
#pragma once
#include <functional>
#include <string>

#include "adb/stream.hpp"
#include "drover/row.hpp"
#include "fleet/state.hpp"

namespace drover::fleet {

class ConnectorSink {
public:
    // A step of an attempt, and what it says of the phone's state.
    virtual void on_phase(Phase phase, PhoneEvent event, std::string_view why) = 0;
    virtual void on_online(adb::Carrier& carrier) = 0;
    // The link stays up and waits for a person to accept our key; on_online() may follow much later.
    virtual void on_unauthorized(const Error& why) = 0;
    // The attempt failed, or the link was lost. hopeless: trying again will not help those who wait now.
    // `event` says what that means for the phone's state: no_connection, link_lost, detached, server_down, ...
    virtual void on_down(const Error& why, PhoneEvent event, bool hopeless) = 0;

protected:
    ~ConnectorSink() = default;
};

class Connector {
public:
    virtual ~Connector() = default;
    // One attempt; leads to on_online() or on_down(). Bounded by its own deadline.
    virtual void start(ConnectorSink& sink) = 0;
    // Drops whatever there is, without a callback. Open streams get on_closed().
    virtual void stop() = 0;
    // Where the phone is plugged in, as far as its last link told; empty: not on USB, or not known.
    virtual std::string usb_path() const { return {}; }
    // How many of this process the phone takes while a command runs on it. Any thread; never changes.
    virtual std::size_t descriptors() const { return 2; }
    // Resets the phone's USB port, as if it were plugged again; false: it is not reached over USB. The link breaks some time later.
    virtual bool reset_usb() { return false; }
    // `hint` is called, from a clean stack, when the phone seems to be there again and nothing is under way: a new attempt need not
    // wait. Not every way to a phone can tell.
    void on_hint(std::function<void()> hint) { hint_ = std::move(hint); }

protected:
    void hint() {
        if (hint_) hint_();
    }

private:
    std::function<void()> hint_;
};

}  // namespace drover::fleet
