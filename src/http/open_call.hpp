// A call that stays open for a while: a synchronous command, rows or states that are streamed. The service knows each, so that it
// can be stopped by its client and by the end of the server. Private to the service.
//
// Threads: any. Made by Service::open(). Ownership: shared; the service forgets it when the last owner does, and waits for that in
// its own destructor.
#pragma once
#include <memory>
#include <string>

#include "http/exchange.hpp"

namespace drover::http {

class Service::OpenCall : public std::enable_shared_from_this<OpenCall> {
public:
    OpenCall(Service& service, ExchangePtr x, std::string id = task::new_id());
    virtual ~OpenCall();
    OpenCall(const OpenCall&) = delete;
    OpenCall& operator=(const OpenCall&) = delete;

    virtual void stop(const Error& why) = 0;
    virtual void on_server_stop() = 0;
    virtual bool is_watch() const { return false; }
    virtual void on_phones_changed() {}
    virtual void on_holds_changed() {}

    const std::string& id() const { return id_; }
    const Caller& caller() const { return x_->caller; }

protected:
    Service& service() const { return service_; }
    const ExchangePtr& exchange() const { return x_; }
    // A body of events whose client's going stops this call; and the answer that it is the body of.
    std::shared_ptr<net::BodyStream> new_event_stream();
    void answer_with(std::shared_ptr<net::BodyStream> events);

private:
    Service& service_;
    const ExchangePtr x_;
    const std::string id_;
};

}  // namespace drover::http
