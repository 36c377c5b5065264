#include "http/change_stream.hpp"

#include <utility>

#include "http/sse.hpp"

namespace drover::http {

// Listed as an open call by now: what changes from here on is told, so what its client selects after this event is not stale.
void Service::ChangeStream::start() {
    const auto body = new_event_stream();
    std::optional<std::string> stopped;  // before it began
    {
        const std::lock_guard lock(mutex_);
        body_ = body;
        stopped = stopped_;
        if (!stopped) self_ = shared_from_this();
    }
    on_phones_changed();
    answer_with(body);
    if (!stopped) return;
    body->write(end_text(*stopped));
    body->end();
}

void Service::ChangeStream::on_phones_changed() {
    {
        const std::lock_guard lock(mutex_);
        if (!self_) return;  // not begun, or over
    }
    const auto fleet = service().parts_.phones.fleet();
    boost::json::object o;
    o["may_come"] = fleet && fleet->discovers();
    body_->write(event_text("phones", o));
}

void Service::ChangeStream::stop(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = why.message;
    if (!body_) return;  // start() ends what it begins
    // Not here: letting go of the last one takes the service's lock, which whoever stops it may have.
    service().worker().post([kept = std::exchange(self_, nullptr), body = body_, text = why.message] {
        body->write(end_text(text));
        body->end();
    });
}

}  // namespace drover::http
