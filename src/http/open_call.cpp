#include "http/open_call.hpp"

#include <utility>

#include "http/sse.hpp"

namespace drover::http {

Service::OpenCall::OpenCall(Service& service, ExchangePtr x, std::string id)
    : service_(service), x_(std::move(x)), id_(std::move(id)) {}

Service::OpenCall::~OpenCall() {
    const std::lock_guard lock(service_.mutex_);
    service_.calls_.erase(this);
    service_.calls_changed_.notify_all();
}

std::shared_ptr<net::BodyStream> Service::OpenCall::new_event_stream() {
    net::BodyStream::Hooks hooks;
    hooks.on_gone = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->stop(Error(Code::interrupted, "the client has gone"));
    };
    return std::make_shared<net::BodyStream>(std::move(hooks), std::string(kHeartbeat));
}

void Service::OpenCall::answer_with(std::shared_ptr<net::BodyStream> events) {
    net::Response response;
    response.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    response.stream = std::move(events);
    service_.answer(x_, std::move(response));
}

Service::~Service() {
    stop_calls();
    end_watches();
    {
        std::unique_lock lock(mutex_);
        calls_changed_.wait(lock, [this] { return calls_.empty(); });
    }
    parts_.phones.holds().on_freed({});
    parts_.phones.holds().on_changed({});
    waiters_.stop();
    {
        // The workers run on until then: what is posted to one that has stopped is never run, and what it holds never given back.
        std::unique_lock lock(mutex_);
        calls_changed_.wait(lock, [this] { return holds_ == 0; });
    }
    workers_.stop();
}

void Service::know(OpenCall& call) {
    const std::lock_guard lock(mutex_);
    calls_.insert(&call);
}

std::vector<std::shared_ptr<Service::OpenCall>> Service::open_calls() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<OpenCall>> open;
    for (auto* call : calls_) {
        if (auto alive = call->weak_from_this().lock()) open.push_back(std::move(alive));
    }
    return open;
}

void Service::stop_calls() {
    for (const auto& call : open_calls()) {
        if (!call->is_watch()) call->on_server_stop();
    }
}

void Service::phones_changed() {
    for (const auto& call : open_calls()) call->on_phones_changed();
}

void Service::holds_changed() {
    if (tells_holds_.exchange(true)) return;
    worker().post([this, kept = hold()] {
        tells_holds_ = false;
        for (const auto& call : open_calls()) call->on_holds_changed();
    });
}

void Service::end_watches() {
    for (const auto& call : open_calls()) {
        if (call->is_watch()) call->on_server_stop();
    }
}

}  // namespace drover::http
