#include "job/rollout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.hpp"

namespace drover::job {

std::vector<std::size_t> batch_sizes(std::size_t phones, std::span<const Share> serial) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0, left = phones; left > 0; ++i) {
        const Share share = serial.empty() ? Share{100, true} : serial[std::min(i, serial.size() - 1)];
        const auto size = std::clamp<std::size_t>(share.of(phones), 1, left);
        out.push_back(size);
        left -= size;
    }
    return out;
}

bool is_lost(const Row& row) {
    constexpr int kFarmExit = 20;
    return !row.ok() && info(row.code).exit_code == kFarmExit;
}

Error failed_fast(std::string_view instance_id) {
    return Error(Code::run_stopped, fmt::format("fail-fast: {} failed", instance_id));
}

Budget::Budget(const Rollout& rollout, std::size_t phones)
    : phones_(phones),
      lost_apart_(rollout.max_lost.has_value()),
      failed_max_(rollout.max_failed.value_or(Share()).of(phones)),
      lost_max_(rollout.max_lost.value_or(Share()).of(phones)) {}

void Budget::add(const Row& row) {
    if (row.ok()) return;
    ++(lost_apart_ && is_lost(row) ? lost_ : failed_);
}

void Budget::add(std::size_t failed, std::size_t lost) {
    failed_ += failed + (lost_apart_ ? 0 : lost);
    lost_ += lost_apart_ ? lost : 0;
}

std::string Budget::text() const {
    if (lost_ > lost_max_) return fmt::format("{} of {} lost, {} allowed", lost_, counted(phones_, "phone"), lost_max_);
    return fmt::format("{} of {} failed, {} allowed", failed_, counted(phones_, "phone"), failed_max_);
}

}  // namespace drover::job
