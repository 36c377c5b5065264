// `via: auto` for a phone that is not on TCP: through the adb server where one runs, since other programs on that host need the phone
// there; directly by USB where none does. Decided anew at each attempt, so that a server which comes or goes changes the way.
//
// When the phone's interface turns out to be held, and a server answers by now, that server is used in the same attempt. A link that
// drover has opened itself stays, also when a server is started later: that server finds the interface busy.
//
// Threads: the phone's loop. Ownership: it owns both ways. Failure: as the way that was taken; an interface held by others is not
// hopeless here, since a server may be about to answer.
#pragma once
#include <memory>

#include "fleet/connector.hpp"
#include "fleet/server_hub.hpp"

namespace drover::fleet {

class AutoConnector final : public Connector, private ConnectorSink, private ServerListener {
public:
    AutoConnector(Loop& loop, ServerHub& hub, std::unique_ptr<Connector> server, std::unique_ptr<Connector> usb);
    ~AutoConnector() override;

    void start(ConnectorSink& sink) override;
    void stop() override;
    std::string usb_path() const override;
    bool reset_usb() override { return last_way_ == usb_.get() && usb_->reset_usb(); }

private:
    void on_view(const std::shared_ptr<const ServerView>& view) override;
    void on_phase(Phase phase, PhoneEvent event, std::string_view why) override;
    void on_online(adb::Carrier& carrier) override;
    void on_unauthorized(const Error& why) override;
    void on_down(const Error& why, PhoneEvent event, bool hopeless) override;
    bool server_runs() const { return view_ && !view_->down; }
    void choose();
    void begin(Connector& way);

    Loop& loop_;
    ServerHub& hub_;
    const std::unique_ptr<Connector> server_;
    const std::unique_ptr<Connector> usb_;
    Connector* way_ = nullptr;       // taken by the attempt or the link; null: none yet, or over
    Connector* last_way_ = nullptr;  // the newest one taken
    ConnectorSink* sink_ = nullptr;
    std::unique_ptr<ServerHub::Subscription> subscription_;  // from the first start() on
    std::shared_ptr<const ServerView> view_;                 // null: not yet known whether a server runs
};

}  // namespace drover::fleet
