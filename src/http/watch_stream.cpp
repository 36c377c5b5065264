#include "http/watch_stream.hpp"

#include "http/sse.hpp"
#include "report/status_text.hpp"

namespace drover::http {

Service::WatchStream::WatchStream(Service& service, ExchangePtr x, std::shared_ptr<Fleet> fleet)
    : OpenCall(service, std::move(x)), fleet_(std::move(fleet)) {}

void Service::WatchStream::start(const std::vector<std::size_t>& targets) {
    const auto body = new_event_stream();
    std::optional<std::string> stopped;  // before it began
    {
        const std::lock_guard lock(mutex_);
        body_ = body;
        stopped = stopped_;
    }
    answer_with(body);
    if (stopped) {
        body->write(end_text(*stopped));
        return body->end();
    }
    // Outside the lock: states come before watch() returns, and with them maybe a stop.
    auto watch = fleet_->watch(targets, *this);
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    watch_ = std::move(watch);
    self_ = shared_from_this();
}

// The watch is ended on a worker: that waits for the loops, and a stop may come from one of them.
void Service::WatchStream::stop(const Error& why) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = why.message;
    if (!body_) return;  // start() ends what it begins
    service().wait_for_phones([self = shared_from_this(), watch = std::shared_ptr<Watch>(std::move(watch_)),
                               kept = std::move(self_), body = body_, text = why.message]() mutable {
        watch.reset();
        body->write(end_text(text));
        body->end();
    });
}

void Service::WatchStream::tell(PhoneStatus& status) {
    const auto& id = fleet_->instances().at(status.instance).id;
    status.held_by = service().held_text(id);
    boost::json::object o;
    o["instance_id"] = id;
    for (auto& member : report::state_object(status)) o.insert(member);
    body_->write(event_text("status", o));
}

void Service::WatchStream::on_status(PhoneStatus status) {
    const std::lock_guard lock(told_mutex_);
    tell(status);
    told_.insert_or_assign(status.instance, std::move(status));
}

// A phone whose state has come is told again; one whose state comes later brings its holder along.
void Service::WatchStream::on_holds_changed() {
    const std::lock_guard lock(told_mutex_);
    for (auto& [target, status] : told_) {
        if (service().held_text(fleet_->instances().at(target).id) != status.held_by) tell(status);
    }
}

}  // namespace drover::http
