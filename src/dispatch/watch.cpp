#include "dispatch/watch.hpp"

#include <future>
#include <map>

namespace drover::dispatch {

PhoneStatus status_of(std::size_t instance, const fleet::PhoneState& state) {
    PhoneStatus s;
    s.instance = instance;
    s.status = static_cast<int>(state.status());
    s.activity = static_cast<int>(state.activity);
    s.adb_state = static_cast<int>(state.adb_state());
    s.condition = to_string(state.condition);
    s.why = state.why;
    s.since = state.since;
    return s;
}

FleetWatch::FleetWatch(std::vector<fleet::Phone*> phones, const std::vector<std::size_t>& targets, StatusSink& sink)
    : phones_(std::move(phones)), sink_(sink) {
    for (std::size_t i = 0; i < phones_.size(); ++i) targets_[phones_[i]] = targets[i];
    on_each_loop([this](fleet::Phone& phone) {
        on_state(phone);
        phone.watch(*this);
    });
}

FleetWatch::~FleetWatch() {
    on_each_loop([this](fleet::Phone& phone) { phone.unwatch(*this); });
}

// One message a loop, all loops at once; returns when all have done their phones.
template <class F>
void FleetWatch::on_each_loop(F&& f) {
    std::map<Loop*, std::vector<fleet::Phone*>> by_loop;
    for (fleet::Phone* p : phones_) by_loop[&p->loop()].push_back(p);
    std::vector<std::promise<void>> done(by_loop.size());
    std::size_t i = 0;
    for (auto& [loop, mine] : by_loop) {
        loop->post([&f, &phones = mine, &ready = done[i++]] {
            for (fleet::Phone* p : phones) f(*p);
            ready.set_value();
        });
    }
    for (auto& d : done) d.get_future().wait();
}

void FleetWatch::on_state(const fleet::Phone& phone) {
    const std::lock_guard lock(mutex_);
    sink_.on_status(status_of(targets_.at(&phone), phone.state()));
}

}  // namespace drover::dispatch
