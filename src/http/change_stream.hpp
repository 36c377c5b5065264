// Tells a client whenever other phones are there than before, until it goes. Which ones, it asks with a selector of its own.
// Private to the service. Threads: any. Ownership: keeps itself until it is stopped.
#pragma once
#include <mutex>
#include <optional>
#include <string>

#include "http/open_call.hpp"

namespace drover::http {

class Service::ChangeStream final : public OpenCall {
public:
    ChangeStream(Service& service, ExchangePtr x) : OpenCall(service, std::move(x)) {}

    void start();
    void stop(const Error& why) override;
    void on_server_stop() override { stop(Error(Code::cancelled, "the drover server ends")); }
    bool is_watch() const override { return true; }
    void on_phones_changed() override;

private:
    std::shared_ptr<net::BodyStream> body_;  // once it has begun
    std::mutex mutex_;
    std::shared_ptr<OpenCall> self_;      // until it is stopped
    std::optional<std::string> stopped_;  // why
};

}  // namespace drover::http
