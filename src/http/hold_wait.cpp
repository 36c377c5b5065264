#include "http/hold_wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/counted.hpp"

namespace drover::http {
namespace {

namespace json = boost::json;

constexpr Millis kAgainAfter{1'000};
constexpr int kRunning = 2;

}  // namespace

Service::HoldWait::HoldWait(Service& service, ExchangePtr x, Wanted wanted)
    : OpenCall(service, std::move(x)),
      loop_(service.workers_.at(0)),
      wanted_(std::move(wanted)),
      until_(Clock::now() + wanted_.wait) {}

void Service::HoldWait::start() {
    loop_.post([self = std::static_pointer_cast<HoldWait>(shared_from_this())] {
        self->self_ = self;
        self->retry();
    });
}

void Service::HoldWait::stop(const Error& why) {
    loop_.post([self = std::static_pointer_cast<HoldWait>(shared_from_this()), why] {
        if (!self->self_) return;
        self->service().fail_call(self->exchange(), why);
        self->end();
    });
}

std::vector<std::string> Service::HoldWait::candidates() const {
    if (wanted_.count == 0) return wanted_.ids;
    std::vector<std::string> running;
    for (const auto& id : wanted_.ids) {
        const auto status = service().parts_.phones.status(id);
        if (status && status->status == kRunning) running.push_back(id);
    }
    return running;
}

void Service::HoldWait::retry() {
    if (!self_) return;
    const auto count = wanted_.count > 0 ? wanted_.count : wanted_.ids.size();
    const auto granted = service().parts_.phones.holds().take({id(), caller().tenant->name, wanted_.job}, candidates(),
                                                              {count, count}, kHoldTimeToLive);
    if (!granted.empty()) return grant(granted);
    if (Clock::now() >= until_) return refuse();
    loop_.arm(again_, std::min(until_, Clock::now() + kAgainAfter));
}

void Service::HoldWait::grant(const std::vector<std::string>& ids) {
    json::array all;
    for (const auto& id : ids) all.emplace_back(id);
    json::object data;
    data["hold"] = id();
    data["instance_ids"] = std::move(all);
    data["time_to_live_ms"] = kHoldTimeToLive.count();
    service().answer(exchange(), ok_response(std::move(data)));
    end();
}

void Service::HoldWait::refuse() {
    const auto running = candidates();
    const auto free = service().parts_.phones.holds().free(running);
    const auto count = wanted_.count > 0 ? wanted_.count : wanted_.ids.size();
    auto text = fmt::format("{} {} wanted; of {}, {} {} held", counted(count, "phone"), count == 1 ? "is" : "are",
                            wanted_.ids.size(), running.size() - free, running.size() - free == 1 ? "is" : "are");
    if (wanted_.count > 0) text += fmt::format(" and {} not running", wanted_.ids.size() - running.size());
    service().fail_call(exchange(), Error(Code::not_granted, text));
    end();
}

// May destroy this.
void Service::HoldWait::end() {
    again_.cancel();
    const auto self = std::move(self_);
}

// The first one first.
void Service::retry_holds() {
    workers_.at(0).post([this, kept = hold()] {
        auto waiting = hold_waits();
        std::sort(waiting.begin(), waiting.end(),
                  [](const auto& a, const auto& b) { return a->exchange()->begin < b->exchange()->begin; });
        for (const auto& wait : waiting) wait->retry();
    });
}

std::vector<std::shared_ptr<Service::HoldWait>> Service::hold_waits() {
    std::vector<std::shared_ptr<HoldWait>> waiting;
    for (const auto& call : open_calls()) {
        if (auto wait = std::dynamic_pointer_cast<HoldWait>(call)) waiting.push_back(std::move(wait));
    }
    return waiting;
}

}  // namespace drover::http
