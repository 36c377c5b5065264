// The phones of one Fleet::watch(). Threads: made and destroyed off the loops; the sink is called under a mutex, on loops.
#pragma once
#include <mutex>
#include <unordered_map>
#include <vector>

#include "drover/fleet.hpp"
#include "fleet/phone.hpp"

namespace drover::dispatch {

class FleetWatch final : public Watch, private fleet::StateListener {
public:
    // targets[i]: what phones[i] is called in the states.
    FleetWatch(std::vector<fleet::Phone*> phones, const std::vector<std::size_t>& targets, StatusSink& sink);
    ~FleetWatch() override;

private:
    void on_state(const fleet::Phone& phone) override;
    template <class F>
    void on_each_loop(F&& f);

    std::vector<fleet::Phone*> phones_;
    std::unordered_map<const fleet::Phone*, std::size_t> targets_;
    StatusSink& sink_;
    std::mutex mutex_;
};

PhoneStatus status_of(std::size_t instance, const fleet::PhoneState& state);

}  // namespace drover::dispatch
