// Stands in for a way to a phone that this build does not have: every attempt ends at once, with a reason.
// Threads, ownership, failure: as Connector.
#pragma once
#include <memory>
#include <string>

#include "base/loop_pool.hpp"
#include "fleet/connector.hpp"

namespace drover::fleet {

class UnsupportedConnector final : public Connector {
public:
    UnsupportedConnector(Loop& loop, std::string why) : loop_(loop), why_(std::move(why)) {}
    ~UnsupportedConnector() override { *self_ = nullptr; }

    void start(ConnectorSink& sink) override {
        sink_ = &sink;
        // Later: the phone expects no answer from inside start().
        loop_.post([self = self_] {
            if (!*self) return;
            if (ConnectorSink* s = std::exchange((*self)->sink_, nullptr)) {
                s->on_down(Error(Code::not_supported, (*self)->why_), PhoneEvent::no_connection, true);
            }
        });
    }
    void stop() override { sink_ = nullptr; }

private:
    Loop& loop_;
    const std::string why_;
    ConnectorSink* sink_ = nullptr;
    std::shared_ptr<UnsupportedConnector*> self_ = std::make_shared<UnsupportedConnector*>(this);
};

}  // namespace drover::fleet
