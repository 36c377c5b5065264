#include "dispatch/dispatcher.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "base/assert.hpp"
#include "base/resource_limits.hpp"
#include "dispatch/call_state.hpp"

namespace drover::dispatch {
namespace {

bool exceeds(const Request& request) {
    std::size_t needed = 0;
    for (const fleet::Phone* phone : request.targets) needed += phone->descriptors();
    return needed > request.descriptors_max;
}

std::size_t window_of(const Request& request) {
    std::size_t window = std::numeric_limits<std::int32_t>::max();
    if (request.max_parallel > 0) window = std::min(window, request.max_parallel);
    if (!exceeds(request)) return window;
    std::size_t most = 1;  // that one of them needs
    for (const fleet::Phone* phone : request.targets) most = std::max(most, phone->descriptors());
    // A link is closed a moment after the next phone's is opened.
    return std::min(window, std::max<std::size_t>(request.descriptors_max / (2 * most), 1));
}

class RunningCall final : public Call {
public:
    explicit RunningCall(std::shared_ptr<CallState> state) : state_(std::move(state)) {}
    ~RunningCall() override { state_->wait(); }
    void stop(Error why) override { state_->stop(why); }
    void wait() override { state_->wait(); }

private:
    std::shared_ptr<CallState> state_;
};

}  // namespace

CallState::CallState(Request r, RowSink& s)
    : request(std::move(r)),
      sink(s),
      links_rest(exceeds(request)),
      window(window_of(request)),
      missing_(request.targets.size()) {}

CallState::~CallState() = default;

void CallState::start() {
    if (request.deadline) deadline = Clock::now() + *request.deadline;
    std::map<Loop*, Lane*> by_loop;
    for (std::size_t i = 0; i < request.targets.size(); ++i) {
        fleet::Phone& phone = *request.targets[i];
        Lane*& lane = by_loop[&phone.loop()];
        if (!lane) {
            lanes.push_back(std::make_unique<Lane>(*this, phone.loop()));
            lane = lanes.back().get();
        }
        lane->add(i, phone);
    }
    for (auto& lane : lanes) lane->loop().post([self = shared_from_this(), l = lane.get()] { l->start(); });
    if (lanes.empty()) {
        const std::lock_guard lock(mutex_);
        sink.on_done();
        done_ = true;
    }
}

void CallState::deliver(Row&& row) {
    const std::lock_guard lock(mutex_);
    DROVER_ASSERT(missing_ > 0);
    sink.on_row(std::move(row));
    if (--missing_ > 0) return;
    sink.on_done();
    done_ = true;
    ended_.notify_all();
    // Every lane lets go of its timer and its last works on its own loop.
    for (auto& lane : lanes) lane->loop().post([self = shared_from_this(), l = lane.get()] { l->end(); });
}

void CallState::stop(const Error& why) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || done_) return;
        stopped_ = true;
    }
    for (auto& lane : lanes) lane->loop().post([self = shared_from_this(), l = lane.get(), why] { l->stop(why); });
}

void CallState::wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return done_; });
}

bool CallState::done() {
    const std::lock_guard lock(mutex_);
    return done_;
}

void CallState::wake_starving_lanes(const Lane& but) {
    for (auto& lane : lanes) {
        if (lane.get() == &but || !lane->starving()) continue;
        lane->loop().post([self = shared_from_this(), l = lane.get()] { l->pump(); });
    }
}

std::unique_ptr<Call> dispatch(Request request, RowSink& sink) {
    if (request.descriptors_max == 0) request.descriptors_max = descriptors_for_phones();
    auto state = std::make_shared<CallState>(std::move(request), sink);
    state->start();
    return std::make_unique<RunningCall>(std::move(state));
}

}  // namespace drover::dispatch
