#include "fleet/hold_book.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace drover::fleet {

std::string Hold::text() const {
    const auto seconds = std::chrono::system_clock::to_time_t(since);
    auto out = fmt::format("held by {} since {:%Y-%m-%dT%H:%M:%S}Z", holder->run, fmt::gmtime(seconds));
    if (!holder->job.empty()) out += fmt::format(" (job {})", holder->job);
    return out;
}

std::vector<std::string> HoldBook::take(const Holder& holder, std::span<const std::string> candidates, Want want,
                                        Now now, std::optional<TimePoint> until) {
    expire(now.time);
    std::vector<std::string> granted, fresh;
    for (const auto& id : candidates) {
        if (granted.size() >= want.at_most) break;
        const auto* hold = find(id);
        if (hold && hold->holder->run != holder.run) continue;
        granted.push_back(id);
        if (!hold) fresh.push_back(id);
    }
    if (granted.empty() || granted.size() < want.at_least) return {};
    auto run = runs_.find(holder.run);
    if (run == runs_.end()) {
        if (runs_.size() >= kHolderRunsMax) return {};
        run = runs_.emplace(holder.run, Run{std::make_shared<const Holder>(holder), {}, until}).first;
    }
    set_end(run->second, until);
    for (auto& id : fresh) {
        phones_.emplace(id, Hold{run->second.holder, now.date});
        run->second.ids.push_back(std::move(id));
    }
    return granted;
}

bool HoldBook::renew(std::string_view run, Now now, std::optional<TimePoint> until) {
    expire(now.time);
    const auto it = runs_.find(run);
    if (it == runs_.end()) return false;
    set_end(it->second, until);
    return true;
}

bool HoldBook::release(std::string_view run) {
    const auto it = runs_.find(run);
    if (it == runs_.end()) return false;
    free(it->second);
    runs_.erase(it);
    return true;
}

bool HoldBook::expire(TimePoint now) {
    if (now < next_end_) return false;
    next_end_ = TimePoint::max();
    const auto before = runs_.size();
    for (auto it = runs_.begin(); it != runs_.end();) {
        auto& [id, run] = *it;
        if (run.until && *run.until <= now) {
            free(run);
            it = runs_.erase(it);
        } else {
            set_end(run, run.until);
            ++it;
        }
    }
    return runs_.size() < before;
}

void HoldBook::set_end(Run& run, std::optional<TimePoint> until) {
    run.until = until;
    if (until) next_end_ = std::min(next_end_, *until);
}

const Hold* HoldBook::find(const std::string& id) const {
    const auto it = phones_.find(id);
    return it == phones_.end() ? nullptr : &it->second;
}

const HoldBook::Run* HoldBook::run(std::string_view id) const {
    const auto it = runs_.find(id);
    return it == runs_.end() ? nullptr : &it->second;
}

void HoldBook::free(const Run& run) {
    for (const auto& id : run.ids) phones_.erase(id);
}

}  // namespace drover::fleet
