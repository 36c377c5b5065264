// The states of phones, sent as they change until the client goes. Private to the service.
// Threads: states come on the phones' loops, stop() from any. What waits for loops happens on a worker.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "http/open_call.hpp"

namespace drover::http {

class Service::WatchStream final : public OpenCall, public StatusSink {
public:
    WatchStream(Service& service, ExchangePtr x, std::shared_ptr<Fleet> fleet);

    // On a worker.
    void start(const std::vector<std::size_t>& targets);
    void stop(const Error& why) override;
    void on_server_stop() override { stop(Error(Code::cancelled, "the drover server ends")); }
    bool is_watch() const override { return true; }
    void on_status(PhoneStatus status) override;
    void on_holds_changed() override;

private:
    void tell(PhoneStatus& status);

    const std::shared_ptr<Fleet> fleet_;
    std::shared_ptr<net::BodyStream> body_;  // once it has begun
    std::mutex mutex_;
    std::unique_ptr<Watch> watch_;
    std::shared_ptr<OpenCall> self_;      // while phones are watched
    std::optional<std::string> stopped_;  // why
    std::mutex told_mutex_;
    std::map<std::size_t, PhoneStatus> told_;  // last, by target
};

}  // namespace drover::http
