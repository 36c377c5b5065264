// A phone reached through an adb server: waits for its row in the server's list, then holds a ServerCarrier.
// Threads: the phone's loop. The connector owns subscription and carrier. Failure: on_down(); hopeless where only a person or
// the server's owner can help.
#pragma once
#include <memory>

#include "adb/server_carrier.hpp"
#include "drover/instance.hpp"
#include "fleet/connector.hpp"
#include "fleet/server_hub.hpp"

namespace drover::fleet {

// Why the list has no phone to use, and what that says of its state.
struct RowProblem {
    Error why;
    PhoneEvent event = PhoneEvent::detached;
};
// The row of the phone with this address, if it takes commands. More than one: serials repeat, only the USB path tells such
// phones apart.
tl::expected<adb::ServerDevice, RowProblem> find_row(const ServerView& view, const Address& address);

class ServerConnector final : public Connector, private ServerListener, private adb::ServerCarrierSink {
public:
    ServerConnector(Loop& loop, ServerHub& hub, Address address);
    ~ServerConnector() override;

    void start(ConnectorSink& sink) override;
    void stop() override;
    std::string usb_path() const override { return usb_path_; }

private:
    void on_view(const std::shared_ptr<const ServerView>& view) override;
    void on_carrier_ready() override;
    void on_carrier_lost(const Error& why) override;
    void look();
    void down(const Error& why, PhoneEvent event);

    Loop& loop_;
    ServerHub& hub_;
    const Address address_;
    ConnectorSink* sink_ = nullptr;
    std::unique_ptr<ServerHub::Subscription> subscription_;  // from the first start() on
    std::shared_ptr<const ServerView> view_;
    std::unique_ptr<adb::ServerCarrier> carrier_;
    std::uint64_t transport_id_ = 0;  // of the carrier
    std::string usb_path_;            // of the row
    std::optional<PhoneEvent> told_;  // what was wrong with the row, as told last
    std::shared_ptr<ServerConnector*> self_ =
        std::make_shared<ServerConnector*>(this);  // what posted functions look through
};

}  // namespace drover::fleet
