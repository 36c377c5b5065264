// The arithmetic of strategy.rollout. Pure; any thread.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drover/error.hpp"
#include "drover/row.hpp"
#include "job/model.hpp"

namespace drover::job {

// How many phones each batch takes, in order: together all of them, each at least one.
std::vector<std::size_t> batch_sizes(std::size_t phones, std::span<const Share> serial);

// Whether the phone was lost, not tried and found wanting: absent, or failed for link, host or infra.
bool is_lost(const Row& row);

// Why the others stop, with strategy.fail-fast.
Error failed_fast(std::string_view instance_id);

// Counts what failed, and says whether that is more than the rollout allows.
class Budget {
public:
    Budget(const Rollout& rollout, std::size_t phones);
    void add(const Row& row);
    void add(std::size_t failed, std::size_t lost);  // `lost` are not among the failed
    bool exceeded() const { return failed_ > failed_max_ || lost_ > lost_max_; }
    std::string text() const;  // "3 of 20 phones failed, 1 is allowed"

private:
    const std::size_t phones_;
    const bool lost_apart_;
    const std::size_t failed_max_;
    const std::size_t lost_max_;
    std::size_t failed_ = 0;
    std::size_t lost_ = 0;
};

}  // namespace drover::job
